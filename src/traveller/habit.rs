//! The usual day: when somebody sleeps, naps and is awake by the local clock, at home.

use crate::circadian::entrain::BINS_PER_DAY;
use crate::circadian::{BIN, LightModel, Place};
use crate::event::activity::UsualNap;
use crate::units::{Hours, Lux, Span};

pub const MINUTES_PER_DAY: i32 = 1_440;

/// Minutes of a light bin.
const BIN_MINUTES: i32 = (BIN.0 / 60_000) as i32;

/// A usual day in local minutes, with its quarter hours of sleep as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualDay {
    pub bedtime: u16,
    pub wake: u16,
    night: u128,
    naps: u128,
}

impl UsualDay {
    #[must_use]
    pub fn new(bedtime: u16, wake: u16, naps: &[UsualNap]) -> UsualDay {
        let mut day = UsualDay { bedtime, wake, night: 0, naps: 0 };
        day.night = quarters(i32::from(bedtime), day.night_minutes());
        for nap in naps {
            day.naps |= quarters(i32::from(nap.start), i32::from(nap.minutes).min(MINUTES_PER_DAY));
        }
        day
    }

    /// From bedtime to wake-up; equal times are a night of no length.
    #[must_use]
    pub fn night_minutes(&self) -> i32 {
        (i32::from(self.wake) - i32::from(self.bedtime)).rem_euclid(MINUTES_PER_DAY)
    }

    #[must_use]
    pub fn night_length(&self) -> Span {
        Span::minutes(i64::from(self.night_minutes()))
    }

    #[must_use]
    pub fn wake_hour(&self) -> Hours {
        Hours(f64::from(self.wake) / 60.0)
    }

    #[must_use]
    pub fn awake_hours(&self) -> Hours {
        Hours(f64::from(MINUTES_PER_DAY - self.night_minutes()) / 60.0)
    }

    /// The local hour in the middle of the night's sleep, in [0, 24).
    #[must_use]
    pub fn mid_sleep(&self) -> Hours {
        Hours((f64::from(self.bedtime) + f64::from(self.night_minutes()) / 2.0) / 60.0).wrap_24()
    }

    #[must_use]
    pub fn is_night(&self, local_minute: i32) -> bool {
        self.night >> quarter(local_minute) & 1 == 1
    }

    #[must_use]
    pub fn is_nap(&self, local_minute: i32) -> bool {
        self.naps >> quarter(local_minute) & 1 == 1
    }

    /// How long ago, at a local minute inside the night, bedtime was.
    #[must_use]
    pub fn since_bedtime(&self, local_minute: i32) -> Span {
        Span::minutes(i64::from((local_minute - i32::from(self.bedtime)).rem_euclid(MINUTES_PER_DAY)))
    }

    /// Light by quarter hours from local midnight on a day on which all goes as usual.
    #[must_use]
    pub fn light(&self, model: &LightModel) -> [Lux; BINS_PER_DAY] {
        std::array::from_fn(|bin| {
            let minute = bin as i32 * BIN_MINUTES;
            if self.is_night(minute) || self.is_nap(minute) {
                model.asleep()
            } else {
                model.imputed(Hours(f64::from(minute) / 60.0), Place::Home)
            }
        })
    }
}

/// Minute 1,440 is the next day's first.
fn quarter(local_minute: i32) -> u32 {
    (local_minute.rem_euclid(MINUTES_PER_DAY) / BIN_MINUTES).cast_unsigned()
}

/// The quarter hours of which an interval covers at least half.
fn quarters(start: i32, minutes: i32) -> u128 {
    let half = BIN_MINUTES / 2;
    let first = (start + half).div_euclid(BIN_MINUTES);
    let last = (start + minutes + half).div_euclid(BIN_MINUTES);
    (first..last).fold(0, |bits, index| bits | 1 << quarter(index * BIN_MINUTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_over_midnight_has_its_middle_after_it() {
        let day = UsualDay::new(1_380, 420, &[]);
        assert_eq!(day.mid_sleep(), Hours(3.0));
        assert!(day.is_night(1_439) && day.is_night(0) && day.is_night(419));
        assert!(!day.is_night(420) && !day.is_night(1_379));
        assert_eq!(day.since_bedtime(30), Span::minutes(90));
    }

    #[test]
    fn naps_are_dark_and_the_rest_of_the_day_is_not() {
        let day = UsualDay::new(1_170, 420, &[UsualNap { start: 750, minutes: 90 }]);
        let light = day.light(&LightModel::embedded());
        assert_eq!(light[0], Lux(0.0));
        assert_eq!(light[750 / 15], Lux(0.0));
        assert!(light[840 / 15].0 > 0.0 && light[745 / 15].0 > 0.0);
    }

    #[test]
    fn odd_minutes_go_to_the_quarter_that_they_fill() {
        let day = UsualDay::new(1_383, 424, &[]);
        assert!(day.is_night(1_380) && !day.is_night(425));
    }

    #[test]
    fn bedtime_equal_to_wake_is_no_night() {
        let day = UsualDay::new(420, 420, &[]);
        assert!((0..1_440).all(|minute| !day.is_night(minute)));
    }
}
