//! What a person should do until the body clock has arrived, and how to say it.
//!
//! Knows one person's situation as handed in; keeps nothing. The plan by rule that stands here is also the baseline
//! against which a searching planner is measured.

mod aboard;
mod aboard_nights;
mod actions;
pub mod ages;
pub mod difference;
mod evening;
mod expectation;
mod light;
mod naps;
mod news;
mod nights;
pub mod numbers;
mod phrases;
mod reader;
pub mod rule;
mod setting;
mod spans;
mod target;
pub mod wording;

#[cfg(test)]
mod aboard_tests;
#[cfg(test)]
mod difference_tests;
#[cfg(test)]
mod direction_tests;
#[cfg(test)]
mod evening_tests;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod wording_tests;

pub use difference::{Difference, Published, compare, is_repeated_by};
pub use news::{FlightTime, News, Nights, Step, StepTime};
pub use reader::{Reader, When};
pub use rule::make;
pub use setting::is_spoken_to;
pub use target::{Direction, Heading};
pub use wording::{HeadlineInput, headline};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::event::activity::{AgeBand, UsualNap};
use crate::event::flight::Iata;
use crate::event::recommendation::{Action, Expectation};
use crate::units::{Hours, UtcMillis};

/// Everything that the planner may know of somebody.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    pub now: UtcMillis,
    pub person: Person<'a>,
    /// `None` under three months of corrected age: no clock to shift.
    pub clock: Option<Clock>,
    /// Where the person is, without gaps, from before `now` to beyond the horizon; never empty. The last stretch has
    /// no end.
    pub whereabouts: &'a [Stretch],
    /// Set from a missed or short nap until the next main sleep.
    pub repair: Option<Repair>,
    /// A sleep that is going on.
    pub asleep_since: Option<UtcMillis>,
    /// The home clock is kept on this journey (short stay or small shift decided before departure).
    pub keep_home_time: bool,
    /// When the journey ahead became known. Sleep moves by the age's cap a night from then on, so that a trip entered
    /// the day before does not ask for three nights' worth at once. `None`: known for long.
    pub trip_known_at: Option<UtcMillis>,
    /// The way that the plan before this one took.
    pub heading: Option<Heading>,
}

#[derive(Clone, Debug)]
pub struct Person<'a> {
    pub user_id: &'a str,
    /// `None`: "your child" or "you".
    pub display_name: Option<&'a str>,
    pub band: AgeBand,
    /// Corrected age at `now`, months.
    pub age_months: f64,
    pub home_time_zone: Tz,
    /// Usual bedtime and wake-up, minutes after local midnight.
    pub bedtime: u16,
    pub wake: u16,
    /// Naps of a usual day in local clock time at home, from habit where there is one; empty for who does not nap.
    pub naps: &'a [UsualNap],
    /// Median wake window for the age (and learned), hours; `None` for who does not nap.
    pub wake_window: Option<Hours>,
    pub melatonin: bool,
    pub caffeine: bool,
    /// A condition in the profile forbids advice of bright light.
    pub no_bright_light: bool,
}

/// The body clock as estimated at `now`.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The next CBTmin after `now`.
    pub cbt_min: UtcMillis,
    pub sd: Hours,
    /// CBTmin minus mid-sleep when all is well (δ).
    pub delta: Hours,
}

/// A stretch of time in one place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    pub from: UtcMillis,
    /// `None`: for good, as far as is known.
    pub to: Option<UtcMillis>,
    /// Zone of the local clock; aboard, that of the destination.
    pub time_zone: Tz,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Home,
    Aboard {
        origin: Iata,
        destination: Iata,
    },
    /// At an airport or where the journey leads.
    Away {
        airport: Iata,
    },
}

/// What a missed or short nap leaves to repair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    pub kind: RepairKind,
    /// When the nap was expected.
    pub expected: UtcMillis,
    /// The last wake-up known at `now`: after the nap was noticed to be missing, once the child has slept since.
    pub awake_since: UtcMillis,
    /// When it was noticed.
    pub noticed: UtcMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepairKind {
    Missed,
    Short,
    /// Reported as skipped long before the next nap is due: that nap stays where it is, and takes the report back when it
    /// is slept. `expected` is the nap that is still to come.
    Early,
    /// Missed when it was due, and slept later: the night is the usual one again, and what follows today leaves time awake
    /// after it.
    Late,
}

/// The actions of the next three days, at most six a local day, in order of start; none over at `now`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub actions: Vec<Action>,
    /// `None` where no clock has to move.
    pub expect: Option<Expectation>,
    /// The way that the clock is taken, to be handed to the next plan; `None` where none was ever chosen for this place.
    pub heading: Option<Heading>,
}
