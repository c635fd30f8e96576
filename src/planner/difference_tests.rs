//! What is news and what is not.

use super::fixtures::{Case, baby, toddler, utc};
use super::{Difference, Plan, Published, Repair, RepairKind, compare};
use crate::event::recommendation::{ActionKind, Change};
use crate::units::{Span, UtcMillis};

fn published(plan: &Plan) -> Vec<Published> {
    plan.actions.iter().map(Published::of).collect()
}

fn change(action: ActionKind, before: Option<&str>, after: Option<&str>) -> Change {
    Change { action, before: before.map(str::to_owned), after: after.map(str::to_owned) }
}

fn later(case: &Case, by: Span) -> Case {
    Case { now: case.now + by, ..case.clone() }
}

#[test]
fn an_earlier_bedtime_is_worth_saying_with_both_times() {
    let usual = toddler("2026-06-10T11:45:00Z");
    let mut missed = usual.clone();
    let [expected, awake_since] = [utc("2026-06-10T10:30:00Z"), utc("2026-06-10T04:30:00Z")];
    missed.repair = Some(Repair { kind: RepairKind::Missed, expected, awake_since, noticed: usual.now });
    let difference = compare(&published(&usual.plan()), &missed.plan(), usual.now);
    assert!(difference.worth_saying);
    assert!(difference.changes.contains(&change(ActionKind::Sleep, Some("19:15"), Some("18:45"))), "{difference:?}");
}

#[test]
fn time_going_by_is_no_news() {
    let case = baby("2026-06-10T07:00:00Z");
    let before = published(&case.plan());
    for hours in 0..72 {
        let case = later(&case, Span::hours(hours));
        assert_eq!(compare(&before, &case.plan(), case.now), Difference::default(), "after {hours} h");
    }
}

#[test]
fn a_nap_that_begins_at_its_time_is_no_news() {
    let case = baby("2026-06-10T08:00:00Z");
    let mut asleep = later(&case, Span::minutes(65));
    asleep.asleep_since = Some(utc("2026-06-10T09:04:00Z"));
    assert_eq!(compare(&published(&case.plan()), &asleep.plan(), asleep.now), Difference::default());
}

#[test]
fn a_small_shift_is_kept_to_itself_and_a_quarter_of_an_hour_is_told() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let with_bed = |minute| Case { bedtime: minute, ..case.clone() }.plan();
    assert!(!compare(&before, &with_bed(19 * 60 + 25), case.now).worth_saying);
    assert!(compare(&before, &with_bed(19 * 60 + 30), case.now).worth_saying);
}

#[test]
fn what_moves_the_day_after_tomorrow_is_listed_and_not_worth_saying() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let mut plan = case.plan();
    let last = plan.actions.last_mut().unwrap();
    last.start += Span::minutes(30);
    let difference = compare(&before, &plan, case.now);
    assert_eq!((difference.changes.len(), difference.worth_saying), (1, false));
}

#[test]
fn what_is_gone_or_new_is_told_with_one_time() {
    let case = toddler("2026-06-10T06:00:00Z");
    let full = case.plan();
    let mut without = full.clone();
    without.actions.retain(|action| action.start > case.now + Span::hours(6) || action.kind != ActionKind::Nap);
    let gone = compare(&published(&full), &without, case.now);
    assert_eq!(gone.changes, [change(ActionKind::Nap, Some("12:30"), None)]);
    let new = compare(&published(&without), &full, case.now);
    assert_eq!(new.changes, [change(ActionKind::Nap, None, Some("12:30"))]);
    assert!(gone.worth_saying && new.worth_saying);
    assert!(compare(&[], &full, UtcMillis(case.now.0)).worth_saying, "nothing was said before");
}
