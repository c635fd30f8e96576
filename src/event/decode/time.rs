//! Times as producers write them.

use crate::event::wire::Scalar;
use crate::units::UtcMillis;

/// Times before 2000 or from 2200 on are mistakes, not facts.
pub const EARLIEST: UtcMillis = UtcMillis(946_684_800_000);
pub const TOO_LATE: UtcMillis = UtcMillis(7_258_118_400_000);

/// Why a value is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeProblem {
    NotATime,
    OutOfRange,
    /// A number that would be a reasonable time if it were milliseconds.
    Milliseconds,
}

impl TimeProblem {
    /// The end of the sentence "`field` must be …".
    #[must_use]
    pub const fn allowed(self) -> &'static str {
        match self {
            TimeProblem::NotATime => "an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z, or Unix seconds",
            TimeProblem::OutOfRange => "a time in the years 2000 to 2199",
            TimeProblem::Milliseconds => "Unix seconds: this number looks like milliseconds",
        }
    }
}

/// RFC 3339 with an offset, or Unix seconds as an integer or a fraction. Rounded to the millisecond.
pub(in crate::event) fn read(value: &Scalar<'_>) -> Result<UtcMillis, TimeProblem> {
    match value {
        Scalar::Text(text) => read_text(text.as_bytes()),
        Scalar::Integer(seconds) => read_whole(*seconds),
        Scalar::Number(seconds) => read_fraction(*seconds),
        Scalar::Large(_) => Err(TimeProblem::OutOfRange),
        Scalar::Flag(_) | Scalar::Composite => Err(TimeProblem::NotATime),
    }
}

pub(super) fn read_text(text: &[u8]) -> Result<UtcMillis, TimeProblem> {
    in_range(rfc3339_bytes(text).ok_or(TimeProblem::NotATime)?)
}

pub(super) fn read_whole(seconds: i64) -> Result<UtcMillis, TimeProblem> {
    match seconds.checked_mul(1_000) {
        Some(milliseconds) => in_range(UtcMillis(milliseconds)).map_err(|problem| unit_problem(seconds, problem)),
        None => Err(unit_problem(seconds, TimeProblem::OutOfRange)),
    }
}

pub(super) fn read_fraction(seconds: f64) -> Result<UtcMillis, TimeProblem> {
    let milliseconds = libm::round(seconds * 1_000.0);
    // Beyond ±2⁵³ the cast could saturate; such a number is no time in any unit.
    if milliseconds.abs() > 9e15 {
        return Err(TimeProblem::OutOfRange);
    }
    in_range(UtcMillis(milliseconds as i64)).map_err(|problem| unit_problem(seconds as i64, problem))
}

fn in_range(time: UtcMillis) -> Result<UtcMillis, TimeProblem> {
    if (EARLIEST..TOO_LATE).contains(&time) { Ok(time) } else { Err(TimeProblem::OutOfRange) }
}

#[cold]
fn unit_problem(number: i64, problem: TimeProblem) -> TimeProblem {
    if (EARLIEST.0..TOO_LATE.0).contains(&number) { TimeProblem::Milliseconds } else { problem }
}

/// RFC 3339: `2026-03-01T12:00:00.5+01:00`. By hand, because most of the time of decoding a sensor event would go
/// into a general parser.
#[must_use]
pub fn rfc3339(text: &str) -> Option<UtcMillis> {
    rfc3339_bytes(text.as_bytes())
}

fn rfc3339_bytes(bytes: &[u8]) -> Option<UtcMillis> {
    let (head, tail) = bytes.split_first_chunk::<19>()?;
    let punctuation = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b'T' | b't' | b' ')
        && head[13] == b':'
        && head[16] == b':';
    if !punctuation {
        return None;
    }
    let year = i64::from(two(head[0], head[1])?) * 100 + i64::from(two(head[2], head[3])?);
    let (month, day) = (two(head[5], head[6])?, two(head[8], head[9])?);
    let (hour, minute, second) = (two(head[11], head[12])?, two(head[14], head[15])?, two(head[17], head[18])?);
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction_ms, tail) = fraction(tail)?;
    let offset_minutes = offset(tail)?;
    let seconds = days_from_epoch(year, month, day) * 86_400
        + i64::from(hour) * 3_600
        + i64::from(minute) * 60
        + i64::from(second)
        - offset_minutes * 60;
    // A leap second ends a UTC day; it reads as the first second of the next.
    if second == 60 && seconds.rem_euclid(86_400) != 0 {
        return None;
    }
    Some(UtcMillis(seconds * 1_000 + fraction_ms))
}

/// Milliseconds of `.5`, `.123456`, or of nothing, and what follows.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = bytes.split_first() else { return Some((0, bytes)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let digit = |index: usize| digits[..count].get(index).map_or(0, |byte| i64::from(byte - b'0'));
    let rounded_up = i64::from(digit(3) >= 5);
    Some((digit(0) * 100 + digit(1) * 10 + digit(2) + rounded_up, &digits[count..]))
}

/// Minutes east of UTC of `Z` or `+01:00`.
fn offset(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let total = i64::from(hours) * 60 + i64::from(minutes);
            Some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

/// Minutes after midnight of `HH:MM`.
#[must_use]
pub fn clock(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    (hour < 24 && minute < 60).then(|| u16::from(hour) * 60 + u16::from(minute))
}

/// Year and month of `YYYY-MM`.
#[must_use]
pub fn month(text: &str) -> Option<(i16, u8)> {
    let &[y1, y2, y3, y4, b'-', m1, m2] = text.as_bytes() else { return None };
    let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
    let month = two(m1, m2)?;
    (1..=12).contains(&month).then_some((year, month))
}

/// A day that the calendar has, as `YYYY-MM-DD`.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let Some((year_month, [b'-', d1, d2])) = text.as_bytes().split_last_chunk::<3>() else { return false };
    let parts = std::str::from_utf8(year_month).ok().and_then(month).zip(two(*d1, *d2));
    parts.is_some_and(|((year, month), day)| (1..=days_in(i64::from(year), month)).contains(&day))
}

fn two(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

fn days_in(year: i64, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day comes
/// last.
fn days_from_epoch(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(value: f64) -> Result<UtcMillis, TimeProblem> {
        read(&Scalar::Number(value))
    }

    #[test]
    fn unix_seconds_keep_their_milliseconds() {
        assert_eq!(seconds(1_731_000_000.5), Ok(UtcMillis(1_731_000_000_500)));
        assert_eq!(seconds(1_731_000_000.123), Ok(UtcMillis(1_731_000_000_123)));
        assert_eq!(seconds(1_731_000_000.999_6), Ok(UtcMillis(1_731_000_001_000)));
        assert_eq!(read(&Scalar::Integer(1_731_000_000)), Ok(UtcMillis(1_731_000_000_000)));
    }

    #[test]
    fn numbers_that_are_no_seconds_are_refused() {
        assert_eq!(read(&Scalar::Integer(1_731_000_000_000)), Err(TimeProblem::Milliseconds));
        assert_eq!(seconds(1_731_000_000_000.5), Err(TimeProblem::Milliseconds));
        for number in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300, -1e300, 946_684_799.0] {
            assert!(seconds(number).is_err(), "{number}");
        }
        for number in [i64::MIN, i64::MAX, 0, 7_258_118_400] {
            assert_eq!(read(&Scalar::Integer(number)), Err(TimeProblem::OutOfRange), "{number}");
        }
        assert_eq!(read(&Scalar::Large(u64::MAX)), Err(TimeProblem::OutOfRange));
    }

    #[test]
    fn offsets_lead_to_utc() {
        let noon = Some(UtcMillis(1_772_366_400_000));
        assert_eq!(rfc3339("2026-03-01T12:00:00Z"), noon);
        assert_eq!(rfc3339("2026-03-01t12:00:00z"), noon);
        assert_eq!(rfc3339("2026-03-01 17:45:00+05:45"), noon);
        assert_eq!(rfc3339("2026-03-01T02:30:00-09:30"), noon);
        assert_eq!(rfc3339("2026-03-01T11:59:59.99950001Z"), noon);
        assert_eq!(rfc3339("2026-03-01T12:00:00.0004Z"), noon);
    }

    #[test]
    fn half_times_are_refused() {
        for text in [
            "",
            "yesterday",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T12:60:00Z",
            "2026-03-01T12:00:60Z",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00+0100",
            "2026-03-01T12:00:00+24:00",
            "2026-03-01T12:00:00Zz",
            "+026-03-01T12:00:00Z",
            "2026-03-01T12:00:00.5",
            "２026-03-01T12:00:00Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_first_of_the_next_day() {
        assert_eq!(rfc3339("2016-12-31T23:59:60Z"), rfc3339("2017-01-01T00:00:00Z"));
        assert_eq!(rfc3339("2017-01-01T08:59:60+09:00"), rfc3339("2017-01-01T00:00:00Z"));
    }

    #[test]
    fn clocks_months_and_dates_are_strict() {
        assert_eq!(clock("07:05"), Some(425));
        assert_eq!(clock("23:59"), Some(1439));
        assert!(["7:05", "24:00", "12:60", "12-30", "12:30:00", ""].into_iter().all(|text| clock(text).is_none()));
        assert_eq!(month("2025-12"), Some((2025, 12)));
        assert!(["2025-13", "2025-00", "2025-1", "25-01", "2025/01"].into_iter().all(|text| month(text).is_none()));
        assert!(is_date("2028-02-29"));
        assert!(!is_date("2026-02-29") && !is_date("2026-2-29") && !is_date("2026-02-00") && !is_date("-01"));
    }

    proptest! {
        #[test]
        fn every_time_is_read_as_chrono_writes_it(ms in EARLIEST.0..TOO_LATE.0, offset in -1439_i32..=1439) {
            let zone = chrono::FixedOffset::east_opt(offset * 60).expect("less than a day");
            let local = UtcMillis(ms).to_datetime().with_timezone(&zone);
            prop_assert_eq!(rfc3339(&local.to_rfc3339()), Some(UtcMillis(ms)));
            prop_assert_eq!(rfc3339(&UtcMillis(ms).to_rfc3339()), Some(UtcMillis(ms)));
            prop_assert_eq!(seconds(ms as f64 / 1000.0), Ok(UtcMillis(ms)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", tail in "[0-9TZ:+.-]{0,40}") {
            let _ = (rfc3339(&text), clock(&text), month(&text), is_date(&text));
            let _ = (rfc3339(&tail), clock(&tail), month(&tail), is_date(&tail));
            let _ = rfc3339(&format!("2026-03-01T12:00:00{tail}"));
        }
    }
}
