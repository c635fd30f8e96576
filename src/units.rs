//! Quantities that cross module borders: none of them is a bare number.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, UTC.
///
/// Kafka's own resolution; integer, so that comparing and adding never rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

/// A length of time in whole milliseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    pub const ZERO: Span = Span(0);

    #[must_use]
    pub const fn seconds(seconds: i64) -> Span {
        Span(seconds * 1_000)
    }

    #[must_use]
    pub const fn minutes(minutes: i64) -> Span {
        Span(minutes * 60_000)
    }

    #[must_use]
    pub const fn hours(hours: i64) -> Span {
        Span(hours * 3_600_000)
    }

    #[must_use]
    pub const fn days(days: i64) -> Span {
        Span(days * 86_400_000)
    }

    /// Rounded to the millisecond.
    #[must_use]
    pub fn from_hours(hours: Hours) -> Span {
        Span(libm::round(hours.0 * 3_600_000.0) as i64)
    }

    #[must_use]
    pub fn as_hours(self) -> Hours {
        Hours(self.0 as f64 / 3_600_000.0)
    }

    /// Whole minutes, rounded to the nearest.
    #[must_use]
    pub fn as_minutes(self) -> i64 {
        (self.0 + 30_000).div_euclid(60_000)
    }

    #[must_use]
    pub const fn abs(self) -> Span {
        Span(self.0.abs())
    }
}

impl UtcMillis {
    pub const MIN: UtcMillis = UtcMillis(i64::MIN);
    pub const MAX: UtcMillis = UtcMillis(i64::MAX);

    /// The largest multiple of `step` (counted from the epoch) that is not after this time.
    #[must_use]
    pub fn floor_to(self, step: Span) -> UtcMillis {
        UtcMillis(self.0.div_euclid(step.0) * step.0)
    }

    /// The smallest multiple of `step` (counted from the epoch) that is not before this time.
    #[must_use]
    pub fn ceil_to(self, step: Span) -> UtcMillis {
        UtcMillis(-(-self.0).div_euclid(step.0) * step.0)
    }

    /// The multiple of `step` (counted from the epoch) nearest to this time; halves go up.
    #[must_use]
    pub fn round_to(self, step: Span) -> UtcMillis {
        UtcMillis(self.0 + step.0 / 2).floor_to(step)
    }

    /// As a calendar time; times outside chrono's range (±262,000 years) are clamped.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// RFC 3339 in UTC with `Z`; with milliseconds only where there are any.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let format = if self.0.rem_euclid(1_000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        self.to_datetime().to_rfc3339_opts(format, true)
    }
}

impl From<DateTime<Utc>> for UtcMillis {
    fn from(time: DateTime<Utc>) -> Self {
        UtcMillis(time.timestamp_millis())
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Add<Span> for UtcMillis {
    type Output = UtcMillis;
    fn add(self, span: Span) -> UtcMillis {
        UtcMillis(self.0 + span.0)
    }
}

impl AddAssign<Span> for UtcMillis {
    fn add_assign(&mut self, span: Span) {
        self.0 += span.0;
    }
}

impl Sub<Span> for UtcMillis {
    type Output = UtcMillis;
    fn sub(self, span: Span) -> UtcMillis {
        UtcMillis(self.0 - span.0)
    }
}

impl Sub for UtcMillis {
    type Output = Span;
    fn sub(self, other: UtcMillis) -> Span {
        Span(self.0 - other.0)
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0 + other.0)
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0 - other.0)
    }
}

impl Neg for Span {
    type Output = Span;
    fn neg(self) -> Span {
        Span(-self.0)
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl Add for $name {
            type Output = $name;
            fn add(self, other: $name) -> $name {
                $name(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = $name;
            fn sub(self, other: $name) -> $name {
                $name(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = $name;
            fn neg(self) -> $name {
                $name(-self.0)
            }
        }
    };
}

quantity!(
    /// Hours, as a length of time or as an offset between clocks.
    Hours
);
quantity!(
    /// Photopic illuminance at the eye, lux.
    Lux
);
quantity!(
    /// An angle or a phase, radians.
    Radians
);

impl Hours {
    /// Wrapped into (−12, 12]: the shorter way round a 24 h clock.
    #[must_use]
    pub fn wrap_12(self) -> Hours {
        let wrapped = self.0 - 24.0 * libm::floor(self.0 / 24.0);
        Hours(if wrapped > 12.0 { wrapped - 24.0 } else { wrapped })
    }

    /// Wrapped into [0, 24): an hour of the day.
    #[must_use]
    pub fn wrap_24(self) -> Hours {
        let wrapped = self.0 - 24.0 * libm::floor(self.0 / 24.0);
        Hours(if wrapped >= 24.0 { 0.0 } else { wrapped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_wrap_the_shorter_way_round() {
        assert_eq!(Hours(13.0).wrap_12(), Hours(-11.0));
        assert_eq!(Hours(-12.0).wrap_12(), Hours(12.0));
        assert_eq!(Hours(12.0).wrap_12(), Hours(12.0));
        assert_eq!(Hours(-0.5).wrap_24(), Hours(23.5));
        assert_eq!(Hours(24.0).wrap_24(), Hours(0.0));
    }

    #[test]
    fn rounding_to_a_grid_works_before_the_epoch_too() {
        let step = Span::minutes(15);
        assert_eq!(UtcMillis(-1).floor_to(step), UtcMillis(-900_000));
        assert_eq!(UtcMillis(1).ceil_to(step), UtcMillis(900_000));
        assert_eq!(UtcMillis(0).ceil_to(step), UtcMillis(0));
        assert_eq!(UtcMillis(450_000).round_to(step), UtcMillis(900_000));
    }
}
