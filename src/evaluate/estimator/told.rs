//! What a traveller tells: the only thing that any column sees of a life.

use super::script::Flight;
use crate::circadian::filter::{LightBin, LightSource};
use crate::circadian::{BIN, LightModel, Place};
use crate::traveller::habit::UsualDay;
use crate::units::{Hours, Span, UtcMillis};

/// A main sleep as it is logged when its sleeper gets up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sleep {
    pub start: UtcMillis,
    pub end: UtcMillis,
}

impl Sleep {
    #[must_use]
    pub fn middle(&self) -> UtcMillis {
        self.start + Span((self.end - self.start).0 / 2)
    }
}

/// The records of one life, in order of time; home's clock is UTC.
#[derive(Clone, Debug)]
pub struct Told {
    /// The usual night, as it was told once.
    pub day: UsualDay,
    /// Known from the beginning.
    pub flights: Vec<Flight>,
    pub sleeps: Vec<Sleep>,
    /// By quarter hours from 0: reported, or imputed where nothing was.
    pub light: Vec<LightBin>,
}

impl Told {
    #[must_use]
    pub fn new(day: UsualDay, flights: Vec<Flight>) -> Told {
        Told { day, flights, sleeps: Vec::new(), light: Vec::new() }
    }

    /// How far the clock on the wall is ahead of home.
    #[must_use]
    pub fn offset(&self, at: UtcMillis) -> Hours {
        Hours(self.flights.iter().filter(|flight| flight.takeoff <= at).map(|flight| flight.shift.0).sum())
    }

    /// How much later than usual a time is, on the clock on the wall.
    #[must_use]
    pub fn from_habit(&self, middle: UtcMillis) -> Hours {
        ((middle - UtcMillis(0)).as_hours() + self.offset(middle) - self.day.mid_sleep()).wrap_12()
    }

    /// Sleeps that are over at a time.
    pub fn known_sleeps(&self, at: UtcMillis) -> impl DoubleEndedIterator<Item = &Sleep> {
        let known = self.sleeps.partition_point(|sleep| sleep.end <= at);
        self.sleeps[..known].iter()
    }

    /// The light of a quarter hour, as it is known at `now`: told before, after it what is usual on the wall's clock.
    #[must_use]
    pub fn light_at(&self, bin: UtcMillis, now: UtcMillis, model: &LightModel) -> LightBin {
        if bin < now
            && let Some(told) = self.light.get(((bin - UtcMillis(0)).0 / BIN.0) as usize)
        {
            return *told;
        }
        let hour = ((bin - UtcMillis(0)).as_hours() + self.offset(bin)).wrap_24();
        if self.flights.iter().any(|flight| flight.takeoff <= bin && bin < flight.landing) {
            return LightBin { light: model.imputed(hour, Place::Cabin), source: LightSource::Imputed };
        }
        if self.day.is_night(libm::round(hour.0 * 60.0) as i32) {
            return LightBin { light: model.asleep(), source: LightSource::Asleep };
        }
        LightBin { light: model.imputed(hour, Place::Home), source: LightSource::Imputed }
    }
}
