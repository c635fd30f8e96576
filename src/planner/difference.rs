//! What a new plan changes against the one that was published, and whether anybody would want to be told.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Plan;
use super::actions::local_window;
use super::numbers::numbers;
use crate::event::recommendation::{Action, ActionKind, Change};
use crate::flight::zones;
use crate::units::UtcMillis;

/// What a traveller's state keeps of a published action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub action_id: Uuid,
    pub start: UtcMillis,
    pub end: UtcMillis,
    pub time_zone: Tz,
    pub kind: ActionKind,
}

impl Published {
    #[must_use]
    pub fn of(action: &Action) -> Published {
        Published {
            action_id: action.action_id,
            start: action.start,
            end: action.end,
            time_zone: zones::parse(&action.time_zone).unwrap_or(Tz::UTC),
            kind: action.kind,
        }
    }

    /// As it is still to be done at `now`: what has begun starts now.
    fn left_at(self, now: UtcMillis) -> Published {
        Published { start: self.start.max(now), ..self }
    }
}

/// The outcome of [`compare`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// In order of time; only what moved by a quarter of an hour, is new or is gone.
    pub changes: Vec<Change>,
    /// A sleep or light within a day moved, is new or is gone; meals and the like follow from those.
    pub worth_saying: bool,
}

/// Compares what was published last with a new plan.
///
/// What is merely over, or has begun and is not offered any more, is no change. Actions that start after all that was
/// published are new only while a clock moves (the plan has an expectation): in settled life one usual night follows
/// another, and nobody needs to hear of it. With nothing published, everything is new.
#[must_use]
pub fn compare(before: &[Published], after: &Plan, now: UtcMillis) -> Difference {
    let soon_until = now + numbers().other.soon;
    let spoken_until = before.iter().map(|action| action.end).max();
    let rolls_on_silently =
        |start: UtcMillis| after.expect.is_none() && spoken_until.is_some_and(|until| start >= until);
    let mut changes: Vec<(UtcMillis, Change)> = Vec::new();
    for action in &after.actions {
        let new = Published::of(action);
        match before.iter().find(|old| old.action_id == new.action_id) {
            Some(old) => changes.extend(moved(*old, new, now)),
            None if new.start > now && !rolls_on_silently(new.start) => {
                changes.push((new.start, change(new.kind, None, Some(start_text(new)))));
            }
            None => {}
        }
    }
    for old in before {
        let is_still_there = after.actions.iter().any(|action| action.action_id == old.action_id);
        if !is_still_there && old.start > now {
            changes.push((old.start, change(old.kind, Some(start_text(*old)), None)));
        }
    }
    changes.sort_by_key(|(at, change)| (*at, change.action));
    let worth_saying = changes.iter().any(|(at, change)| *at < soon_until && !follows_the_rest(change.action));
    Difference { changes: changes.into_iter().map(|(_, change)| change).collect(), worth_saying }
}

/// What hangs on the nights, or fills a day that has room: listed with the rest, never a reason to say something.
fn follows_the_rest(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Meal | ActionKind::CaffeineUntil | ActionKind::Melatonin)
}

/// The change, if an action moved far enough, with the earlier of its two times.
fn moved(old: Published, new: Published, now: UtcMillis) -> Option<(UtcMillis, Change)> {
    let (was, is) = (old.left_at(now), new.left_at(now));
    let least = numbers().other.moved;
    let at = was.start.min(is.start);
    let start_moved = (is.start - was.start).abs() >= least;
    if start_moved && was.end > now {
        return Some((at, change(new.kind, Some(start_text(old)), Some(start_text(new)))));
    }
    // The end alone: of what has begun it is told as soon as of what is still to come.
    let end_moved = (new.end - old.end).abs() >= least && old.end > now;
    end_moved.then(|| (at, change(new.kind, Some(window_text(old)), Some(window_text(new)))))
}

fn change(action: ActionKind, before: Option<String>, after: Option<String>) -> Change {
    Change { action, before, after }
}

fn start_text(action: Published) -> String {
    zones::hhmm(action.time_zone, action.start)
}

fn window_text(action: Published) -> String {
    local_window(action.time_zone, action.start, action.end)
}
