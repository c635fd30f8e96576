//! What a traveller tells: the only thing that any column sees of a life.

use super::script::Flight;
use crate::circadian::filter::{LightBin, LightSource};
use crate::circadian::{BIN, LightModel, Place};
use crate::traveller::habit::UsualDay;
use crate::units::{Hours, Lux, Span, UtcMillis};

/// A sleep this far outside the usual night still tells how that night went (`traveller::light`).
const NIGHT_SLACK: Span = Span::hours(3);

/// Whose night's middle lies further than this from the usual one's was up all through the usual night (`traveller::light`).
const ANOTHER_TIME: Span = Span::hours(6);

/// The light of somebody of whom it is not known which hours are day (`traveller::light`).
const HOUR_OF_NO_HOUR: Hours = Hours(20.0);

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

/// The records of one life, in order of time. Home's clock is UTC.
#[derive(Clone, Debug)]
pub struct Told {
    /// The usual night, as it was told once.
    pub day: UsualDay,
    /// Whether it was told at all: if not, it is the one that is assumed of strangers.
    pub has_profile: bool,
    /// By how much the clock on the wall at home is thought to be ahead of what it is; 0 for people with a profile.
    pub zone_error: Hours,
    /// Known from the beginning.
    pub flights: Vec<Flight>,
    pub sleeps: Vec<Sleep>,
    /// By quarter hours from 0: reported, or imputed where nothing was.
    pub light: Vec<LightBin>,
}

impl Told {
    #[must_use]
    pub fn new(day: UsualDay, flights: Vec<Flight>) -> Told {
        let (has_profile, zone_error) = (true, Hours(0.0));
        Told { day, has_profile, zone_error, flights, sleeps: Vec::new(), light: Vec::new() }
    }

    /// Of somebody who never said anything of themselves, and lives in another zone than is thought.
    #[must_use]
    pub fn by_stranger(assumed: UsualDay, zone_error: Hours) -> Told {
        Told { has_profile: false, zone_error, ..Told::new(assumed, Vec::new()) }
    }

    /// Takes in a quarter hour as it was lived: what is not reported is what is usual there at that hour.
    pub(super) fn tell_light(&mut self, at: UtcMillis, lived: Lux, source: LightSource, model: &LightModel) {
        let light = if source == LightSource::Imputed { self.imputed(at, model) } else { lived };
        self.light.push(LightBin { light, source });
    }

    /// The light of a quarter hour, as it is known at `now`, of somebody who is thought to live the usual day so much later than
    /// the clock on the wall says: told, or what is usual then.
    pub(super) fn light_lived_later(
        &self,
        bin: UtcMillis,
        later: Option<Span>,
        now: UtcMillis,
        model: &LightModel,
    ) -> LightBin {
        let told = self.light.get(((bin - UtcMillis(0)).0 / BIN.0) as usize).filter(|_| bin < now);
        let is_slept = || self.known_sleeps(now).any(|sleep| sleep.start < bin + BIN && bin < sleep.end);
        match told {
            Some(told) if told.source == LightSource::Context => return *told,
            Some(told) if told.source == LightSource::Asleep && is_slept() => return *told,
            _ => {}
        }
        let Some(later) = later else {
            return LightBin { light: model.imputed(HOUR_OF_NO_HOUR, Place::Home), source: LightSource::Imputed };
        };
        let hour = self.hour(bin - later);
        let minute = libm::round(hour.0 * 60.0) as i32;
        if self.day.is_night(minute) {
            let bedtime = bin - self.day.since_bedtime(minute);
            let (from, until) = (bedtime - NIGHT_SLACK, bedtime + self.day.night_length() + NIGHT_SLACK);
            if !self.known_sleeps(now).any(|sleep| sleep.start < until && sleep.end > from) {
                return LightBin { light: model.asleep(), source: LightSource::Asleep };
            }
        }
        LightBin { light: model.imputed(hour, Place::Home), source: LightSource::Imputed }
    }

    /// Where no sleep was logged about a usual night, that night counts as slept, as the service counts it.
    pub(super) fn assume_usual_nights(&mut self, model: &LightModel) {
        for index in 0..self.light.len() {
            let at = UtcMillis(0) + Span(index as i64 * BIN.0);
            let minute = libm::round(self.hour(at).0 * 60.0) as i32;
            if self.light[index].source == LightSource::Imputed && !self.is_aboard(at) && self.day.is_night(minute) {
                let bedtime = at - self.day.since_bedtime(minute);
                let from = bedtime - NIGHT_SLACK;
                let until = bedtime + self.day.night_length() + NIGHT_SLACK;
                let of_the_night = self.sleeps.iter().filter(|sleep| sleep.start < until && sleep.end > from);
                match of_the_night.max_by_key(|sleep| sleep.end - sleep.start) {
                    None => self.light[index] = LightBin { light: model.asleep(), source: LightSource::Asleep },
                    Some(slept) => {
                        let usual = bedtime + Span(self.day.night_length().0 / 2);
                        if (slept.middle() - usual).abs() > ANOTHER_TIME {
                            self.light[index].light = model.up_all_night();
                        }
                    }
                }
            }
        }
    }

    fn is_aboard(&self, at: UtcMillis) -> bool {
        self.flights.iter().any(|flight| flight.takeoff <= at && at < flight.landing)
    }

    fn imputed(&self, at: UtcMillis, model: &LightModel) -> Lux {
        model.imputed(self.hour(at), if self.is_aboard(at) { Place::Cabin } else { Place::Home })
    }

    /// What the clock on the wall is thought to show.
    fn hour(&self, at: UtcMillis) -> Hours {
        ((at - UtcMillis(0)).as_hours() + self.offset(at)).wrap_24()
    }

    /// How far the clock on the wall is thought to be ahead of UTC.
    #[must_use]
    pub fn offset(&self, at: UtcMillis) -> Hours {
        let flown: f64 = self.flights.iter().filter(|flight| flight.takeoff <= at).map(|flight| flight.shift.0).sum();
        self.zone_error + Hours(flown)
    }

    /// How much later than usual a time is, on the clock on the wall.
    #[must_use]
    pub fn from_habit(&self, middle: UtcMillis) -> Hours {
        ((middle - UtcMillis(0)).as_hours() + self.offset(middle) - self.day.mid_sleep()).wrap_12()
    }

    /// Sleeps that are over at a time.
    #[must_use]
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
        if !self.is_aboard(bin) && self.day.is_night(libm::round(self.hour(bin).0 * 60.0) as i32) {
            return LightBin { light: model.asleep(), source: LightSource::Asleep };
        }
        LightBin { light: self.imputed(bin, model), source: LightSource::Imputed }
    }
}
