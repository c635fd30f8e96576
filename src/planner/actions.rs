//! From what was decided to what is published: the day's limit, ids that outlive a change of time, local times, words.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::naps::NapSort;
use super::nights::NightSort;
use super::phrases;
use super::setting::Setting;
use super::spans::Interval;
use super::target::Direction;
use crate::event::recommendation::{Action, ActionKind};
use crate::flight::zones;
use crate::units::UtcMillis;

/// An action without its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    /// The day that the action belongs to, by the clock of `zone`; a night or nap keeps it when its time moves past
    /// midnight.
    pub day: NaiveDate,
    pub zone: Tz,
    /// Which of its kind on that day.
    pub index: usize,
    pub window: Interval,
    pub sort: Sort,
}

/// What an action is and why: decides kind, rank and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Where light advice was left out, the night says why.
    Night(NightSort, Option<LeftOut>),
    Nap(NapSort),
    Bright(Direction),
    Dim(Direction),
    Breakfast,
    Caffeine,
    Melatonin,
}

/// Why bright light is not advised where it would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// These blocks, the first with a second where there is one: the clock is not known well enough to say which way light
    /// would push it then.
    Unsure(Interval, Option<Interval>),
    /// A condition in the profile forbids it.
    Forbidden,
}

impl Sort {
    pub fn kind(self) -> ActionKind {
        match self {
            Sort::Night(..) => ActionKind::Sleep,
            Sort::Nap(_) => ActionKind::Nap,
            Sort::Bright(_) => ActionKind::BrightLight,
            Sort::Dim(_) => ActionKind::DimLight,
            Sort::Breakfast => ActionKind::Meal,
            Sort::Caffeine => ActionKind::CaffeineUntil,
            Sort::Melatonin => ActionKind::Melatonin,
        }
    }

    /// What a day with too many actions keeps first: the lowest.
    fn rank(self) -> u8 {
        match self {
            Sort::Night(..) => 0,
            Sort::Nap(_) => 1,
            Sort::Bright(_) => 2,
            Sort::Dim(_) => 3,
            Sort::Breakfast => 4,
            Sort::Caffeine => 5,
            Sort::Melatonin => 6,
        }
    }
}

/// The actions in order of start, at most so many a local day as a person can follow.
pub(super) fn to_actions(setting: &Setting<'_>, household_id: &str, mut drafts: Vec<Draft>) -> Vec<Action> {
    drafts.sort_by_key(|draft| (draft.sort.rank(), draft.window, draft.index));
    let mut a_day: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    drafts.retain(|draft| {
        let zone = setting.stretch_at(draft.window.start).time_zone;
        let on_this_day = a_day.entry(zones::local_date(zone, draft.window.start)).or_default();
        *on_this_day += 1;
        *on_this_day <= setting.numbers.other.actions_a_day
    });
    number_apart(&mut drafts);
    drafts.sort_by_key(|draft| (draft.window.start, draft.sort.rank(), draft.window.end));
    drafts.iter().map(|draft| to_action(setting, household_id, draft)).collect()
}

/// Two of a kind on one day get different numbers, in order of time.
fn number_apart(drafts: &mut [Draft]) {
    let mut taken: BTreeMap<(ActionKind, NaiveDate, &str), Vec<usize>> = BTreeMap::new();
    for draft in drafts {
        let numbers = taken.entry((draft.sort.kind(), draft.day, draft.zone.name())).or_default();
        while numbers.contains(&draft.index) {
            draft.index += 1;
        }
        numbers.push(draft.index);
    }
}

fn to_action(setting: &Setting<'_>, household_id: &str, draft: &Draft) -> Action {
    let Interval { start, end } = draft.window;
    let stretch = setting.stretch_at(start);
    let kind = draft.sort.kind();
    let words = phrases::words(setting, stretch, draft);
    Action {
        action_id: action_id(household_id, setting.situation.person.user_id, draft),
        kind,
        start,
        end,
        time_zone: stretch.time_zone.name().to_owned(),
        local: local_window(stretch.time_zone, start, end),
        message: words.message,
        why: words.why,
    }
}

/// `18:45–06:30`, with an en dash.
pub(super) fn local_window(zone: Tz, start: UtcMillis, end: UtcMillis) -> String {
    format!("{}–{}", zones::hhmm(zone, start), zones::hhmm(zone, end))
}

/// `UUIDv5` over who, what and which of the day, not over the times: a moved action keeps its id.
fn action_id(household_id: &str, user_id: &str, draft: &Draft) -> Uuid {
    let Draft { day, zone, index, sort, .. } = draft;
    let kind = sort.kind().as_str();
    let name = serde_json::json!(["zoner action", household_id, user_id, kind, zone.name(), day.to_string(), index]);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.to_string().as_bytes())
}
