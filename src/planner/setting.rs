//! Who somebody is and where, in the form that the rules ask for.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::numbers::{Numbers, numbers};
use super::spans::Interval;
use super::{Clock, Place, Situation, Stretch};
use crate::event::activity::AgeBand;
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

const NOON: i32 = 720;
const DAY: i32 = 1440;

/// A situation with what follows from it alone.
pub(super) struct Setting<'a> {
    pub situation: &'a Situation<'a>,
    pub numbers: &'static Numbers,
    /// When a usual night begins, minutes after the midnight before: 720 ..< 2160, so that a bedtime past midnight
    /// belongs to the evening before it.
    pub bed_minute: i32,
    /// Length of a usual night on the wall clock; long enough for the age together with the usual naps.
    pub night_minutes: i32,
    /// The usual night is too short for the age, and begins earlier than the profile says.
    pub is_night_lengthened: bool,
    /// What a night may not fall under for the age, with the usual naps.
    night_least: Span,
    /// `None` too where the age has no clock to shift.
    pub clock: Option<Clock>,
    /// A sleep that is going on, if it can be believed.
    pub asleep_since: Option<UtcMillis>,
}

impl<'a> Setting<'a> {
    pub fn new(situation: &'a Situation<'a>) -> Setting<'a> {
        let numbers = numbers();
        let person = &situation.person;
        let grid = numbers.other.grid_minutes();
        let bed = to_grid(person.bedtime % 1440, grid);
        let usual = (to_grid(person.wake % 1440, grid) - bed).rem_euclid(DAY);
        let naps: i64 = person.naps.iter().map(|nap| i64::from(nap.minutes)).sum();
        let most = numbers.sleep.night_most.as_minutes() as i32;
        let least = numbers.ages.sleep_minimum(person.age_months).as_minutes() - naps;
        let least = (least.clamp(0, i64::from(most)) as i32 + grid - 1) / grid * grid;
        let night_minutes = usual.clamp(least, most);
        // The wake-up stays: what a night lacks is added in the evening.
        let added = (night_minutes - usual).max(0);
        let bed_minute = if bed < NOON { bed + DAY } else { bed } - added;
        let has_clock = person.age_months >= numbers.ages.clock_from_months;
        let longest_sleep = numbers.sleep.asleep_most;
        Setting {
            situation,
            numbers,
            bed_minute,
            night_minutes,
            is_night_lengthened: added > 0,
            night_least: Span::minutes(i64::from(least)),
            clock: situation
                .clock
                .filter(|clock| has_clock && clock.delta.0.is_finite())
                .map(|clock| Clock { cbt_min: next_daily(clock.cbt_min, situation.now), ..clock }),
            asleep_since: situation
                .asleep_since
                .filter(|since| *since <= situation.now && situation.now - *since <= longest_sleep),
        }
    }

    pub fn now(&self) -> UtcMillis {
        self.situation.now
    }

    /// Actions that start from here on are for a later plan.
    pub fn horizon_end(&self) -> UtcMillis {
        self.now() + self.numbers.horizon.length
    }

    /// Eighteen or older by age and by band: either alone is not enough for what minors must not be told.
    pub fn is_adult(&self) -> bool {
        let person = &self.situation.person;
        person.band == AgeBand::Adult && person.age_months >= self.numbers.ages.adult_from_months
    }

    /// Old enough to be told what to do, in place of those who look after a child.
    pub fn is_spoken_to(&self) -> bool {
        is_spoken_to(self.situation.person.age_months)
    }

    /// The most that the plan moves a night from the night before.
    pub fn daily_shift(&self) -> Span {
        self.numbers.ages.band(self.situation.person.band).daily_shift
    }

    /// The usual night that begins in the evening of `date`, by the wall clock of `zone`.
    pub fn usual_night(&self, zone: Tz, date: NaiveDate) -> Interval {
        let start = zones::to_utc(zone, date, self.bed_minute);
        let end = zones::to_utc(zone, date, self.bed_minute + self.night_minutes);
        // The night in which summer time begins is an hour short on the wall clock.
        Interval::new(start.min(end - self.night_least), end)
    }

    pub fn usual_length(&self) -> Span {
        Span::minutes(i64::from(self.night_minutes))
    }

    /// The longest time awake between two main sleeps that can be borne.
    pub fn longest_day(&self) -> Span {
        let waking = Span::days(1) - self.usual_length();
        Span((waking.0 as f64 * self.numbers.sleep.awake_most_share) as i64)
    }

    /// Hour of the local day at which CBTmin comes in an adapted body: mid-sleep + δ.
    pub fn adapted_cbt_min_hour(&self, clock: Clock) -> Hours {
        let mid_sleep = f64::from(self.bed_minute) / 60.0 + f64::from(self.night_minutes) / 120.0;
        Hours(mid_sleep) + clock.delta
    }

    /// The zone whose clock the schedule follows in a stretch.
    pub fn schedule_zone(&self, stretch: &Stretch) -> Tz {
        if self.situation.keep_home_time { self.situation.person.home_time_zone } else { stretch.time_zone }
    }

    pub fn stretch_index(&self, at: UtcMillis) -> usize {
        self.situation.whereabouts.partition_point(|stretch| stretch.from <= at).saturating_sub(1)
    }

    /// Where the person is at a time; the first or last known place beyond what is known.
    pub fn stretch_at(&self, at: UtcMillis) -> &'a Stretch {
        &self.situation.whereabouts[self.stretch_index(at)]
    }

    /// Whether a stretch is a place to live by, not a flight or a connection.
    pub fn is_stay(&self, stretch: &Stretch) -> bool {
        !stretch.is_aboard() && stretch.to.is_none_or(|to| to - stretch.from >= self.numbers.horizon.stay)
    }

    /// The same and two days more on either side: what was slept before the plan, and what follows it.
    pub fn dates_about(&self, zone: Tz) -> impl Iterator<Item = NaiveDate> {
        let margin = Span::days(2);
        let first = zones::local_date(zone, self.now() - margin).pred_opt();
        let last = zones::local_date(zone, self.horizon_end() + margin);
        first.into_iter().flat_map(|date| date.iter_days()).take_while(move |date| *date <= last)
    }

    /// Calendar days of `zone` on which something of the plan may begin: from the day before today on.
    pub fn dates(&self, zone: Tz) -> impl Iterator<Item = NaiveDate> {
        let first = zones::local_date(zone, self.now()).pred_opt();
        let last = zones::local_date(zone, self.horizon_end());
        first.into_iter().flat_map(|date| date.iter_days()).take_while(move |date| *date <= last)
    }

    /// The first time on the grid on which times are given, not before `at`.
    pub fn grid_up(&self, at: UtcMillis) -> UtcMillis {
        at.ceil_to(self.numbers.other.grid)
    }

    pub fn grid_down(&self, at: UtcMillis) -> UtcMillis {
        at.floor_to(self.numbers.other.grid)
    }

    /// The part of an interval that begins and ends on the grid.
    pub fn on_grid(&self, window: Interval) -> Interval {
        Interval::new(self.grid_up(window.start), self.grid_down(window.end))
    }

    /// Minutes after midnight, as near as the grid has them.
    pub fn minute_on_grid(&self, minute: u16) -> i32 {
        to_grid(minute, self.numbers.other.grid_minutes())
    }

    /// What is still ahead of something that should have begun; `None` where less than `least` is left of it.
    pub fn still_ahead(&self, planned: Interval, least: Span) -> Option<Interval> {
        if planned.start >= self.now() {
            return Some(planned);
        }
        let rest = Interval::new(self.grid_up(self.now()), planned.end);
        (rest.length() >= least && rest.length() > Span::ZERO).then_some(rest)
    }
}

/// Whether advice is given to somebody of this age, in months, and not to who looks after them.
#[must_use]
pub fn is_spoken_to(age_months: f64) -> bool {
    age_months >= numbers().ages.spoken_to_from_months
}

fn to_grid(minute: u16, grid: i32) -> i32 {
    (i32::from(minute) + grid / 2) / grid * grid
}

/// A daily event, told for some day, as the one that comes next; untouched where it does (a clock on its way to later
/// hours has days of up to 26 h).
fn next_daily(told: UtcMillis, now: UtcMillis) -> UtcMillis {
    let ahead = told - now;
    if Span::ZERO < ahead && ahead <= Span::hours(26) {
        return told;
    }
    now + Span(ahead.0.rem_euclid(Span::days(1).0))
}

impl Stretch {
    pub(super) fn is_aboard(&self) -> bool {
        matches!(self.place, Place::Aboard { .. })
    }

    pub(super) fn interval(&self) -> Interval {
        Interval::new(self.from, self.to.unwrap_or(UtcMillis::MAX))
    }
}
