//! Naps: which sleeps were some, when the next one is due.
//!
//! Night and nap are told apart by the body's day as well as by the clock on the wall: who is nine hours from home naps at
//! three in the morning for a while. The hours of naps are those of the clock on the wall, which the plan follows; what it
//! has moved before a journey and after is no habit.

use crate::event::activity::{AgeBand, SleepKind, UsualNap};
use crate::flight::zones;
use crate::traveller::clock::{Lag, settled_until};
use crate::traveller::models::Models;
use crate::traveller::persona::Persona;
use crate::traveller::sleeps::{Bout, Sleeps};
use crate::traveller::surroundings::Surroundings;
use crate::units::{Span, UtcMillis};

const DAY: Span = Span::days(1);
const MINUTES_PER_DAY: u16 = 1_440;

/// Sleeps are kept this long behind the settled clock, so that naps have a habit: 8 to 8½ days in all.
const SLEEPS_KEPT: Span = Span::hours(132);

/// Sleeps that began before this are forgotten, or may be.
#[must_use]
pub fn sleeps_kept_from(now: UtcMillis) -> UtcMillis {
    settled_until(now) - SLEEPS_KEPT
}

/// More days than sleeps are kept for.
const ALL_DAYS_KEPT: i64 = 10;

/// A CBTmin tells how the body's day lies for about half a day either way.
const LAG_REACHES: Span = Span::hours(18);

/// The body's day: the local clock at home, less the lag that a journey has left.
#[derive(Clone, Copy, Debug)]
pub struct BodyTime<'a> {
    pub home: chrono_tz::Tz,
    /// By time; empty for somebody whose clock was not moved.
    pub lags: &'a [Lag],
}

impl BodyTime<'_> {
    /// A time on the body's clock, as if that clock were UTC.
    #[must_use]
    pub fn of(&self, at: UtcMillis) -> UtcMillis {
        let nearest = self.lags.iter().min_by_key(|lag| (lag.at - at).abs());
        let lag = nearest.filter(|lag| (lag.at - at).abs() <= LAG_REACHES);
        let lag = lag.map_or(Span::ZERO, |lag| Span::minutes(i64::from(lag.minutes)));
        at + zones::offset_at(self.home, at) - lag
    }
}

/// A stretch of sleep that is known to be night or nap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub bout: Bout,
    pub kind: SleepKind,
    /// Start on the clock on the wall.
    local_start: UtcMillis,
}

/// The sleeps of the last days, told apart.
#[derive(Clone, Debug)]
pub struct SleepLog<'a> {
    models: &'a Models,
    persona: &'a Persona<'a>,
    body: BodyTime<'a>,
    around: Surroundings<'a>,
    now: UtcMillis,
    pub sleeps: Vec<Told>,
}

/// The nap that comes next, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NapOutlook {
    pub awake_since: UtcMillis,
    /// When it is likely to begin.
    pub expected: UtcMillis,
    pub length: Span,
    /// When silence means that it was missed; `None` where silence means nothing.
    pub alarm: Option<UtcMillis>,
}

impl<'a> SleepLog<'a> {
    /// The log as it stands at `now`.
    #[must_use]
    pub fn new(
        models: &'a Models,
        persona: &'a Persona<'a>,
        body: BodyTime<'a>,
        around: Surroundings<'a>,
        sleeps: &Sleeps,
        now: UtcMillis,
    ) -> SleepLog<'a> {
        let naps = &models.naps;
        let tell = |bout: Bout| {
            let kind = kind_of(models, body, around, &bout);
            Told { bout, kind, local_start: around.on_the_wall(bout.start) }
        };
        let sleeps = sleeps
            .bouts(naps.merged_gap, naps.open_ends_after, sleeps_kept_from(now), now)
            .into_iter()
            .filter(|bout| bout.length().is_none_or(|length| length >= naps.ignored_below))
            .map(tell)
            .collect();
        SleepLog { models, persona, body, around, now, sleeps }
    }

    /// Somebody of whom naps are expected at all: a child, unless the profile says that it does not nap, or whoever has
    /// naps in the profile.
    #[must_use]
    pub fn naps_at_all(&self) -> bool {
        match self.persona.usual_naps() {
            Some(naps) => !naps.is_empty(),
            None => self.is_child() && self.models.naps.usual_count(self.persona.months) > 0,
        }
    }

    #[must_use]
    pub fn is_child(&self) -> bool {
        self.persona.is_known() && self.persona.group().band() != AgeBand::Adult
    }

    #[must_use]
    pub fn last(&self) -> Option<&Told> {
        self.sleeps.last()
    }

    /// Since when the person is awake; `None` while asleep, and where the log has lost track.
    #[must_use]
    pub fn awake_since(&self) -> Option<UtcMillis> {
        let last = self.last()?.bout;
        (last.end_known && last.end <= self.now && self.now - last.end <= self.models.naps.open_ends_after)
            .then_some(last.end)
    }

    #[must_use]
    pub fn asleep_since(&self) -> Option<UtcMillis> {
        self.last().filter(|told| told.bout.going_on).map(|told| told.bout.start)
    }

    /// The day in which naps are counted, of a time on the clock on the wall.
    fn day_of(&self, local: UtcMillis) -> i64 {
        (local - self.models.naps.day_begins).0.div_euclid(DAY.0)
    }

    fn day_at(&self, at: UtcMillis) -> i64 {
        self.day_of(self.around.on_the_wall(at))
    }

    fn naps_of(&self, day: i64) -> impl Iterator<Item = &Told> {
        self.sleeps.iter().filter(move |told| told.kind == SleepKind::Nap && self.day_of(told.local_start) == day)
    }

    /// Position of a nap among those of its day.
    #[must_use]
    pub fn index_of(&self, nap: &Told) -> usize {
        self.naps_of(self.day_of(nap.local_start)).take_while(|other| other.bout.start < nap.bout.start).count()
    }

    /// Naps since the last night, or of the day if no night was logged.
    fn naps_taken(&self) -> usize {
        let Some(last) = self.last() else { return 0 };
        let day = self.day_of(last.local_start);
        let is_nap_today = |told: &&Told| told.kind == SleepKind::Nap && self.day_of(told.local_start) == day;
        self.sleeps.iter().rev().take_while(is_nap_today).count()
    }

    /// Whether a time belongs to the day that goes on at `now`: no night lies between, logged or by the clock.
    #[must_use]
    pub fn is_of_this_waking_day(&self, at: UtcMillis) -> bool {
        let last_night = self.sleeps.iter().rev().find(|told| told.kind == SleepKind::Night);
        let is_since = last_night.is_none_or(|night| at > night.bout.start);
        is_since && self.day_at(at) == self.day_at(self.now)
    }

    /// The naps of each of the last settled days on which there were some; `today` is not one of them. On a journey and
    /// after it those are the days before, for as long as they are remembered; then, of a child whose profile names no naps,
    /// the days that were lived there.
    ///
    /// Whole days: one of which the first nap is forgotten, or the second moved by a plan, tells neither how many there are
    /// nor which one a nap was.
    fn habit(&self, today: i64) -> Vec<Vec<&Told>> {
        let days_back = if self.is_settled() { self.models.naps.habit_days } else { ALL_DAYS_KEPT };
        let forgotten_until = self.around.on_the_wall(sleeps_kept_from(self.now)) - Span(1);
        let first_whole = self.day_of(forgotten_until) + 1;
        let days = (today - days_back).max(first_whole)..today;
        let logged = days.map(|day| self.naps_of(day).collect::<Vec<_>>()).filter(|naps| !naps.is_empty());
        let (mut settled, mut on_journeys) = (Vec::new(), Vec::new());
        for naps in logged {
            let is_settled = naps.iter().all(|nap| self.around.is_settled(self.models, nap.bout.start));
            if is_settled { settled.push(naps) } else { on_journeys.push(naps) }
        }
        if settled.is_empty() && self.persona.usual_naps().is_none() {
            on_journeys.retain(|naps| naps.iter().all(|nap| !self.around.is_aboard(nap.bout.start)));
            return on_journeys;
        }
        settled
    }

    fn is_settled(&self) -> bool {
        self.around.is_settled(self.models, self.now)
    }

    fn days_logged(&self, today: i64) -> usize {
        (today - self.models.naps.days_looked_at..today).filter(|day| self.naps_of(*day).next().is_some()).count()
    }

    /// Whether silence about a nap means anything: naps are logged on most days.
    #[must_use]
    pub fn logs_naps(&self) -> bool {
        self.days_logged(self.day_of(self.body.of(self.now))) >= self.models.naps.days_logged
    }

    fn usual_count(&self, habit: &[Vec<&Told>]) -> usize {
        if habit.len() >= self.models.naps.days_logged {
            let counts = habit.iter().map(|naps| naps.len() as i64).collect();
            return median(counts).map_or(0, |count| count as usize);
        }
        self.persona.usual_naps().map_or_else(|| self.models.naps.usual_count(self.persona.months), <[_]>::len)
    }

    /// How many naps a day this person has now.
    #[must_use]
    pub fn usual_naps_a_day(&self) -> usize {
        let today = self.day_at(self.now);
        if self.naps_at_all() { self.usual_count(&self.habit(today)) } else { 0 }
    }

    /// The naps of a usual day by the local clock: from the log where it has settled days, else from the profile.
    #[must_use]
    pub fn usual_naps(&self) -> Vec<UsualNap> {
        if !self.naps_at_all() {
            return Vec::new();
        }
        let habit = self.habit(self.day_at(self.now));
        let by_profile = self.persona.usual_naps().unwrap_or(&[]);
        (0..self.usual_count(&habit))
            .filter_map(|index| {
                let logged: Vec<&Told> = habit.iter().filter_map(|day| day.get(index).copied()).collect();
                let start = median(logged.iter().map(|nap| self.since_day_began(nap.local_start).0).collect());
                let length = median(logged.iter().filter_map(|nap| nap.bout.length()).map(|length| length.0).collect());
                let told = by_profile.get(index);
                let start = match start {
                    Some(start) => (Span(start) + self.models.naps.day_begins).as_minutes() as u16 % MINUTES_PER_DAY,
                    None => told?.start,
                };
                let usual_minutes = told.map_or(self.models.naps.usual_minutes, |nap| nap.minutes);
                let minutes = length.map_or(usual_minutes, |length| Span(length).as_minutes() as u16);
                Some(UsualNap { start, minutes })
            })
            .collect()
    }

    /// When the usual nap nearest to a time begins that day, and how long it is.
    #[must_use]
    pub fn usual_nap_near(&self, at: UtcMillis) -> Option<(UtcMillis, Span)> {
        let naps = self.usual_naps().into_iter().map(|nap| {
            let start = self.nearest(at, self.since_midnight_as_day(Span::minutes(i64::from(nap.start))));
            (start, Span::minutes(i64::from(nap.minutes)))
        });
        naps.min_by_key(|(start, _)| ((*start - at).abs(), *start))
    }

    /// The usual bedtime that comes next after a time.
    #[must_use]
    pub fn bedtime_after(&self, at: UtcMillis) -> UtcMillis {
        let bedtime = Span::minutes(i64::from(self.persona.day.bedtime));
        let ahead = (bedtime - time_of_day(self.body.of(at))).0.rem_euclid(DAY.0);
        at + Span(ahead)
    }

    /// The nap that comes next today, if one does.
    #[must_use]
    pub fn outlook(&self) -> Option<NapOutlook> {
        if !self.naps_at_all() {
            return None;
        }
        let naps = &self.models.naps;
        let awake_since = self.awake_since()?;
        let today = self.day_at(awake_since);
        let habit = self.habit(today);
        let index = self.naps_taken();
        if index >= self.usual_count(&habit) {
            return None;
        }

        let by_window = awake_since + naps.window(self.persona.months);
        let logged: Vec<&Told> = habit.iter().filter_map(|day| day.get(index).copied()).collect();
        let starts: Vec<i64> = logged.iter().map(|nap| self.since_day_began(nap.local_start).0).collect();
        let usual = self.persona.usual_naps().and_then(|naps| naps.get(index));
        let from_log = median(starts.clone());
        let from_profile = || usual.map(|nap| self.since_midnight_as_day(Span::minutes(i64::from(nap.start))).0);
        let by_habit = from_log.or_else(from_profile).map(|start| self.nearest(by_window, Span(start)));
        // What the plan has moved is when the nap is expected.
        let is_settled = self.is_settled();
        let planned = self.around.planned_after(awake_since).filter(|_| !is_settled);
        let by_habit = planned.or(by_habit);

        let expected = by_habit.map_or(by_window, |by_habit| by_window + Span((by_habit - by_window).0 / 2));
        let bedtime = self.bedtime_after(awake_since);
        if expected > bedtime - naps.before_bed {
            return None;
        }
        let lengths = logged.iter().filter_map(|nap| nap.bout.length()).map(|length| length.0).collect();
        let usual_minutes = usual.map_or(naps.usual_minutes, |nap| nap.minutes);
        let length = median(lengths).map_or(Span::minutes(i64::from(usual_minutes)), Span);

        let says_something = self.persona.months >= naps.no_alarm_under
            && self.days_logged(today) >= naps.days_logged
            && self.is_child();
        let is_known = from_log.is_some() || !is_settled;
        let alarm = by_habit.filter(|_| says_something && is_known).and_then(|by_habit| {
            let margin = from_log.map_or(naps.most_margin, |median_start| {
                let distances = starts.iter().map(|start| (start - median_start).abs()).collect();
                naps.margin(median(distances).map_or(Span::ZERO, Span))
            });
            // Who reports naps when they are over is silent while one goes on.
            let silent_for = if is_announced(&habit, naps.announced_share) { Span::ZERO } else { length };
            let alarm = (by_window.max(by_habit) + silent_for + margin).ceil_to(Span::minutes(1));
            // Aboard nobody has a hand free to log.
            let in_the_air = self.around.is_aboard_between(expected.min(alarm), alarm.max(self.now));
            (alarm < bedtime && !in_the_air).then_some(alarm)
        });
        Some(NapOutlook { awake_since, expected, length, alarm })
    }

    fn since_day_began(&self, local: UtcMillis) -> Span {
        Span((local - self.models.naps.day_begins).0.rem_euclid(DAY.0))
    }

    fn since_midnight_as_day(&self, since_midnight: Span) -> Span {
        Span((since_midnight - self.models.naps.day_begins).0.rem_euclid(DAY.0))
    }

    /// The time nearest to `around` at which the local day is `since_day_began` old.
    fn nearest(&self, around: UtcMillis, since_day_began: Span) -> UtcMillis {
        let difference = (since_day_began - self.since_day_began(self.around.on_the_wall(around))).0.rem_euclid(DAY.0);
        let shorter_way = if difference > DAY.0 / 2 { difference - DAY.0 } else { difference };
        around + Span(shorter_way)
    }
}

/// Whether so large a share of the naps was reported while they went on.
fn is_announced(habit: &[Vec<&Told>], share: f64) -> bool {
    let naps = || habit.iter().flatten();
    let announced = naps().filter(|nap| nap.bout.announced).count();
    announced > 0 && announced as f64 >= share * naps().count() as f64
}

fn time_of_day(body_time: UtcMillis) -> Span {
    Span(body_time.0.rem_euclid(DAY.0))
}

fn kind_of(models: &Models, body: BodyTime<'_>, around: Surroundings<'_>, bout: &Bout) -> SleepKind {
    if let Some(kind) = bout.kind {
        return kind;
    }
    let naps = &models.naps;
    let middle = match bout.length() {
        Some(length) if length > naps.longest_nap => return SleepKind::Night,
        Some(length) => bout.start + Span(length.0 / 2),
        None => bout.start + naps.open_half,
    };
    let is_night = |local: UtcMillis| {
        let hour = time_of_day(local).as_hours();
        hour.0 >= naps.night_from.0 || hour.0 < naps.night_until.0
    };
    // Who has landed naps by the clock there, in what is still the body's night; aboard no clock is followed.
    let is_by_day = !around.is_aboard(middle) && !is_night(around.on_the_wall(middle));
    if is_night(body.of(middle)) && !is_by_day { SleepKind::Night } else { SleepKind::Nap }
}

/// The middle of a list, the mean of the two middle ones where their number is even.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower + (upper - lower) / 2)
}
