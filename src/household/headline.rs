//! The sentence of a recommendation: which times of the plan it names, and what of a changed plan.

use super::recommend::{Advice, Topic, first_ahead, next_nap};
use crate::event::recommendation::{Action, ActionKind};
use crate::flight::zones;
use crate::planner::{
    self, Difference, HeadlineInput, News, Nights, Place, Plan, Published, Reader, Step, StepTime, Stretch, When,
    is_repeated_by,
};
use crate::traveller::clock::stretch_at;
use crate::units::{Span, UtcMillis};

/// A night that begins this much off the usual time is one that moves.
const NIGHT_MOVES: Span = Span::minutes(15);

/// A change that the daily look speaks of, as `planner::compare` has it.
const TOLD_FROM: Span = Span::minutes(30);

/// What was changed later than this does not go into a headline.
const SPOKEN_OF: Span = Span::hours(24);

/// The sentence for a topic, with the times that say something to who reads it now and here.
pub(super) fn headline(
    topic: &Topic<'_>,
    advice: &Advice<'_>,
    difference: &Difference,
    before: &[Published],
    whereabouts: &[Stretch],
    now: UtcMillis,
) -> String {
    let here = stretch_at(whereabouts, now);
    // Nobody goes to bed in the air.
    let is_aboard = |action: &Action| matches!(stretch_at(whereabouts, action.start).place, Place::Aboard { .. });
    let persona = &advice.assessment.persona;
    let plan = &advice.plan;
    // A time of day alone, or "tonight", is only clear where and when the person is.
    let is_clear = |when: &When| when.is_near(now, here.time_zone);
    let next_night = first_ahead(plan, ActionKind::Sleep, now).filter(|night| !is_aboard(night));
    let bed = next_night.map(When::of).filter(is_clear);
    let nap = next_nap(plan, now).map(When::of).filter(is_clear);
    let news = match *topic {
        Topic::NapMissed => News::NapMissed { bed, nap },
        Topic::NapShort { slept } => News::NapShort { slept, bed, nap },
        Topic::NapFound => News::NapFound { bed: bed.filter(|_| has_bedtime_moved(plan, before, now)) },
        Topic::Delayed { flight, late_by, time, .. } => {
            News::FlightDelayed { flight, late_by, time, plan_holds: !difference.worth_saying }
        }
        Topic::Connection { changed, late_by, departs, other, changed_comes_first, airport, left, .. } => {
            let boarding = Some(departs).filter(|departs| departs.at > now);
            News::Connection { changed, late_by, boarding, other, changed_comes_first, airport, left }
        }
        Topic::ConnectionMended { flight, late_by, departs, airport, .. } => {
            let boarding = Some(departs).filter(|departs| departs.at > now);
            News::ConnectionMended { flight, late_by, boarding, airport }
        }
        Topic::Reinstated { flight, was_diverted, departs, .. } => {
            News::FlightReinstated { flight, was_diverted, boarding: Some(departs).filter(|departs| departs.at > now) }
        }
        Topic::Cancelled { flight, certain, .. } => News::FlightCancelled { flight, confirmed: certain },
        Topic::Diverted { flight, to, .. } => News::FlightDiverted { flight, to },
        Topic::Trip { destination, .. } => {
            News::TripPlanned { destination, nights: nights_of_trip(advice, before, now, is_aboard) }
        }
        Topic::CalledOff { destination } => News::TripCalledOff { destination, away: here.place != Place::Home },
        Topic::Refreshed => News::PlanRefreshed {
            change: first_change(plan, before, now, is_aboard),
            dropped: first_dropped(plan, before, now),
        },
    };
    planner::headline(&HeadlineInput {
        name: persona.profile.and_then(|profile| profile.display_name.as_deref()),
        adult: planner::is_spoken_to(persona.months),
        reader: Reader { now, time_zone: here.time_zone },
        news,
    })
}

/// Whether the night that comes next begins at another time than was said.
fn has_bedtime_moved(plan: &Plan, before: &[Published], now: UtcMillis) -> bool {
    let Some(night) = first_ahead(plan, ActionKind::Sleep, now) else { return false };
    before.iter().find(|old| old.action_id == night.action_id).is_some_and(|old| old.start != night.start)
}

/// The nights that are still ahead: which of them is the first that moves, where a clock has to.
fn nights_of_trip(
    advice: &Advice<'_>,
    before: &[Published],
    now: UtcMillis,
    is_aboard: impl Fn(&Action) -> bool,
) -> Nights {
    let usual = Span::minutes(i64::from(advice.assessment.persona.day.bedtime));
    let is_unusual = |night: &&Action| {
        let When { at, time_zone } = When::of(night);
        let off = (zones::hour_of_day(time_zone, at) - usual.as_hours()).wrap_12();
        Span::from_hours(off).abs() >= NIGHT_MOVES
    };
    let is_night = |action: &&Action| action.kind == ActionKind::Sleep && !is_aboard(action);
    let nights = || advice.plan.actions.iter().filter(is_night).filter(|action| action.start > now);
    // Of a night that was published the time said then is what people know; of another one, the habit.
    let said = |night: &Action| {
        let meets = |old: &&Published| old.kind == ActionKind::Sleep && old.start < night.end && night.start < old.end;
        before.iter().find(|old| old.action_id == night.action_id).or_else(|| before.iter().find(meets))
    };
    let moves = |night: &&Action| match said(night) {
        Some(old) => (old.start - night.start).abs() >= NIGHT_MOVES,
        None => is_unusual(night) && !before.iter().any(|old| is_repeated_by(*old, Published::of(night))),
    };
    let has_to_move = advice.plan.expect.is_some();
    match nights().find(moves).filter(|_| has_to_move) {
        Some(night) => Nights::MoveFrom(When::of(night)),
        None if nights().any(|night| is_unusual(&night) && said(night).is_some()) => Nights::AsPlannedBefore,
        None => Nights::Usual,
    }
}

/// Of the actions of the next day that moved or are new the first one that matters most: sleep, nap, light, the rest.
/// One of which the end moved most is named by it, if there is no other.
fn first_change(
    plan: &Plan,
    before: &[Published],
    now: UtcMillis,
    is_aboard: impl Fn(&Action) -> bool,
) -> Option<Step> {
    let spoken_until = before.iter().map(|action| action.end).max();
    // In settled life one usual day follows another, see `planner::compare`.
    let rolls_on = |start: UtcMillis| plan.expect.is_none() && spoken_until.is_some_and(|until| start >= until);
    let is_repeated = |action: &Action| before.iter().any(|old| is_repeated_by(*old, Published::of(action)));
    let is_near = |start: UtcMillis| start < now + SPOKEN_OF;
    let changes = plan.actions.iter().filter_map(|action| {
        let old = before.iter().find(|old| old.action_id == action.action_id);
        let end_alone = match old {
            Some(old) if !is_near(old.start.min(action.start)) => return None,
            Some(old) => {
                let new = Published::of(action);
                if is_repeated_by(old.left_at(now), new.left_at(now)) {
                    return None;
                }
                let start_moved = (old.start.max(now) - action.start.max(now)).abs();
                start_moved < TOLD_FROM && (old.end - action.end).abs() > start_moved
            }
            None if action.start < now || !is_near(action.start) => return None,
            None if rolls_on(action.start) || is_repeated(action) => return None,
            None => false,
        };
        let end = When { at: action.end, ..When::of(action) };
        let time = if end_alone { StepTime::End(end) } else { StepTime::Start(When::of(action)) };
        let time = if action.kind == ActionKind::CaffeineUntil { StepTime::End(end) } else { time };
        Some((
            end_alone,
            rank(action.kind),
            action.start,
            Step { kind: action.kind, is_aboard: is_aboard(action), time },
        ))
    });
    let first = changes.min_by_key(|(end_alone, rank, start, _)| (*end_alone, *rank, *start));
    first.map(|(.., step)| step)
}

/// The first action of the next day that falls away.
fn first_dropped(plan: &Plan, before: &[Published], now: UtcMillis) -> Option<(ActionKind, When)> {
    let is_near = |old: &&Published| old.start >= now && old.start < now + SPOKEN_OF;
    let is_gone = |old: &&Published| plan.actions.iter().all(|action| action.action_id != old.action_id);
    let first = before.iter().filter(is_near).filter(is_gone).min_by_key(|old| (rank(old.kind), old.start))?;
    Some((first.kind, When { at: first.start, time_zone: first.time_zone }))
}

/// What matters most comes first.
fn rank(kind: ActionKind) -> u8 {
    match kind {
        ActionKind::Sleep => 0,
        ActionKind::Nap => 1,
        ActionKind::BrightLight | ActionKind::DimLight | ActionKind::Dark => 2,
        _ => 3,
    }
}
