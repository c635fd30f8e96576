//! The `flights` processor: one state per flight, merged from its feeds, told to every household that watches it.
//!
//! A household learns of a flight through its own log ([`Effect::FlightUpdate`]), so that its state stays a function
//! of that log alone. Knows the merge rules ([`super::merge`]); knows nobody's trip.

use std::mem::size_of;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::merge::{Observations, same_to_people};
use super::zones;
use crate::engine::processor::Population;
use crate::engine::{Decoded, Effect, Effects, Moment, Processor, Record, Topic, Unit};
use crate::event::activity::FlightUpdate;
use crate::event::decode;
use crate::event::flight::{FlightEvent, FlightKey, FlightStatus, Watch, WatchChange};
use crate::event::recommendation::Estimate;
use crate::event::rejection::Rejection;
use crate::units::{Span, UtcMillis};

/// A flight that has arrived is of no interest any more after this.
const REMEMBERED_AFTER_ARRIVAL: Span = Span::days(3);
/// The same, counted from the start of the date in its key, where no arrival is known.
const REMEMBERED_AFTER_DATE: Span = Span::days(5);
/// No arrival, however far off a feed puts it, holds a flight in memory for longer after its date.
const REMEMBERED_AT_MOST: Span = Span::days(30);
/// A flight that is forgotten already is remembered this long when somebody speaks of it: its timer must lie ahead.
const REMEMBERED_AFTER_LAST_WORD: Span = Span::days(1);

/// The processor of `flight_status`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flights;

/// One flight: what has been observed of it, and who wants to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    key: FlightKey,
    /// Boxed: many flights are watched long before a feed speaks of them.
    known: Option<Box<Observations>>,
    /// Household ids, sorted, without repeats.
    watchers: Vec<Box<str>>,
    /// When it may be forgotten; `None` while there is nothing to forget.
    forget_at: Option<UtcMillis>,
}

impl Flight {
    /// The merged status; `None` before a feed has spoken.
    #[must_use]
    pub fn status(&self) -> Option<FlightStatus> {
        self.known.as_ref().and_then(|known| known.status(&self.key))
    }

    /// Household ids, sorted.
    #[must_use]
    pub fn watchers(&self) -> &[Box<str>] {
        &self.watchers
    }

    fn hear(&mut self, report: &FlightStatus, effects: &mut Effects) {
        let before = self.status();
        self.known.get_or_insert_default().observe(report);
        let Some(after) = self.status() else { return };
        if before.is_some_and(|before| same_to_people(&before, &after)) {
            return;
        }
        for household_id in &self.watchers {
            effects.push(tell(household_id, after.clone()));
        }
    }

    fn watch(&mut self, watch: Watch, effects: &mut Effects) {
        let place = self.watchers.binary_search(&watch.household_id);
        match (watch.watch, place) {
            (WatchChange::Start, Err(place)) => {
                if let Some(status) = self.status() {
                    effects.push(tell(&watch.household_id, status));
                }
                self.watchers.insert(place, watch.household_id);
            }
            (WatchChange::Stop, Ok(place)) => {
                self.watchers.remove(place);
            }
            (WatchChange::Start, Ok(_)) | (WatchChange::Stop, Err(_)) => {}
        }
    }

    fn forget_at(&self, last_word: UtcMillis) -> Option<UtcMillis> {
        if self.is_vacant() {
            return None;
        }
        let soonest = last_word + REMEMBERED_AFTER_LAST_WORD;
        let arrival = self.status().and_then(|status| status.times.in_.best().or(status.times.on.best()));
        let after_arrival = arrival.map(|arrival| arrival + REMEMBERED_AFTER_ARRIVAL);
        let due = match (date_of(&self.key), after_arrival) {
            // A feed's slip in a year must neither drop a flight at once nor keep it for ever.
            (Some(date), Some(due)) => due.clamp(date + REMEMBERED_AFTER_ARRIVAL, date + REMEMBERED_AT_MOST),
            (Some(date), None) => date + REMEMBERED_AFTER_DATE,
            (None, _) => last_word + REMEMBERED_AFTER_DATE,
        };
        Some(due.max(soonest))
    }
}

fn tell(household_id: &str, status: FlightStatus) -> Effect {
    Effect::FlightUpdate { household_id: household_id.into(), update: Box::new(FlightUpdate { status }) }
}

/// The start, in UTC, of the date in `KL641|2026-12-04|AMS`. Half a day either way does not matter here.
fn date_of(key: &FlightKey) -> Option<UtcMillis> {
    let date: NaiveDate = key.as_str().split('|').nth(1)?.parse().ok()?;
    Some(zones::to_utc(Tz::UTC, date, 0))
}

impl Processor for Flights {
    type Unit = Flight;
    type Event<'a> = FlightEvent;

    const NAME: &'static str = "flights";
    const INPUT: Topic = Topic::FlightStatus;

    fn decode<'a>(&self, record: &Record<'a>) -> Result<Decoded<'a, FlightEvent>, Rejection> {
        decode::flight_status(record)
    }

    fn new_unit(&self, key: &str) -> Flight {
        Flight { key: FlightKey(key.into()), known: None, watchers: Vec::new(), forget_at: None }
    }

    fn apply(&self, unit: &mut Flight, event: FlightEvent, moment: &Moment, effects: &mut Effects) {
        match event {
            FlightEvent::Status(report) => unit.hear(&report, effects),
            FlightEvent::Watch(watch) => unit.watch(watch, effects),
            FlightEvent::Tick => return,
        }
        unit.forget_at = unit.forget_at(moment.now);
    }

    /// The one timer: the flight is long over.
    fn fire(&self, unit: &mut Flight, _moment: &Moment, _effects: &mut Effects) {
        unit.known = None;
        unit.watchers.clear();
        unit.forget_at = None;
    }

    /// A flight has no body clock.
    fn estimates(&self, _unit: &Flight, _user: Option<&str>, _at: UtcMillis) -> Vec<Estimate> {
        Vec::new()
    }
}

impl Unit for Flight {
    const SCHEMA: u16 = 1;

    fn key(&self) -> &str {
        self.key.as_str()
    }

    fn next_due(&self) -> Option<UtcMillis> {
        self.forget_at
    }

    fn is_vacant(&self) -> bool {
        self.known.is_none() && self.watchers.is_empty()
    }

    fn population(&self) -> Population {
        Population::default()
    }

    fn resident_bytes(&self) -> usize {
        let known = self.known.as_ref().map_or(0, |known| size_of::<Observations>() + known.heap_bytes());
        let names: usize = self.watchers.iter().map(|household_id| household_id.len()).sum();
        let watchers = self.watchers.capacity() * size_of::<Box<str>>() + names;
        size_of::<Flight>() + self.key.as_str().len() + known + watchers
    }
}

#[cfg(test)]
#[path = "processor_tests.rs"]
mod tests;
