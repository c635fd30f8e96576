//! The plan by rule: nights first, then naps, then light around CBTmin, then meals and what adults asked for.

use super::actions::{Draft, LeftOut, Sort, to_actions};
use super::evening::ease_evening;
use super::expectation::expectation;
use super::light::{Light, light};
use super::naps::naps;
use super::nights::{Night, nights};
use super::setting::Setting;
use super::spans::Interval;
use super::target::{Direction, Outlook, heading};
use super::{Plan, Situation};
use crate::event::recommendation::ActionKind;
use crate::flight::zones;
use crate::units::UtcMillis;

/// The plan from `now` for the next three days; the same for the same situation.
///
/// `household_id` goes into the action ids: a user id is unique within its household only. Without whereabouts there is
/// nothing to plan for, and the plan is empty.
#[must_use]
pub fn make(situation: &Situation<'_>, household_id: &str) -> Plan {
    if situation.whereabouts.is_empty() {
        return Plan::default();
    }
    let setting = Setting::new(situation);
    let outlook = Outlook::of(&setting);
    let mut nights = nights(&setting, &outlook);
    let mut naps = naps(&setting, &outlook, &nights);
    ease_evening(&setting, &outlook, &mut nights, &mut naps);
    let asleep: Vec<Interval> =
        nights.iter().map(|night| night.window).chain(naps.iter().map(|nap| nap.window)).collect();
    let light = light(&setting, &outlook, &nights, &naps);

    let mut drafts: Vec<Draft> = Vec::new();
    let told: Vec<&Night> = nights.iter().filter(|night| night.is_told).collect();
    for (position, night) in told.iter().enumerate() {
        // Light that was left out is explained with the night before it, or the first.
        let from = if position == 0 { UtcMillis::MIN } else { night.window.start };
        let until = told.get(position + 1).map_or(UtcMillis::MAX, |next| next.window.start);
        let mut unsure = light.left_out.iter().filter(|block| (from..until).contains(&block.start));
        // Once is enough: it does not change from day to day.
        let is_forbidden = light.is_forbidden && position == 0;
        let light_left_out = match unsure.next() {
            _ if is_forbidden => Some(LeftOut::Forbidden),
            Some(block) => Some(LeftOut::Unsure(*block, unsure.next().copied())),
            None => None,
        };
        let sort = Sort::Night(night.sort, light_left_out);
        drafts.push(Draft { day: night.day, zone: night.zone, index: night.part, window: night.window, sort });
    }
    for nap in &naps {
        let sort = Sort::Nap(nap.sort);
        drafts.push(Draft { day: nap.day, zone: nap.zone, index: nap.index, window: nap.window, sort });
    }
    drafts.extend(light_drafts(&setting, &outlook, &light));
    drafts.extend(breakfasts(&setting, &outlook, &nights, &asleep));
    if setting.is_adult() {
        drafts.extend(caffeine(&setting, &outlook, &nights));
        drafts.extend(melatonin(&setting, &outlook, &asleep));
    }
    let heading = heading(&setting, outlook.course.as_ref());
    Plan { actions: to_actions(&setting, household_id, drafts), expect: expectation(&setting, &outlook), heading }
}

fn light_drafts(setting: &Setting<'_>, outlook: &Outlook, light: &Light) -> Vec<Draft> {
    let Some(course) = outlook.moving() else { return Vec::new() };
    let sort = |kind| match kind {
        ActionKind::BrightLight => Sort::Bright(course.direction),
        _ => Sort::Dim(course.direction),
    };
    light.blocks.iter().map(|block| local_draft(setting, block.window, sort(block.kind))).collect()
}

/// Breakfast soon after waking, on the days on which the clock moves and at hours at which people call it that.
fn breakfasts(setting: &Setting<'_>, outlook: &Outlook, nights: &[Night], asleep: &[Interval]) -> Vec<Draft> {
    let is_fed_on_demand = setting.situation.person.age_months < setting.numbers.ages.breakfast_from_months;
    if is_fed_on_demand {
        return Vec::new();
    }
    let numbers = &setting.numbers.other;
    let mut drafts = Vec::new();
    for night in nights {
        let start = night.window.end + numbers.breakfast_after_wake;
        let planned = Interval::new(start, start + numbers.breakfast_length);
        let Some(window) = setting.still_ahead(planned, numbers.breakfast_rest_least) else { continue };
        let zone = setting.stretch_at(window.start).time_zone;
        let minute = i32::from(zones::local(zone, window.start).minute_of_day);
        let is_morning = (numbers.breakfast_from_minute..=numbers.breakfast_until_minute).contains(&minute);
        let is_aboard = setting.stretch_at(window.start).is_aboard() || setting.stretch_at(window.end).is_aboard();
        let is_asleep = asleep.iter().any(|sleep| sleep.overlaps(window));
        let helps = outlook.is_moving_at(setting, planned.start) && window.start < setting.horizon_end();
        if is_morning && !is_aboard && !is_asleep && helps {
            drafts.push(local_draft(setting, window, Sort::Breakfast));
        }
    }
    drafts
}

/// Until when coffee and tea leave the night alone, on the days on which the clock moves: from waking on, or for who
/// has been awake since before the plan, from now on.
fn caffeine(setting: &Setting<'_>, outlook: &Outlook, nights: &[Night]) -> Vec<Draft> {
    if !setting.situation.person.caffeine {
        return Vec::new();
    }
    let numbers = &setting.numbers.other;
    let mut drafts = Vec::new();
    let mut awake_from = setting.grid_up(setting.now());
    for night in nights {
        let planned = Interval::new(awake_from, night.window.start - numbers.caffeine_before_bed);
        awake_from = awake_from.max(night.window.end);
        let helps = outlook.is_moving_at(setting, planned.end) && planned.start < setting.horizon_end();
        if planned.length() >= numbers.grid && helps && planned.end > setting.now() {
            drafts.push(local_draft(setting, planned, Sort::Caffeine));
        }
    }
    drafts
}

/// When melatonin pulls the clock to earlier hours, for adults who asked and where that is needed. No dose.
fn melatonin(setting: &Setting<'_>, outlook: &Outlook, asleep: &[Interval]) -> Vec<Draft> {
    let wanted = setting.situation.person.melatonin;
    let advances = outlook.moving().is_some_and(|course| course.direction == Direction::Advance);
    if !wanted || !advances {
        return Vec::new();
    }
    let numbers = &setting.numbers.other;
    let before = setting.numbers.clock.dlmo_before_cbt_min + numbers.melatonin_before_dlmo;
    let mut drafts = Vec::new();
    for cbt_min in &outlook.cbt_mins {
        let start = setting.grid_up(*cbt_min - before);
        let window = Interval::new(start, start + numbers.melatonin_window);
        let is_ahead = window.start >= setting.now() && window.start < setting.horizon_end();
        let is_awake = !asleep.iter().any(|sleep| sleep.overlaps(window));
        if is_ahead && is_awake && !setting.stretch_at(start).is_aboard() && outlook.is_moving_at(setting, start) {
            drafts.push(local_draft(setting, window, Sort::Melatonin));
        }
    }
    drafts
}

/// An action of the date on the wall where the person is when it starts.
fn local_draft(setting: &Setting<'_>, window: Interval, sort: Sort) -> Draft {
    let zone = setting.stretch_at(window.start).time_zone;
    Draft { day: zones::local_date(zone, window.start), zone, index: 0, window, sort }
}
