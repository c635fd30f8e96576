//! What is news and what is not.

use super::fixtures::{Case, baby, toddler, utc};
use super::{Difference, Plan, Published, Reader, Repair, RepairKind, compare};
use crate::event::recommendation::{ActionKind, Change};
use crate::units::Span;

fn published(plan: &Plan) -> Vec<Published> {
    plan.actions.iter().map(Published::of).collect()
}

/// Somebody at home.
fn reader(case: &Case) -> Reader {
    Reader { now: case.now, time_zone: case.home }
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
    let difference = compare(&published(&usual.plan()), &missed.plan(), reader(&usual));
    assert!(difference.worth_saying);
    assert!(difference.changes.contains(&change(ActionKind::Sleep, Some("19:15"), Some("18:45"))), "{difference:?}");
}

#[test]
fn time_going_by_is_no_news() {
    let case = baby("2026-06-10T07:00:00Z");
    let before = published(&case.plan());
    for hours in 0..72 {
        let case = later(&case, Span::hours(hours));
        assert_eq!(compare(&before, &case.plan(), reader(&case)), Difference::default(), "after {hours} h");
    }
}

#[test]
fn a_nap_that_begins_at_its_time_is_no_news() {
    let case = baby("2026-06-10T08:00:00Z");
    let mut asleep = later(&case, Span::minutes(65));
    asleep.asleep_since = Some(utc("2026-06-10T09:04:00Z"));
    assert_eq!(compare(&published(&case.plan()), &asleep.plan(), reader(&asleep)), Difference::default());
}

#[test]
fn a_small_shift_is_kept_to_itself_and_a_quarter_of_an_hour_is_told() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let with_bed = |minute| Case { bedtime: minute, ..case.clone() }.plan();
    assert!(!compare(&before, &with_bed(19 * 60 + 25), reader(&case)).worth_saying);
    assert!(compare(&before, &with_bed(19 * 60 + 30), reader(&case)).worth_saying);
}

#[test]
fn what_moves_the_day_after_tomorrow_is_listed_and_not_worth_saying() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let mut plan = case.plan();
    let last = plan.actions.last_mut().unwrap();
    last.start += Span::minutes(30);
    let difference = compare(&before, &plan, reader(&case));
    assert_eq!((difference.changes.len(), difference.worth_saying), (1, false));
}

#[test]
fn what_is_gone_or_new_is_told_with_one_time() {
    let case = toddler("2026-06-10T06:00:00Z");
    let full = case.plan();
    let mut without = full.clone();
    without.actions.retain(|action| action.start > case.now + Span::hours(6) || action.kind != ActionKind::Nap);
    let gone = compare(&published(&full), &without, reader(&case));
    assert_eq!(gone.changes, [change(ActionKind::Nap, Some("12:30"), None)]);
    let new = compare(&published(&without), &full, reader(&case));
    assert_eq!(new.changes, [change(ActionKind::Nap, None, Some("12:30"))]);
    assert!(gone.worth_saying && new.worth_saying);
    assert!(compare(&[], &full, reader(&case)).worth_saying, "nothing was said before");
}

#[test]
fn a_time_of_another_day_says_which_and_one_of_another_clock_says_where() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let mut plan = case.plan();
    for action in plan.actions.iter_mut().filter(|action| action.kind == ActionKind::Nap) {
        action.start += Span::minutes(30);
    }
    let at_home = compare(&before, &plan, reader(&case)).changes;
    let nap = |before, after| change(ActionKind::Nap, Some(before), Some(after));
    assert_eq!(at_home[..2], [nap("12:30", "13:00"), nap("Thu 11 Jun 12:30", "Thu 11 Jun 13:00")]);
    let in_tokyo = Reader { time_zone: chrono_tz::Asia::Tokyo, ..reader(&case) };
    let read_there = compare(&before, &plan, in_tokyo).changes;
    assert_eq!(read_there[0], nap("12:30 (Amsterdam)", "13:00 (Amsterdam)"));
}

#[test]
fn the_daily_look_is_silent_about_less_than_half_an_hour_and_about_the_same_again() {
    let case = toddler("2026-06-10T06:00:00Z");
    let before = published(&case.plan());
    let refresh = |bedtime| compare(&before, &Case { bedtime, ..case.clone() }.plan(), reader(&case)).worth_a_refresh;
    assert!(!refresh(19 * 60 + 40) && refresh(19 * 60 + 45), "by 25 and by 30 minutes");
    // Two days later the third night is new to who was told of two, and the same once more.
    let mut next = later(&case, Span::days(2)).plan();
    next.expect = Some(crate::event::recommendation::Expectation {
        adapted_on: "2026-06-20".to_owned(),
        range: ["2026-06-20".to_owned(), "2026-06-20".to_owned()],
        unassisted_on: "2026-06-20".to_owned(),
    });
    let told = &before[..4];
    let difference = compare(told, &next, reader(&later(&case, Span::days(2))));
    assert!(difference.worth_saying && !difference.worth_a_refresh, "{difference:?}");
}

#[test]
fn what_begins_at_once_is_among_the_changes_whether_new_or_gone() {
    let case = toddler("2026-06-10T10:30:00Z");
    let plan = case.plan();
    assert_eq!(plan.actions[0].start, case.now, "the nap of 12:30");
    let without: Plan = Plan { actions: plan.actions[1..].to_vec(), ..plan.clone() };
    let new = compare(&published(&without), &plan, reader(&case));
    assert_eq!(new.changes, [change(ActionKind::Nap, None, Some("12:30"))]);
    let gone = compare(&published(&plan), &without, reader(&case));
    assert_eq!(gone.changes, [change(ActionKind::Nap, Some("12:30"), None)]);
}
