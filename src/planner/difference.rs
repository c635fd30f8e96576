//! What a new plan changes against the one that was published, and whether anybody would want to be told.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actions::local_window;
use super::numbers::numbers;
use super::{Plan, Reader, When};
use crate::event::recommendation::{Action, ActionKind, Change};
use crate::flight::{airports, zones};
use crate::units::{Span, UtcMillis};

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
    #[must_use]
    pub fn left_at(self, now: UtcMillis) -> Published {
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
    /// The same where people would do something else: moved by half an hour at the least, and what is new is more than
    /// yesterday's once again.
    pub worth_a_refresh: bool,
}

/// One change, weighed.
struct Weighed {
    at: UtcMillis,
    change: Change,
    /// Somebody would do something else.
    matters: bool,
}

/// Compares what was published last with a new plan.
///
/// What is merely over, or has begun before now and is not offered any more, is no change. Actions that start after all that was
/// published are new only while a clock moves (the plan has an expectation): in settled life one usual night follows
/// another, and nobody needs to hear of it. With nothing published, everything is new.
#[must_use]
pub fn compare(before: &[Published], after: &Plan, reader: Reader) -> Difference {
    let now = reader.now;
    let soon_until = now + numbers().other.soon;
    let spoken_until = before.iter().map(|action| action.end).max();
    let rolls_on_silently =
        |start: UtcMillis| after.expect.is_none() && spoken_until.is_some_and(|until| start >= until);
    let mut changes: Vec<Weighed> = Vec::new();
    for action in &after.actions {
        let new = Published::of(action);
        match before.iter().find(|old| old.action_id == new.action_id) {
            Some(old) => changes.extend(moved(*old, new, reader)),
            None if new.start >= now && !rolls_on_silently(new.start) => {
                let matters = !before.iter().any(|old| is_repeated_by(*old, new));
                let change = change(new.kind, None, Some(start_text(new, reader)));
                changes.push(Weighed { at: new.start, change, matters });
            }
            None => {}
        }
    }
    for old in before {
        let is_still_there = after.actions.iter().any(|action| action.action_id == old.action_id);
        if !is_still_there && old.start >= now {
            let change = change(old.kind, Some(start_text(*old, reader)), None);
            let is_still_done = |action: &Action| {
                let new = Published::of(action);
                old.kind == new.kind && is_about_the_same(*old, new)
            };
            // Low light that is not needed harms nobody.
            let matters = old.kind != ActionKind::DimLight && !after.actions.iter().any(is_still_done);
            changes.push(Weighed { at: old.start, change, matters });
        }
    }
    changes.sort_by_key(|weighed| (weighed.at, weighed.change.action));
    let is_soon = |weighed: &&Weighed| weighed.at < soon_until && !follows_the_rest(weighed.change.action);
    let worth_saying = changes.iter().any(|weighed| is_soon(&weighed));
    let worth_a_refresh = changes.iter().filter(is_soon).any(|weighed| weighed.matters);
    let changes = changes.into_iter().map(|weighed| weighed.change).collect();
    Difference { changes, worth_saying, worth_a_refresh }
}

/// Whether a new action is only what was told already: under another name, or for another day at about the same time by
/// the same clock.
#[must_use]
pub fn is_repeated_by(old: Published, new: Published) -> bool {
    if old.kind != new.kind {
        return false;
    }
    let hour = |action: Published| zones::hour_of_day(action.time_zone, action.start);
    let later = Span::from_hours((hour(new) - hour(old)).wrap_12());
    let start = new.start - later;
    let told_for_this_day = Published { start, end: start + (old.end - old.start), ..old };
    is_about_the_same(old, new) || old.time_zone == new.time_zone && is_about_the_same(told_for_this_day, new)
}

/// Whether who does what was told before does right by the new plan. Light is told for hours around an estimate: while the
/// larger part of a block stays, it does what it is for.
fn is_about_the_same(old: Published, new: Published) -> bool {
    let numbers = &numbers().other;
    if matches!(new.kind, ActionKind::BrightLight | ActionKind::DimLight) {
        let shared = (old.end.min(new.end) - old.start.max(new.start)).0.max(0);
        let (old_length, new_length) = (old.end - old.start, new.end - new.start);
        // Low light for longer than needed harms nobody.
        let whole = if new.kind == ActionKind::DimLight { new_length } else { old_length.max(new_length) };
        return shared as f64 >= numbers.light_shared * whole.0 as f64;
    }
    (new.start - old.start).abs() < numbers.refreshed && (new.end - old.end).abs() < numbers.refreshed
}

/// What hangs on the nights, or fills a day that has room: listed with the rest, never a reason to say something.
fn follows_the_rest(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Meal | ActionKind::CaffeineUntil | ActionKind::Melatonin)
}

/// The change, if an action moved far enough, with the earlier of its two times.
fn moved(old: Published, new: Published, reader: Reader) -> Option<Weighed> {
    let now = reader.now;
    let (was, is) = (old.left_at(now), new.left_at(now));
    let numbers = &numbers().other;
    let at = was.start.min(is.start);
    let (start_moved, end_moved) = ((is.start - was.start).abs(), (new.end - old.end).abs());
    let matters = !is_about_the_same(was, is);
    if start_moved >= numbers.moved && was.end > now {
        let change = change(new.kind, Some(start_text(old, reader)), Some(start_text(new, reader)));
        return Some(Weighed { at, change, matters });
    }
    // The end alone: of what has begun it is told as soon as of what is still to come.
    let change = || change(new.kind, Some(window_text(old, reader)), Some(window_text(new, reader)));
    (end_moved >= numbers.moved && old.end > now).then(|| Weighed { at, change: change(), matters })
}

fn change(action: ActionKind, before: Option<String>, after: Option<String>) -> Change {
    Change { action, before, after }
}

fn start_text(action: Published, reader: Reader) -> String {
    dated(action, zones::hhmm(action.time_zone, action.start), reader)
}

fn window_text(action: Published, reader: Reader) -> String {
    dated(action, local_window(action.time_zone, action.start, action.end), reader)
}

/// With its day where that is not the reader's today, and with the place of its clock where that is not the reader's.
fn dated(action: Published, time: String, reader: Reader) -> String {
    let When { at, time_zone } = When { at: action.start, time_zone: action.time_zone };
    let date = zones::local_date(time_zone, at);
    let dated = if date == reader.today() { time } else { format!("{} {time}", date.format("%a %-d %b")) };
    if reader.reads_clock_of(time_zone, at) {
        return dated;
    }
    format!("{dated} ({})", airports::city_of_zone(time_zone))
}
