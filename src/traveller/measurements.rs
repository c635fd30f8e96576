//! What laboratories measured of somebody's clock, and which nights it is taken against.
//!
//! A marker says at what hour the clock stood. What it says of the person, and what lasts, is the angle to their sleep: to
//! the nights around it where they were told, to the habit otherwise. Which nights those were is decided for good where
//! none can come in any more and all are still kept.

use serde::{Deserialize, Serialize};

use crate::circadian::filter::{FilterNumbers, Happening, TestResult};
use crate::flight::zones;
use crate::planner::Place;
use crate::rare::Rare;
use crate::traveller::clock::{settled_until, stretch_at};
use crate::traveller::light::LightSources;
use crate::traveller::models::Models;
use crate::traveller::naps::sleeps_kept_from;
use crate::traveller::persona::Persona;
use crate::traveller::signs;
use crate::units::{Hours, Span, UtcMillis};

/// So many results are kept of one person; of more, those of the latest nights.
pub const MOST_KEPT: usize = 8;

/// Results of one night lie nearer to one another than this.
const ONE_NIGHT: Span = Span::hours(12);

/// Nights whose middles lie within this of a CBTmin are those around it: its own, two before and two after. No more, so
/// that none is forgotten before the last is known ([`sleeps_kept_from`]).
const AROUND: Span = Span::hours(54);

/// Fewer nights do not tell when somebody sleeps.
const ENOUGH_NIGHTS: usize = 3;

/// Whether a sleep is a main one hangs on sleeps that begin up to this long before its middle.
const SLEEP_REACHES: Span = Span::hours(24);

/// What the middle of some nights adds to a test's own error.
const MID_SLEEP_SD: f64 = 0.4;

/// A result may be told of this long before the CBTmin that follows from it.
const TOLD_BEFORE: Span = Span::hours(8);

/// Of nights that are not decided yet.
const OPEN: i16 = i16::MIN;

/// Of nights at another time of day than the habit: who works then has a clock on its way, and how it lies to such nights says
/// nothing of how it lies to others.
const ELSEWHERE: i16 = i16::MIN + 1;

/// A measured CBTmin (or DLMO, moved to it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    pub cbt_min: UtcMillis,
    /// CBTmin minus the middle of the nights around it, minutes, or [`OPEN`], or [`ELSEWHERE`].
    delta_minutes: i16,
    pub sd_minutes: u16,
    /// The lowest bit: whether it was on a journey or soon after. The others: seconds from [`TOLD_BEFORE`] before CBTmin to
    /// the stamp of the record that said so. States of before there was a stamp have the bit alone.
    told: u32,
}

impl Measurement {
    /// `displaced`: on a journey or in the weeks after one, where it says nothing of how this person's clock lies to their
    /// usual sleep, but where the clock was just then.
    #[must_use]
    pub fn new(cbt_min: UtcMillis, sd: Span, displaced: bool, stamp: UtcMillis) -> Measurement {
        let seconds = (stamp - (cbt_min - TOLD_BEFORE)).0 / 1_000;
        Measurement {
            cbt_min,
            delta_minutes: OPEN,
            sd_minutes: sd.as_minutes().clamp(1, 720) as u16,
            told: (seconds.clamp(0, i64::from(u32::MAX >> 1)) as u32) << 1 | u32::from(displaced),
        }
    }

    #[must_use]
    pub fn displaced(&self) -> bool {
        self.told & 1 == 1
    }

    /// Of two of one night the one said last stands.
    fn beats(&self, other: &Measurement) -> bool {
        let rank = |one: &Measurement| {
            let stamp = one.cbt_min - TOLD_BEFORE + Span(i64::from(one.told >> 1) * 1_000);
            (stamp, one.cbt_min, one.sd_minutes, one.told)
        };
        rank(self) > rank(other)
    }

    /// What it says of δ at a time: as sure as the test and the nights allow, and less for what δ may have changed since,
    /// which in the end is as much as it differs between people. `None` where its nights lay at another time of day.
    #[must_use]
    pub fn result_at(
        &self,
        at: UtcMillis,
        numbers: &FilterNumbers,
        between_people: Hours,
        nights: &Nights<'_>,
    ) -> Option<TestResult> {
        let own = f64::from(self.sd_minutes) / 60.0;
        let days = (at - self.cbt_min).as_hours().0.max(0.0) / 24.0;
        let changed = 1.0 - libm::exp(-2.0 * days / numbers.reversion_days);
        let minutes = if self.delta_minutes == OPEN { nights.minutes_after(self.cbt_min) } else { self.delta_minutes };
        (minutes != ELSEWHERE).then(|| TestResult {
            delta: Hours(f64::from(minutes) / 60.0),
            own_variance: own * own + MID_SLEEP_SD * MID_SLEEP_SD,
            changed_variance: changed * between_people.0 * between_people.0,
        })
    }

    fn is_open(&self) -> bool {
        self.delta_minutes == OPEN && !self.displaced()
    }

    /// Decides on the nights of one that came in after theirs were beyond change: those around it as far as they are surely
    /// still kept, else the last that are, which are nearer to a habit than what a profile said once.
    #[must_use]
    pub fn decided_late(mut self, nights: &Nights<'_>, now: UtcMillis) -> Measurement {
        let settled = settled_until(now);
        if self.is_open() && self.cbt_min + AROUND <= settled {
            let kept_from = sleeps_kept_from(now) + SLEEP_REACHES;
            let around = nights.off_habit((self.cbt_min - AROUND).max(kept_from), self.cbt_min + AROUND);
            let off_habit = around.or_else(|| nights.off_habit(kept_from, settled));
            self.delta_minutes = nights.minutes_against(self.cbt_min, off_habit);
        }
        self
    }
}

/// Takes a result in among others, by time. One of the same instant is another version of the same test.
pub fn note(measurements: &mut Vec<Measurement>, measurement: Measurement) {
    match measurements.binary_search_by_key(&measurement.cbt_min, |one| one.cbt_min) {
        Ok(place) => {
            let known = &mut measurements[place];
            if measurement.beats(known) {
                let decided = known.delta_minutes;
                *known = measurement;
                if decided != OPEN {
                    known.delta_minutes = decided;
                }
            }
        }
        Err(place) => {
            measurements.insert(place, measurement);
            if measurements.len() > MOST_KEPT {
                measurements.remove(0);
            }
        }
    }
}

/// Those that count: of the results of one night, whichever marker they are of, the one said last. Does not depend on the
/// order in which they came in.
pub fn standing(measurements: &[Measurement]) -> impl Iterator<Item = &Measurement> {
    let is_replaced = |one: &Measurement| {
        let same_night = |other: &&Measurement| (other.cbt_min - one.cbt_min).abs() < ONE_NIGHT;
        measurements.iter().filter(same_night).any(|other| other.beats(one))
    };
    measurements.iter().filter(move |one| !is_replaced(one))
}

/// Decides on the nights of the results whose are all known at `until`; `None` where that changes nothing.
#[must_use]
pub fn decided(measurements: &[Measurement], nights: &Nights<'_>, until: UtcMillis) -> Option<Rare<Measurement>> {
    let is_due = |one: &Measurement| one.is_open() && one.cbt_min <= until - AROUND;
    measurements.iter().any(is_due).then(|| {
        let decide = |one: &Measurement| {
            let delta_minutes = if is_due(one) { nights.minutes_after(one.cbt_min) } else { one.delta_minutes };
            Measurement { delta_minutes, ..*one }
        };
        measurements.iter().map(decide).collect()
    })
}

/// So many nights at another time of day are no accident.
const NIGHTS_ELSEWHERE: usize = 2;

/// Where nights around a result lay.
#[derive(Clone, Copy, Debug)]
enum Around {
    /// So much later than the habit, as their median.
    OffHabit(Hours),
    /// Some of them at another time of day.
    Elsewhere,
}

/// What is known of somebody's nights.
#[derive(Clone, Copy, Debug)]
pub struct Nights<'a> {
    pub models: &'a Models,
    pub persona: &'a Persona<'a>,
    pub sources: &'a LightSources<'a>,
}

impl Nights<'_> {
    /// How long after the middle of the nights around it a CBTmin comes, minutes; or [`ELSEWHERE`].
    fn minutes_after(&self, cbt_min: UtcMillis) -> i16 {
        self.minutes_against(cbt_min, self.off_habit(cbt_min - AROUND, cbt_min + AROUND))
    }

    fn minutes_against(&self, cbt_min: UtcMillis, off_habit: Option<Around>) -> i16 {
        let off_habit = match off_habit {
            Some(Around::Elsewhere) => return ELSEWHERE,
            Some(Around::OffHabit(by)) => by,
            None => Hours(0.0),
        };
        let middle = self.persona.day.mid_sleep() + off_habit;
        let delta = (zones::hour_of_day(self.persona.home, cbt_min) - middle).wrap_12();
        libm::round(delta.0 * 60.0) as i16
    }

    /// How much later than the habit the nights at home with their middle in [`from`, `until`) lie, as their median; `None`
    /// where too few were told. Nights that a plan moved are not of them.
    fn off_habit(&self, from: UtcMillis, until: UtcMillis) -> Option<Around> {
        let Nights { models, persona, sources } = self;
        let planned_before = models.people.journey.planned_before;
        let happened = signs::happenings(&models.filter.numbers, persona, sources, planned_before, from, until);
        let is_home = |at| matches!(stretch_at(sources.whereabouts, at).place, Place::Home);
        let mut nights: Vec<f64> = happened
            .iter()
            .filter_map(|happening| match happening {
                Happening::Sleep(sleep) if !sleep.planned && is_home(sleep.middle) => Some(sleep.from_habit.0),
                _ => None,
            })
            .collect();
        if nights.len() < ENOUGH_NIGHTS {
            return None;
        }
        let another_time = models.filter.numbers.another_time.0;
        if nights.iter().filter(|night| night.abs() > another_time).count() >= NIGHTS_ELSEWHERE {
            return Some(Around::Elsewhere);
        }
        // Twelve hours off on either side is the same time of day.
        let first = nights[0];
        for night in &mut nights {
            *night = first + Hours(*night - first).wrap_12().0;
        }
        nights.sort_by(f64::total_cmp);
        let upper = nights.len() / 2;
        let lower = (nights.len() - 1) / 2;
        Some(Around::OffHabit(Hours(0.5 * (nights[lower] + nights[upper]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT: UtcMillis = UtcMillis(1_772_366_400_000);

    fn told(hours: i64, sd: i64, stamp_hours: i64) -> Measurement {
        Measurement::new(NIGHT + Span::hours(hours), Span::minutes(sd), false, NIGHT + Span::hours(stamp_hours))
    }

    fn standing_of(results: &[Measurement]) -> Vec<Measurement> {
        let mut list = Vec::new();
        for result in results {
            note(&mut list, *result);
        }
        standing(&list).copied().collect()
    }

    #[test]
    fn of_the_results_of_one_night_the_one_said_last_counts_in_any_order() {
        // A test, the same with another error, its other marker, and the night after.
        let results = [told(0, 30, 9), told(0, 31, 10), told(2, 45, 8), told(24, 30, 33)];
        let wanted = vec![results[1], results[3]];
        assert_eq!(standing_of(&results), wanted);
        let mut turned = results;
        turned.reverse();
        assert_eq!(standing_of(&turned), wanted);
        turned.swap(0, 2);
        assert_eq!(standing_of(&turned), wanted);
    }

    #[test]
    fn ten_versions_of_a_test_do_not_crowd_out_the_nights_before() {
        let mut results = vec![told(-48, 30, -40), told(-24, 30, -16)];
        results.extend((0..10).map(|version| told(0, 30 + version, 9 + version)));
        let counted = standing_of(&results);
        assert_eq!(counted.len(), 3);
        assert_eq!(counted[2].sd_minutes, 39);
    }

    #[test]
    fn a_result_stored_before_there_were_stamps_is_read_as_it_was() {
        // As it was stored: CBTmin, minutes, SD, displaced.
        for displaced in [false, true] {
            let bytes = postcard::to_allocvec(&(NIGHT, 75_i16, 15_u16, displaced)).unwrap();
            let read: Measurement = postcard::from_bytes(&bytes).unwrap();
            assert_eq!((read.cbt_min, read.delta_minutes, read.sd_minutes), (NIGHT, 75, 15));
            assert_eq!(read.displaced(), displaced);
            assert!(told(0, 15, -7).beats(&read), "whatever is said now is said later");
        }
        assert_eq!(size_of::<Measurement>(), 16);
    }
}
