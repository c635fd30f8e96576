//! What is known of a flight, from all that its feeds have said.
//!
//! Feeds contradict, repeat and overtake each other. So nothing here depends on the order of arrival: each piece of
//! a report falls into a register of its own, a register keeps the newest *observation* (not arrival), and the
//! status is computed from the registers. Merging is therefore commutative, associative and idempotent.
//!
//! 1. A time slot (`in` × `estimated`, say) holds the value observed last; a report that lacks it erases nothing.
//!    Two values observed at the same moment: the later time stands.
//! 2. Estimates and actual times have slots of their own: an actual time is corrected by a newer actual time only,
//!    and [`SlotTimes::best`] prefers it to any estimate, however new.
//! 3. The state only climbs: scheduled, delayed, out, off, on, in. An actual time counts as its state.
//! 4. Cancelled stands until a *newer* observation says scheduled, delayed or out: reinstated. What was observed on
//!    the ground before that cancellation no longer counts. What has taken off cannot be cancelled: feeds also say
//!    "cancelled" when they lose track of a flight.
//! 5. Diverted stays; where to, the newest report that names an airport says. (A flight that comes to its destination
//!    after all has that for the airport: see [`super::itinerary`], which knows what was booked.)
//! 6. Of a suspected and a confirmed cancellation that both stand, the confirmed one counts.

use serde::{Deserialize, Serialize};

use crate::event::flight::{Cancellation, FlightKey, FlightState, FlightStatus, FlightTimes, Iata, SlotTimes};
use crate::units::UtcMillis;

/// Everything observed of one flight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observations {
    out: SlotObservations,
    off: SlotObservations,
    on: SlotObservations,
    in_: SlotObservations,
    states: StateObservations,
    diverted_to: Register<Iata>,
    origin: Register<Iata>,
    destination: Register<Iata>,
    /// Who observed last.
    provider: Register<Option<Box<str>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SlotObservations {
    scheduled: Register<UtcMillis>,
    estimated: Register<UtcMillis>,
    predicted: Register<UtcMillis>,
    actual: Register<UtcMillis>,
}

/// When each state was observed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct StateObservations {
    scheduled: Option<UtcMillis>,
    delayed: Option<UtcMillis>,
    out: Option<UtcMillis>,
    off: Option<UtcMillis>,
    on: Option<UtcMillis>,
    in_: Option<UtcMillis>,
    diverted: Option<UtcMillis>,
    cancellation_suspected: Option<UtcMillis>,
    /// Cancelled without a word on how certain that is.
    cancelled: Option<UtcMillis>,
    cancellation_confirmed: Option<UtcMillis>,
}

/// A value with the time of its observation; the newest stays, of equally new ones the greatest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Register<T>(Option<(UtcMillis, T)>);

impl<T> Default for Register<T> {
    fn default() -> Self {
        Register(None)
    }
}

impl<T: Ord + Clone> Register<T> {
    fn observe(&mut self, observed_at: UtcMillis, value: Option<T>) {
        if let Some(value) = value {
            self.0 = self.0.take().max(Some((observed_at, value)));
        }
    }

    fn value(&self) -> Option<T> {
        self.0.as_ref().map(|(_, value)| value.clone())
    }
}

impl Observations {
    /// Takes in a report, whenever it arrives.
    pub fn observe(&mut self, report: &FlightStatus) {
        let at = report.observed_at;
        self.out.observe(at, &report.times.out);
        self.off.observe(at, &report.times.off);
        self.on.observe(at, &report.times.on);
        self.in_.observe(at, &report.times.in_);
        self.states.observe(at, report.state, report.cancellation);
        self.states.observe_actual(at, &report.times);
        self.diverted_to.observe(at, report.diverted_to);
        self.origin.observe(at, report.origin);
        self.destination.observe(at, report.destination);
        self.provider.observe(at, Some(report.provider.clone()));
    }

    /// The merged status; `None` before the first report.
    #[must_use]
    pub fn status(&self, flight_key: &FlightKey) -> Option<FlightStatus> {
        let (observed_at, provider) = self.provider.0.clone()?;
        let called_off = self.states.called_off();
        let times = FlightTimes {
            out: self.out.times(called_off),
            off: self.off.times(None),
            on: self.on.times(None),
            in_: self.in_.times(None),
        };
        let (state, cancellation) = self.states.merged();
        Some(FlightStatus {
            flight_key: flight_key.clone(),
            state,
            observed_at,
            provider,
            times,
            diverted_to: self.diverted_to.value(),
            cancellation,
            origin: self.origin.value(),
            destination: self.destination.value(),
        })
    }

    /// Bytes on the heap, beside the registers themselves.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let provider = self.provider.0.as_ref().and_then(|(_, provider)| provider.as_ref());
        provider.map_or(0, |name| name.len())
    }
}

impl SlotObservations {
    fn observe(&mut self, at: UtcMillis, times: &SlotTimes) {
        self.scheduled.observe(at, times.scheduled);
        self.estimated.observe(at, times.estimated);
        self.predicted.observe(at, times.predicted);
        self.actual.observe(at, times.actual);
    }

    /// An actual time observed no later than `called_off` is left out: that attempt was given up.
    fn times(&self, called_off: Option<UtcMillis>) -> SlotTimes {
        let actual = self.actual.0.as_ref().filter(|(observed_at, _)| Some(*observed_at) > called_off);
        SlotTimes {
            scheduled: self.scheduled.value(),
            estimated: self.estimated.value(),
            predicted: self.predicted.value(),
            actual: actual.map(|(_, time)| *time),
        }
    }
}

impl StateObservations {
    fn observe(&mut self, at: UtcMillis, state: FlightState, cancellation: Option<Cancellation>) {
        let seen = match state {
            FlightState::Scheduled => Some(&mut self.scheduled),
            FlightState::Delayed => Some(&mut self.delayed),
            FlightState::Out => Some(&mut self.out),
            FlightState::Off => Some(&mut self.off),
            FlightState::On => Some(&mut self.on),
            FlightState::In => Some(&mut self.in_),
            FlightState::Diverted => Some(&mut self.diverted),
            FlightState::Cancelled if cancellation.is_none() => Some(&mut self.cancelled),
            FlightState::Cancelled | FlightState::Unknown => None,
        };
        // A feed may suspect a cancellation while its state still says something else.
        let said_of_cancellation = match cancellation {
            Some(Cancellation::Suspected) => Some(&mut self.cancellation_suspected),
            Some(Cancellation::Confirmed) => Some(&mut self.cancellation_confirmed),
            None => None,
        };
        for last in seen.into_iter().chain(said_of_cancellation) {
            *last = (*last).max(Some(at));
        }
    }

    /// An actual time says as much as its state does.
    fn observe_actual(&mut self, at: UtcMillis, times: &FlightTimes) {
        let slots = [
            (&mut self.out, times.out),
            (&mut self.off, times.off),
            (&mut self.on, times.on),
            (&mut self.in_, times.in_),
        ];
        for (last, slot) in slots {
            if slot.actual.is_some() {
                *last = (*last).max(Some(at));
            }
        }
    }

    fn merged(&self) -> (FlightState, Option<Cancellation>) {
        if self.diverted.is_some() {
            return (FlightState::Diverted, None);
        }
        let cancelled = if self.has_taken_off() { None } else { self.standing_cancellation() };
        cancelled.unwrap_or_else(|| (self.progress(), None))
    }

    fn has_taken_off(&self) -> bool {
        [self.off, self.on, self.in_, self.diverted].iter().any(Option::is_some)
    }

    /// The farthest that the flight is known to have come.
    fn progress(&self) -> FlightState {
        // On the ground, what was seen before a cancellation belongs to an attempt that was given up.
        let called_off = self.called_off();
        let climb = [
            (self.in_, FlightState::In),
            (self.on, FlightState::On),
            (self.off, FlightState::Off),
            (self.out, FlightState::Out),
            (self.delayed, FlightState::Delayed),
            (self.scheduled, FlightState::Scheduled),
        ];
        let farthest = climb.into_iter().find(|(seen, _)| seen.is_some() && *seen > called_off);
        farthest.map_or(FlightState::Unknown, |(_, state)| state)
    }

    /// When the flight was last said to be cancelled, as far as that can be believed.
    fn called_off(&self) -> Option<UtcMillis> {
        if self.has_taken_off() {
            return None;
        }
        self.cancellation_suspected.max(self.cancelled).max(self.cancellation_confirmed)
    }

    /// Cancelled, and how certainly, if no newer observation has taken it back.
    fn standing_cancellation(&self) -> Option<(FlightState, Option<Cancellation>)> {
        let reinstated = self.scheduled.max(self.delayed).max(self.out);
        let by_certainty = [
            (self.cancellation_confirmed, Some(Cancellation::Confirmed)),
            (self.cancelled, None),
            (self.cancellation_suspected, Some(Cancellation::Suspected)),
        ];
        let mut standing = by_certainty.into_iter().filter(|(seen, _)| seen.is_some() && *seen >= reinstated);
        standing.next().map(|(_, certainty)| (FlightState::Cancelled, certainty))
    }
}

/// Whether nobody who flies could tell the two apart: the same state, certainty, diversion, and times that count.
#[must_use]
pub fn same_to_people(before: &FlightStatus, after: &FlightStatus) -> bool {
    let slots = |status: &FlightStatus| {
        let times = status.times;
        [times.out, times.off, times.on, times.in_].map(|slot| (slot.best(), slot.scheduled))
    };
    before.state == after.state
        && before.cancellation == after.cancellation
        && before.diverted_to == after.diverted_to
        && slots(before) == slots(after)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
