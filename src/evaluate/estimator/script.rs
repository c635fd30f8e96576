//! What happens in a life: how long it is, flights, and the parts of it that are not usual.

use crate::units::{Hours, Span, UtcMillis};

pub const DAY: Span = Span::days(1);

/// Eastward flights leave in the evening, westward ones at noon.
const EAST_TAKEOFF: Span = Span::hours(18);
const WEST_TAKEOFF: Span = Span::hours(12);

/// A flight's length: so much, and so much an hour of shift. London to Tokyo takes 12 h, New York to London 7 h.
const FLIGHT_BASE: f64 = 2.0;
const FLIGHT_PER_HOUR: f64 = 0.8;

/// Who works at night sleeps so many hours later than usual.
const SLEEPS_LATER_AFTER_NIGHTS: f64 = 9.0;

/// A flight, with the clock on the wall that changes as it takes off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flight {
    pub takeoff: UtcMillis,
    pub landing: UtcMillis,
    /// East is positive.
    pub shift: Hours,
}

impl Flight {
    /// On a day counted by the wall's clock, which is `offset` ahead of home.
    #[must_use]
    pub fn on(day: i64, shift: Hours, offset: Hours) -> Flight {
        let of_day = if shift.0 > 0.0 { EAST_TAKEOFF } else { WEST_TAKEOFF };
        let takeoff = UtcMillis(0) + Span::days(day) + of_day - Span::from_hours(offset);
        let length = Span::from_hours(Hours(FLIGHT_BASE + FLIGHT_PER_HOUR * shift.0.abs()));
        Flight { takeoff, landing: (takeoff + length).round_to(crate::circadian::BIN), shift }
    }
}

/// A part of a life that is not usual, from a day's noon until another's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chapter {
    pub from_day: i64,
    pub until_day: i64,
    pub what: Unusual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unusual {
    /// Nights lie so much later.
    Later(Hours),
    /// A plan moves nights by so much a day.
    Plan(Hours),
    /// Somebody small wakes up.
    BrokenNights,
    /// Works at night and sleeps by day.
    NightWork,
}

/// What happens in a life, the same for every traveller.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Chooses the random numbers: another one, another life of the same person.
    pub number: u32,
    pub days: i64,
    pub flights: Vec<Flight>,
    pub chapters: Vec<Chapter>,
    /// Whether the traveller ever told of usual days and where home is.
    pub has_profile: bool,
}

impl Script {
    #[must_use]
    pub fn settled(days: i64) -> Script {
        Script { number: 1, days, flights: Vec::new(), chapters: Vec::new(), has_profile: true }
    }

    /// How far the clock on the wall is ahead of home.
    #[must_use]
    pub fn offset(&self, at: UtcMillis) -> Hours {
        Hours(self.flights.iter().filter(|flight| flight.takeoff <= at).map(|flight| flight.shift.0).sum())
    }

    /// The chapters that hold for the night around the midnight that ends `day`.
    fn chapters_on(&self, day: i64) -> impl Iterator<Item = &Chapter> {
        self.chapters.iter().filter(move |chapter| chapter.from_day <= day && day < chapter.until_day)
    }

    #[must_use]
    pub fn is_on(&self, day: i64, what: Unusual) -> bool {
        self.chapters_on(day).any(|chapter| chapter.what == what)
    }

    /// By how much later nights lie than the habit, on a day.
    #[must_use]
    pub fn nights_later(&self, day: i64) -> Hours {
        let later = |chapter: &Chapter| match chapter.what {
            Unusual::Later(by) => by.0,
            Unusual::Plan(by) => by.0 * (day - chapter.from_day + 1) as f64,
            Unusual::NightWork => SLEEPS_LATER_AFTER_NIGHTS,
            Unusual::BrokenNights => 0.0,
        };
        Hours(self.chapters_on(day).map(later).sum())
    }
}
