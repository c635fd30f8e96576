//! What of somebody's facts says more of the clock than light does: main sleeps, changes of the local clock, being seen
//! asleep, a test on a journey.
//!
//! What counts as a main sleep depends on sleeps within half a day of it, which is less than [`super::light::LOOKAHEAD`]:
//! so it is decided for good where the clock is settled.

use crate::circadian::filter::{FilterNumbers, Happening, MainSleep, REDRAWN};
use crate::event::activity::SleepKind;
use crate::flight::zones;
use crate::planner::Stretch;
use crate::traveller::clock::stretch_at;
use crate::traveller::facts::Report;
use crate::traveller::light::LightSources;
use crate::traveller::persona::Persona;
use crate::traveller::sleeps::Bout;
use crate::units::{Hours, Span, UtcMillis};

/// A night may be interrupted for this long and is one.
const NIGHT_GAP: Span = Span::minutes(60);

/// Shorter sleeps say nothing of the clock, and longer ones are mistakes, or sickness.
const LEAST_NIGHT: Span = Span::hours(3);
const MOST_NIGHT: Span = Span::hours(16);

/// Of sleeps whose middles lie nearer than this the longest is the day's main one.
const ONE_A_DAY: Span = Span::hours(10);

/// Seen asleep within this of a logged sleep is nothing new.
const LOGGED_ANYWAY: Span = Span::hours(12);

/// What happened from `from` until before `until`, in order of time. Of what begins after `until` only changes of the local
/// clock count, for the nights that are moved because of them.
#[must_use]
pub fn happenings(
    numbers: &FilterNumbers,
    persona: &Persona<'_>,
    sources: &LightSources<'_>,
    planned_before: Span,
    from: UtcMillis,
    until: UtcMillis,
) -> Vec<Happening> {
    let shifts = shifts(sources.whereabouts);
    let counts = |at: UtcMillis| from <= at && at < until;
    let bouts = sources.sleeps.bouts(NIGHT_GAP, sources.open_ends_after, UtcMillis::MIN, sources.now);
    let mut found: Vec<Happening> =
        shifts.iter().filter(|(at, _)| counts(*at)).map(|(at, by)| Happening::Shift { at: *at, by: *by }).collect();
    for bout in bouts.iter().filter(|bout| is_main(bout, &bouts)) {
        let middle = middle(bout);
        if counts(middle) {
            let is_moved_for = |(at, by): &(UtcMillis, Hours)| {
                middle < *at && *at <= middle + planned_before && by.0.abs() >= numbers.shift.0
            };
            found.push(Happening::Sleep(MainSleep {
                middle,
                from_habit: from_habit(persona, sources.whereabouts, middle),
                planned: shifts.iter().any(is_moved_for),
            }));
        }
    }
    let mut last_seen = UtcMillis::MIN;
    for (at, report) in sources.facts.since(from) {
        let is_new = at.floor_to(REDRAWN) != last_seen;
        if report == Report::SeenAsleep && counts(at) && is_new && !is_logged(at, &bouts) {
            last_seen = at.floor_to(REDRAWN);
            found.push(Happening::SeenAsleep { at, from_habit: from_habit(persona, sources.whereabouts, at) });
        }
    }
    for measured in persona.measurements().filter(|measured| measured.displaced() && counts(measured.cbt_min)) {
        let sd = Span::minutes(i64::from(measured.sd_minutes)).as_hours();
        found.push(Happening::Marker { cbt_min: measured.cbt_min, sd });
    }
    // Stable: of the same instant a shift comes first, then a sleep.
    found.sort_by_key(Happening::at);
    found
}

/// How many main sleeps there were since `from`.
#[must_use]
pub fn nights(sources: &LightSources<'_>, from: UtcMillis) -> usize {
    let bouts = sources.sleeps.bouts(NIGHT_GAP, sources.open_ends_after, UtcMillis::MIN, sources.now);
    bouts.iter().filter(|bout| from <= middle(bout) && is_main(bout, &bouts)).count()
}

/// How many sleeps since `from` were long enough for a night, whether they were some or not.
#[must_use]
pub fn long_sleeps(sources: &LightSources<'_>, from: UtcMillis) -> usize {
    let bouts = sources.sleeps.bouts(NIGHT_GAP, sources.open_ends_after, UtcMillis::MIN, sources.now);
    let is_long = |bout: &Bout| bout.length().is_some_and(|length| length >= LEAST_NIGHT);
    bouts.iter().filter(|bout| from <= middle(bout) && is_long(bout)).count()
}

/// When the clock on the wall changed, and by how much.
fn shifts(whereabouts: &[Stretch]) -> Vec<(UtcMillis, Hours)> {
    let change = |pair: &[Stretch]| {
        let at = pair[1].from;
        let by =
            (zones::offset_at(pair[1].time_zone, at) - zones::offset_at(pair[0].time_zone, at)).as_hours().wrap_12();
        (at, by)
    };
    whereabouts.windows(2).map(change).filter(|(_, by)| by.0 != 0.0).collect()
}

fn middle(bout: &Bout) -> UtcMillis {
    bout.start + Span((bout.end - bout.start).0 / 2)
}

fn is_main(bout: &Bout, bouts: &[Bout]) -> bool {
    let Some(length) = bout.length() else { return false };
    let is_night = (LEAST_NIGHT..=MOST_NIGHT).contains(&length) && bout.kind != Some(SleepKind::Nap);
    let is_beaten_by = |other: &Bout| {
        let near = (middle(other) - middle(bout)).abs() < ONE_A_DAY && other.start != bout.start;
        near && other.length().is_some_and(|others| (others, bout.start) > (length, other.start))
    };
    is_night && !bouts.iter().any(is_beaten_by)
}

fn is_logged(at: UtcMillis, bouts: &[Bout]) -> bool {
    bouts.iter().any(|bout| bout.start - LOGGED_ANYWAY < at && at < bout.end + LOGGED_ANYWAY)
}

/// A time less the usual mid-sleep, on the clock on the wall. Of somebody without a profile neither is known: then it is
/// less what is assumed of strangers, which says how the nights lie to each other.
fn from_habit(persona: &Persona<'_>, whereabouts: &[Stretch], at: UtcMillis) -> Hours {
    (zones::hour_of_day(stretch_at(whereabouts, at).time_zone, at) - persona.day.mid_sleep()).wrap_12()
}
