//! Main sleeps aboard: by the clock that the schedule follows, unless somebody of this age would be awake for too long.
//!
//! That clock is the destination's, or that of home, and leaves a night aboard where it leaves one. Where the time awake
//! before or after it would be too long, the night is moved a little, or it is the body's night that is slept, or both,
//! or there is a rest for which it is day everywhere: whatever comes first in this order and does.

use super::nights::{Night, NightSort, can_sleep};
use super::setting::Setting;
use super::spans::Interval;
use super::target::Outlook;
use super::{Place, Stretch};
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

/// How finely the times for a sleep are tried.
const STEP: Span = Span::minutes(15);

/// Arranges the sleep aboard every flight. `nights` in order of time, before and after.
pub(super) fn arrange_nights_aboard(setting: &Setting<'_>, outlook: &Outlook, nights: &mut Vec<Night>) {
    for (index, flight) in setting.situation.whereabouts.iter().enumerate() {
        let aboard = setting.on_grid(can_sleep(setting, flight));
        if !flight.is_aboard() || aboard.length() < setting.numbers.sleep.part_least_aboard {
            continue;
        }
        let is_here = |night: &Night| night.sort.is_aboard() && aboard.overlaps(night.window);
        let (here, others): (Vec<Night>, Vec<Night>) = nights.iter().copied().partition(is_here);
        let by_clock: Vec<Interval> = here.iter().map(|night| night.window).collect();
        let body = body_nights(setting, outlook, index);
        let journey = Journey { setting, aboard, by_clock, body, others };
        let arranged = journey.best();
        if arranged == journey.by_clock {
            continue;
        }
        nights.clone_from(&journey.others);
        nights.extend(arranged.iter().map(|window| journey.night(flight, &here, *window)));
        nights.sort_by_key(|night| night.window);
    }
}

/// When it is night for the body about a flight: from home, the usual night; elsewhere around CBTmin, or without a clock by
/// that of the place where the journey began.
fn body_nights(setting: &Setting<'_>, outlook: &Outlook, flight: usize) -> Vec<Interval> {
    let length = setting.usual_length();
    let before = &setting.situation.whereabouts[..flight];
    let place = before.iter().rev().find(|stretch| setting.is_stay(stretch)).or(before.first());
    let is_from_home = place.is_some_and(|place| place.place == Place::Home);
    if let Some(clock) = setting.clock.filter(|_| !is_from_home) {
        let around = |cbt_min: &UtcMillis| {
            let middle = *cbt_min - Span::from_hours(clock.delta);
            Interval::new(middle - Span(length.0 / 2), middle + Span(length.0 / 2))
        };
        return outlook.cbt_mins.iter().map(around).collect();
    }
    let Some(place) = place else { return Vec::new() };
    let zone = setting.schedule_zone(place);
    setting.dates_about(zone).map(|date| setting.usual_night(zone, date)).collect()
}

/// A sleep in the body's night, and what is left beside it of those by the clock.
struct ByBody {
    window: Interval,
    rest: Vec<Interval>,
}

impl ByBody {
    fn with_the_rest(self) -> Vec<Interval> {
        let mut arrangement = self.rest;
        arrangement.push(self.window);
        arrangement.sort_unstable();
        arrangement
    }
}

/// What is too much of the times awake, the worst of them first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Excess {
    worst: Span,
    total: Span,
}

impl Excess {
    /// Negative where a time awake is short enough.
    fn add(&mut self, excess: Span) {
        self.worst = self.worst.max(excess);
        self.total = self.total + excess.max(Span::ZERO);
    }
}

/// How far the end that moved more has moved.
fn furthest(base: Interval, moved: Interval) -> Span {
    (moved.start - base.start).abs().max((moved.end - base.end).abs())
}

/// One flight between the sleeps about it.
struct Journey<'a> {
    setting: &'a Setting<'a>,
    /// When there can be sleep.
    aboard: Interval,
    /// The sleeps aboard by the clock that the schedule follows.
    by_clock: Vec<Interval>,
    /// The body's nights.
    body: Vec<Interval>,
    /// All sleeps that are not aboard this flight.
    others: Vec<Night>,
}

impl Journey<'_> {
    /// The first arrangement with which no time awake is too long; if there is none, the one with the least of it.
    fn best(&self) -> Vec<Interval> {
        let mut best = self.by_clock.clone();
        let mut least = self.excess(&best);
        let slept = |sleeps: &[Interval]| sleeps.iter().fold(Span::ZERO, |sum, sleep| sum + sleep.length());
        let at_least = slept(&self.by_clock);
        // Nobody sleeps less than the clock gives.
        for arrangement in self.arrangements().filter(|arrangement| slept(arrangement) >= at_least) {
            if least.worst == Span::ZERO {
                break;
            }
            let excess = self.excess(&arrangement);
            if excess < least {
                (best, least) = (arrangement, excess);
            }
        }
        best
    }

    /// What may take the place of the sleep by the clock, the least change first.
    fn arrangements(&self) -> impl Iterator<Item = Vec<Interval>> {
        let numbers = &self.setting.numbers.sleep;
        let longest = |windows: &[Interval]| windows.iter().copied().max_by_key(|window| window.length());
        let by_clock = longest(&self.by_clock);
        let (near, far): (Vec<Interval>, Vec<Interval>) = by_clock
            .filter(|base| self.share(base.length()) >= numbers.main_share)
            .map_or(Vec::new(), |base| self.moved(base))
            .into_iter()
            .partition(|moved| by_clock.is_some_and(|base| furthest(base, *moved) <= numbers.moved_aboard_most));
        let by_body: Vec<ByBody> = self.body.iter().filter_map(|night| self.by_body(*night)).collect();
        let body = longest(&by_body.iter().map(|by_body| by_body.window).collect::<Vec<_>>());
        let about_body = body.map_or(Vec::new(), |window| self.moved(window));
        let single = |windows: Vec<Interval>| windows.into_iter().map(|window| vec![window]);
        let body_alone: Vec<Interval> = by_body.iter().map(|by_body| by_body.window).collect();
        single(near)
            .chain(single(body_alone))
            .chain(by_body.into_iter().map(ByBody::with_the_rest))
            .chain(single(far))
            .chain(single(about_body))
            .chain(self.pairs(body))
            .chain(self.rests())
            .chain(single(self.cut_short()))
    }

    /// The body's night aboard. What the clock leaves of a night right before, in or after it is one sleep with it, or
    /// where that would be more than a night gives way.
    fn by_body(&self, night: Interval) -> Option<ByBody> {
        let numbers = &self.setting.numbers.sleep;
        let taken: Vec<Interval> = self.others.iter().map(|other| other.window).collect();
        let pieces = night.clipped_to(self.aboard).without(&taken);
        let longest = pieces.into_iter().max_by_key(|piece| piece.length());
        let piece = self.setting.on_grid(longest.filter(|piece| piece.length() >= numbers.body_night_least)?);
        let near = piece.widened(numbers.part_least);
        let (parts, rest): (Vec<Interval>, Vec<Interval>) = self.by_clock.iter().partition(|part| part.overlaps(near));
        let whole =
            parts.iter().fold(piece, |whole, part| Interval::new(whole.start.min(part.start), whole.end.max(part.end)));
        let window = if whole.length() > self.setting.usual_length() { piece } else { whole };
        Some(ByBody { window, rest })
    }

    /// A whole night at any other time aboard, the nearest first.
    fn moved(&self, base: Interval) -> Vec<Interval> {
        let usual = self.setting.usual_length();
        let mut windows: Vec<Interval> = self
            .starts()
            .map(|start| Interval::new(start, self.aboard.end.min(start + usual)))
            .filter(|window| window.length() >= base.length().min(usual))
            .collect();
        windows.sort_by_key(|window| ((window.start - base.start).abs() + (window.end - base.end).abs(), window.start));
        windows.retain(|window| self.leaves_time_awake(*window, &[]));
        windows
    }

    /// As long a sleep as leaves some hours to be awake before the next night, the earliest first.
    fn cut_short(&self) -> Vec<Interval> {
        let next = self.others.iter().map(|other| other.window.start).filter(|start| *start >= self.aboard.end).min();
        let latest = next.map_or(self.aboard.end, |next| self.setting.grid_down(next - self.awake_least()));
        let usual = self.setting.usual_length();
        let windows = self.starts().map(|start| Interval::new(start, self.aboard.end.min(latest).min(start + usual)));
        let is_sleep = |window: &Interval| window.length() >= self.setting.numbers.sleep.part_least;
        windows.filter(|window| is_sleep(window) && self.leaves_time_awake(*window, &[])).collect()
    }

    /// Two sleeps with some hours between them, for a flight so long that one is not enough.
    fn pairs(&self, body: Option<Interval>) -> impl Iterator<Item = Vec<Interval>> {
        let usual = self.setting.usual_length();
        let shares = [usual, Span(usual.0 * 3 / 4), Span(usual.0 / 2)];
        let starts = [body.map_or(self.aboard.start, |body| body.start), self.aboard.start];
        let first = starts.into_iter().flat_map(move |start| shares.map(|length| Interval::new(start, start + length)));
        let lengths = shares.into_iter().chain([self.setting.numbers.sleep.part_least]);
        let ends = lengths.map(|length| Interval::new(self.aboard.end - length, self.aboard.end));
        let second: Vec<Interval> = self.by_clock.iter().copied().chain(ends).collect();
        let pairs = first.flat_map(move |first| second.clone().into_iter().map(move |second| (first, second)));
        pairs
            .map(|(first, second)| (self.setting.on_grid(first), self.setting.on_grid(second)))
            .filter(|(first, second)| {
                self.leaves_time_awake(*first, &[*second]) && self.leaves_time_awake(*second, &[])
            })
            .filter(|(first, second)| first.start >= self.aboard.start && second.end <= self.aboard.end)
            .filter(|(first, second)| first.end <= second.start)
            .map(|(first, second)| vec![first, second])
    }

    /// A short sleep beside what the clock leaves: the later, the nearer to the evening.
    fn rests(&self) -> impl Iterator<Item = Vec<Interval>> {
        let length = self.setting.numbers.sleep.part_least;
        let starts: Vec<UtcMillis> = self.starts().collect();
        let windows = starts.into_iter().rev().map(move |start| Interval::new(start, start + length));
        windows.filter(|window| window.end <= self.aboard.end && self.leaves_time_awake(*window, &self.by_clock)).map(
            |window| {
                let mut arrangement = self.by_clock.clone();
                arrangement.push(window);
                arrangement.sort_unstable();
                arrangement
            },
        )
    }

    /// When a sleep aboard may begin, reckoned from the landing.
    fn starts(&self) -> impl Iterator<Item = UtcMillis> + use<> {
        let (from, until) = (self.aboard.start, self.aboard.end);
        let steps = (until - from).0 / STEP.0;
        (0..=steps).rev().map(move |count| until - Span(count * STEP.0))
    }

    fn awake_least(&self) -> Span {
        let waking = Span::days(1) - self.setting.usual_length();
        Span((waking.0 as f64 * self.setting.numbers.sleep.awake_least_share) as i64)
    }

    /// No sleep follows another at once.
    fn leaves_time_awake(&self, window: Interval, beside: &[Interval]) -> bool {
        let margin = self.awake_least();
        let is_main = |other: &Interval| self.share(other.length()) >= self.setting.numbers.sleep.main_share;
        let near = |other: &Interval| if is_main(other) { window.widened(margin) } else { window };
        let mut others = self.others.iter().map(|other| other.window);
        let is_beside = beside.iter().any(|other| other.overlaps(window.widened(margin)));
        !is_beside && !others.any(|other| other.overlaps(near(&other)))
    }

    /// Of a usual night.
    fn share(&self, length: Span) -> f64 {
        (length.0 as f64 / self.setting.usual_length().0 as f64).min(1.0)
    }

    /// By how much the times awake between the main sleeps before and after the flight are longer than somebody can bear.
    ///
    /// A whole night is good for the longest day, a part of one for such a part of it; what is too short for a main sleep
    /// puts the end of the day off.
    fn excess(&self, arrangement: &[Interval]) -> Excess {
        let numbers = &self.setting.numbers.sleep;
        let usual = self.setting.usual_length();
        let longest_day = self.setting.longest_day();
        let is_main = |window: Interval| self.share(window.length()) >= numbers.main_share;
        let good_for = |slept: Span| Span((longest_day.0 as f64 * self.share(slept)) as i64);

        let mains = || self.others.iter().filter(|night| is_main(night.window));
        let before = mains().filter(|night| night.window.end <= self.aboard.start).max_by_key(|night| night.window.end);
        let after = mains().map(|night| night.window.start).filter(|start| *start >= self.aboard.end).min();
        let slept_until = before.map_or(UtcMillis::MIN, |night| night.window.end);
        let mut can_wake_until = match before {
            None => self.aboard.start,
            Some(night) if night.sort.is_aboard() => slept_until + good_for(night.window.length()),
            Some(_) => slept_until + longest_day,
        };
        let sleeps_from = after.unwrap_or(self.aboard.end + (Span::days(1) - usual));
        let is_between = |window: &Interval| window.start >= slept_until && window.end <= sleeps_from;
        let mut sleeps: Vec<Interval> = self.others.iter().map(|night| night.window).filter(is_between).collect();
        sleeps.extend(arrangement);
        sleeps.sort_unstable();
        let mut excess = Excess { worst: Span::ZERO, total: Span::ZERO };
        let half_a_day = Span((Span::days(1) - usual).0 / 2);
        let (mut awake_from, mut slept) = (UtcMillis::MIN, Span::ZERO);
        for sleep in sleeps {
            // Two sleeps of one journey are good for as much as one of both.
            let is_near = awake_from > UtcMillis::MIN && sleep.start - awake_from <= half_a_day;
            slept = sleep.length() + if is_near { slept } else { Span::ZERO };
            awake_from = sleep.end;
            excess.add(sleep.start - can_wake_until);
            let rested = sleep.end + good_for(slept);
            let put_off = can_wake_until.max(sleep.start) + sleep.length() + good_for(sleep.length());
            can_wake_until = if is_main(sleep) { rested } else { rested.max(put_off) }.min(sleep.end + longest_day);
        }
        excess.add(sleeps_from - can_wake_until);
        excess
    }

    fn night(&self, flight: &Stretch, here: &[Night], window: Interval) -> Night {
        if let Some(unchanged) = here.iter().find(|night| night.window == window) {
            return *unchanged;
        }
        let zone = self.setting.schedule_zone(flight);
        let day = zones::local_date(zone, window.start);
        let shared = |nights: &[Interval]| nights.iter().map(|night| night.clipped_to(window).length()).max();
        let (by_clock, by_body) = (shared(&self.by_clock), shared(&self.body));
        let is_half = by_clock.max(by_body).is_some_and(|shared| shared.0 * 2 >= window.length().0);
        let sort = match () {
            () if !is_half => NightSort::AboardByNeed,
            () if by_clock > by_body => NightSort::Aboard,
            () => NightSort::AboardByBody,
        };
        Night { day, zone, part: 1, window, sort, is_told: true }
    }
}
