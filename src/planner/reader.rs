//! Times as they are told: to whom, when, and by which clock.

use std::fmt;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::event::recommendation::Action;
use crate::flight::{airports, zones};
use crate::units::{Span, UtcMillis};

/// A sleep further ahead is not "tonight".
const TONIGHT: Span = Span::hours(14);

/// Between midnight and then a bedtime belongs to the evening before; from the second on it is tonight's. Minutes of the day.
const MORNING: u16 = 6 * 60;
const EVENING: u16 = 17 * 60;

/// A time, and the zone of where the person will be then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    pub at: UtcMillis,
    pub time_zone: Tz,
}

impl When {
    /// When an action starts, in its own zone.
    #[must_use]
    pub fn of(action: &Action) -> When {
        When { at: action.start, time_zone: zones::parse(&action.time_zone).unwrap_or(Tz::UTC) }
    }

    /// Whether a time alone tells who is in the zone `here` at `now` when it is: soon, and by the clock they see.
    #[must_use]
    pub fn is_near(&self, now: UtcMillis, here: Tz) -> bool {
        self.time_zone == here && self.at >= now && self.at - now <= TONIGHT
    }
}

/// Who reads a sentence, in the sense of when and by which clock: the person's own at the time of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    pub now: UtcMillis,
    pub time_zone: Tz,
}

impl Reader {
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        zones::local_date(self.time_zone, self.now)
    }

    /// Whether the clock of another zone shows the same as this reader's.
    #[must_use]
    pub fn reads_clock_of(&self, time_zone: Tz, at: UtcMillis) -> bool {
        zones::offset_at(time_zone, at) == zones::offset_at(self.time_zone, at)
    }

    /// A time as the end of a phrase: `18:45`, `18:45 on 5 Dec` where that is not today, `18:45 on 5 Dec, Tokyo time` where
    /// the clock is another one.
    pub(super) fn spoken(&self, when: When) -> String {
        let dated = self.dated(when);
        if self.reads_clock_of(when.time_zone, when.at) {
            return dated;
        }
        format!("{dated}, {} time", airports::city_of_zone(when.time_zone))
    }

    /// `at 18:45`, `18:45 on 5 Dec`. Without the place: departures are told by the airport's clock, as everywhere.
    pub(super) fn departure(&self, when: When) -> String {
        let dated = self.dated(when);
        if dated.contains(' ') { dated } else { format!("at {dated}") }
    }

    /// A bedtime as the end of a phrase: `21:30 tonight`, `21:30 on 5 Dec`; after midnight, where a date alone could be that
    /// of the evening before, `00:15, night to 6 Dec`.
    pub(super) fn bedtime(&self, when: When) -> String {
        let date = zones::local_date(when.time_zone, when.at);
        let minute = zones::local(when.time_zone, when.at).minute_of_day;
        let same_clock = self.reads_clock_of(when.time_zone, when.at);
        let time = match minute {
            ..MORNING => format!("{when}, night to {}", date.format("%-d %b")),
            EVENING.. if same_clock && date == self.today() => format!("{when} tonight"),
            _ => self.dated(when),
        };
        if same_clock { time } else { format!("{time}, {} time", airports::city_of_zone(when.time_zone)) }
    }

    /// `18:45`, `18:45 on 5 Dec` where that is not today.
    pub(super) fn dated(&self, when: When) -> String {
        let date = zones::local_date(when.time_zone, when.at);
        if date == self.today() { when.to_string() } else { format!("{when} on {}", date.format("%-d %b")) }
    }
}

/// `18:45`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&zones::hhmm(self.time_zone, self.at))
    }
}
