//! Where somebody is: the flights that were flown, and what they leave of a day.

use chrono_tz::Tz;

use crate::simulate::interval::{Interval, hours_of};
use crate::simulate::numbers::JourneysNumbers;
use crate::units::{Span, UtcMillis};

/// A flight as it was flown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flown {
    /// Doors closed, take-off, landing, doors open; where the flight was diverted, the arrival over land.
    pub out: UtcMillis,
    pub off: UtcMillis,
    pub on: UtcMillis,
    pub arrived: UtcMillis,
    /// The clock on the wall where it goes.
    pub zone: Tz,
}

/// There and back, as it came to pass.
#[derive(Clone, Debug, Default)]
pub struct Journey {
    /// By place in the family: who goes.
    pub travels: Vec<bool>,
    /// By place in the family: w, how much of their sleep follows the clock on the wall.
    pub wall: Vec<f64>,
    pub flown: Vec<Flown>,
}

/// One person's view of the family's journeys.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts<'a> {
    pub home: Tz,
    pub journeys: &'a [Journey],
    pub member: usize,
    pub numbers: &'a JourneysNumbers,
}

impl<'a> Whereabouts<'a> {
    fn flights(self) -> impl Iterator<Item = (&'a Flown, f64)> {
        let mine = self.journeys.iter().filter(move |journey| journey.travels.get(self.member) == Some(&true));
        mine.flat_map(move |journey| {
            let wall = journey.wall.get(self.member).copied().unwrap_or(1.0);
            journey.flown.iter().map(move |flown| (flown, wall))
        })
    }

    fn latest(self, at: UtcMillis) -> Option<(&'a Flown, f64)> {
        self.flights().filter(|(flown, _)| flown.out <= at).max_by_key(|(flown, _)| flown.out)
    }

    /// The clock that somebody lives by: from the closing of the doors, that of where they are going.
    pub fn zone_at(self, at: UtcMillis) -> Tz {
        self.latest(at).map_or(self.home, |(flown, _)| flown.zone)
    }

    pub fn is_aboard(self, at: UtcMillis) -> bool {
        self.latest(at).is_some_and(|(flown, _)| at < flown.arrived)
    }

    /// w, while a flight of the last weeks still tells.
    pub fn between_clocks(self, at: UtcMillis) -> Option<f64> {
        let (flown, wall) = self.latest(at)?;
        (at - flown.arrived < hours_of(24.0 * self.numbers.between_clocks)).then_some(wall)
    }

    /// When nobody sleeps: at airports, at take-off and landing.
    pub fn busy(self, within: Interval) -> Vec<Interval> {
        let airport = hours_of(self.numbers.airport);
        let leaving = hours_of(self.numbers.leaving);
        let belts = hours_of(self.numbers.belts);
        let all = self.flights().flat_map(|(flown, _)| {
            [
                Interval::new(flown.out - airport, flown.off + belts),
                Interval::new(flown.on - belts, flown.arrived + leaving),
            ]
        });
        all.filter(|busy| busy.overlaps(within)).collect()
    }

    /// From the way to the airport to the way from it: no time for a walk.
    pub fn under_way(self, within: Interval) -> Vec<Interval> {
        let airport = hours_of(self.numbers.airport);
        let leaving = hours_of(self.numbers.leaving);
        let all = self.flights().map(|(flown, _)| Interval::new(flown.out - airport, flown.arrived + leaving));
        all.filter(|way| way.overlaps(within)).collect()
    }

    /// Time aboard in which one can sleep.
    pub fn cruises(self, within: Interval) -> Vec<Interval> {
        let belts = hours_of(self.numbers.belts);
        let all = self.flights().map(|(flown, _)| Interval::new(flown.off + belts, flown.on - belts).common(within));
        all.filter(|cruise| cruise.length() > Span::ZERO).collect()
    }
}
