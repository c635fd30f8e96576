//! Naps that are missed, short, reported skipped, or found again.

use chrono_tz::Tz;

use super::fixtures::*;
use crate::event::activity::{Activity, Age, NapSkipped, Profile, Sleep, SleepKind};
use crate::event::recommendation::{ActionKind, Reason, Urgency};
use crate::traveller::Due;
use crate::units::{Span, UtcMillis};

fn ten_regular_days() -> Story {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 10);
    story
}

fn missed(story: &Story) -> Vec<UtcMillis> {
    story.said.iter().filter(|said| said.reason == Reason::NapMissed).map(|said| said.issued_at).collect()
}

#[test]
fn regular_days_raise_no_alarm() {
    let mut story = ten_regular_days();
    story.until(at(11, 10.5));
    assert!(story.said.is_empty(), "{:?}", story.reasons());
}

#[test]
fn a_nap_that_does_not_come_is_said_once_half_an_hour_to_an_hour_and_a_half_late() {
    let mut story = ten_regular_days();
    story.until(at(11, 19.0));
    let missed = missed(&story);
    assert_eq!(missed.len(), 1);
    let late = (missed[0] - at(11, 10.5)).as_hours().0;
    assert!((0.5..=1.7).contains(&late), "{late}");
    let said = &story.said[0];
    assert_eq!((said.cause.activity.as_str(), said.cause.kind.as_deref()), ("timer", Some("nap")));
    assert!(said.headline.contains("Mia") && said.headline.len() <= 90, "{}", said.headline);
    assert!(said.actions.iter().any(|action| matches!(action.kind, ActionKind::Nap | ActionKind::Sleep)));
    assert!(said.expires_at > said.issued_at);
}

#[test]
fn a_nap_that_was_slept_is_not_missed_and_the_second_one_is() {
    let mut story = ten_regular_days();
    story.napped("mia", at(11, 10.5), at(11, 11.75));
    story.until(at(11, 19.0));
    assert_eq!(missed(&story).len(), 1);
    assert!(missed(&story)[0] > at(11, 15.9));
}

#[test]
fn who_is_asleep_has_not_missed_a_nap() {
    let mut story = ten_regular_days();
    story.fell_asleep("mia", at(11, 10.6));
    story.until(at(11, 13.0));
    assert!(story.said.is_empty());
}

#[test]
fn silence_means_nothing_while_naps_are_not_logged() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    for day in 1..=10 {
        story.slept("mia", at(day - 1, 19.5), at(day, 7.0));
    }
    story.until(at(11, 0.0));
    assert!(story.said.is_empty(), "{:?}", story.reasons());
}

#[test]
fn who_reports_naps_when_they_are_over_is_given_the_time_to() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    for day in 1..=10 {
        story.slept("mia", at(day - 1, 19.5), at(day, 7.0));
        story.slept("mia", at(day, 10.5), at(day, 11.75));
        story.slept("mia", at(day, 15.5), at(day, 16.75));
    }
    story.slept("mia", at(10, 19.5), at(11, 7.0));
    assert!(story.said.is_empty(), "{:?}", story.reasons());
    story.until(at(11, 15.0));
    assert_eq!(missed(&story).len(), 1);
    assert!(missed(&story)[0] >= at(11, 12.25));
}

#[test]
fn two_logged_days_are_not_enough_for_an_alarm_and_three_are() {
    for (days, alarms) in [(2, 0), (3, 1)] {
        let mut story = Story::new();
        story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
        story.regular_days("mia", 1, days);
        story.until(at(days + 1, 13.0));
        assert_eq!(missed(&story).len(), alarms, "after {days} days");
    }
}

#[test]
fn nothing_is_inferred_before_a_wake_was_seen() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 9);
    story.napped("mia", at(10, 10.5), at(10, 11.75));
    story.napped("mia", at(10, 15.5), at(10, 16.75));
    story.fell_asleep("mia", at(10, 19.5));
    story.until(at(11, 18.0));
    assert!(story.said.is_empty(), "the night was never closed: {:?}", story.reasons());
}

#[test]
fn under_three_months_silence_is_never_an_alarm() {
    let mut story = Story::new();
    let newborn = Profile { age: Age::Born { year: 2026, month: 1 }, ..infant(Tz::Europe__London) };
    story.profile(at(0, 12.0), "mia", newborn);
    story.regular_days("mia", 1, 10);
    story.until(at(11, 18.0));
    assert!(story.said.is_empty(), "{:?}", story.reasons());
    assert!(story.estimates()[0].circadian.cbt_min.is_none());
}

#[test]
fn a_reported_skip_is_answered_at_once_and_once() {
    let mut story = ten_regular_days();
    story.skipped("mia", at(11, 10.8));
    assert_eq!(missed(&story), [at(11, 10.8)]);
    assert_eq!(story.said[0].cause.activity, "nap_skipped");
    story.skipped("mia", at(11, 11.2));
    story.until(at(11, 15.0));
    assert_eq!(missed(&story).len(), 1, "neither a second report nor silence says it again");
}

#[test]
fn a_report_after_the_alarm_says_nothing_new() {
    let mut story = ten_regular_days();
    story.until(at(11, 12.5));
    assert_eq!(missed(&story).len(), 1);
    story.skipped("mia", at(11, 12.6));
    assert_eq!(missed(&story).len(), 1);
}

#[test]
fn a_second_skipped_nap_of_the_day_is_answered_too() {
    let mut story = ten_regular_days();
    story.skipped("mia", at(11, 10.5));
    story.skipped("mia", at(11, 14.8));
    assert_eq!(missed(&story), [at(11, 10.5), at(11, 14.8)]);
    let bed = |index: usize| {
        let said = &story.said[index];
        said.actions.iter().find(|action| action.kind == ActionKind::Sleep).map(|action| action.start)
    };
    assert!(bed(1) <= bed(0));
    // Told again, much later and out of order.
    let again = Activity::NapSkipped(NapSkipped { at: at(11, 10.5), reason: None });
    story.tell(at(11, 15.0), "mia", again);
    story.skipped("mia", at(11, 15.1));
    story.until(at(11, 19.0));
    assert_eq!(missed(&story).len(), 2, "{:?}", missed(&story));
}

#[test]
fn a_skip_is_answered_where_the_night_was_not_logged() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.skipped("mia", at(1, 14.8));
    story.skipped("mia", at(2, 8.5));
    story.skipped("mia", at(2, 10.5));
    story.skipped("mia", at(2, 10.8));
    story.skipped("mia", at(2, 14.8));
    assert_eq!(missed(&story), [at(1, 14.8), at(2, 8.5), at(2, 10.5)], "of two naps a day");
}

fn bedtime(said: &crate::event::recommendation::Recommendation) -> Option<UtcMillis> {
    said.actions.iter().find(|action| action.kind == ActionKind::Sleep).map(|action| action.start)
}

#[test]
fn a_skip_that_is_reported_hours_early_leaves_the_nap_expected() {
    let mut story = ten_regular_days();
    story.skipped("mia", at(11, 8.2));
    assert_eq!(missed(&story), [at(11, 8.2)], "answered at once");
    let nap = story.said[0].actions.iter().find(|action| action.kind == ActionKind::Nap).expect("a nap today");
    assert_eq!((nap.start, nap.end), (at(11, 10.5), at(11, 11.75)), "the usual one");
    assert!(bedtime(&story.said[0]) < Some(at(11, 19.5)), "an earlier night");
    let next = story.estimates()[0].sleep.next_nap.map(|nap| nap.start);
    assert_eq!(next, Some(at(11, 10.5)));
    // Nobody sleeps: that nap is missed too.
    story.until(at(11, 14.0));
    assert_eq!(missed(&story).len(), 2);
}

#[test]
fn the_nap_that_is_slept_after_an_early_report_counts_and_the_next_one_is_expected() {
    let mut story = ten_regular_days();
    story.skipped("mia", at(11, 8.2));
    story.napped("mia", at(11, 10.6), at(11, 11.8));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed), ("mia", Reason::NapFound)]);
    assert_eq!(story.said[1].supersedes, Some(story.said[0].recommendation_id));
    assert_eq!(bedtime(&story.said[1]), Some(at(11, 19.5)), "bedtime is the usual one again");
    let next = story.estimates()[0].sleep.next_nap.expect("the second nap").start;
    assert!((next - at(11, 15.5)).abs() <= Span::minutes(20), "{next}");
    story.until(at(11, 19.0));
    assert_eq!(missed(&story).len(), 2, "and missed when it does not come");
}

#[test]
fn an_early_report_of_a_child_whose_night_was_not_logged_leaves_the_nap_in_the_plan() {
    let mut story = Story::new();
    let naps = Some(Box::from([crate::event::activity::UsualNap { start: 750, minutes: 90 }]));
    story.profile(at(0, 12.0), "mia", Profile { naps, ..infant(Tz::Europe__London) });
    story.skipped("mia", at(1, 9.5));
    let nap = story.said[0].actions.iter().find(|action| action.kind == ActionKind::Nap).expect("a nap today");
    assert_eq!(nap.start, at(1, 12.5));
}

#[test]
fn a_skip_long_after_silence_was_taken_for_one_is_another() {
    let mut story = ten_regular_days();
    story.until(at(11, 12.5));
    assert_eq!(missed(&story).len(), 1);
    story.skipped("mia", at(11, 15.8));
    assert_eq!(missed(&story).len(), 2);
}

#[test]
fn the_next_nap_is_that_of_the_plan() {
    let mut story = ten_regular_days();
    for hour in [7.5, 9.0, 10.6, 11.0, 13.0, 15.0, 18.0] {
        story.until(at(11, hour));
        let estimate = &story.estimates()[0];
        let ahead = estimate.plan.iter().find(|action| action.kind == ActionKind::Nap && action.start > story.now);
        let next = estimate.sleep.next_nap;
        assert!(ahead.is_none_or(|nap| next.is_some_and(|next| next.start <= nap.start)), "at {hour}");
        assert!(next.is_none_or(|next| estimate.plan.iter().any(|action| action.start == next.start)), "at {hour}");
    }
    story.fell_asleep("mia", at(11, 19.5));
    assert_eq!(story.estimates()[0].sleep.next_nap, None);
}

#[test]
fn a_skip_reported_for_an_adult_without_naps_is_left_alone() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    story.skipped("ana", at(1, 14.0));
    story.skipped("nobody", at(1, 14.0));
    assert!(story.said.is_empty());
}

#[test]
fn a_short_nap_is_said_when_it_ends_and_once() {
    let mut story = ten_regular_days();
    story.fell_asleep("mia", at(11, 10.5));
    story.slept("mia", at(11, 10.5), at(11, 10.75));
    assert_eq!(story.reasons(), [("mia", Reason::NapShort)]);
    story.slept_told_at(at(11, 10.9), "mia", at(11, 10.5), at(11, 10.75));
    story.slept_told_at(at(11, 11.0), "mia", at(11, 10.5), at(11, 10.8));
    assert_eq!(story.reasons().len(), 1, "the same nap told again, or a few minutes longer");
}

#[test]
fn a_slip_of_the_finger_is_no_nap() {
    let mut story = ten_regular_days();
    story.slept("mia", at(11, 10.5), at(11, 10.55));
    assert!(story.said.is_empty());
    story.until(at(11, 13.0));
    assert_eq!(missed(&story).len(), 1);
}

#[test]
fn a_false_start_of_the_night_is_no_short_nap() {
    let mut story = ten_regular_days();
    story.napped("mia", at(11, 10.5), at(11, 11.75));
    story.slept("mia", at(11, 19.4), at(11, 19.6));
    assert!(!story.reasons().contains(&("mia", Reason::NapShort)));
}

#[test]
fn a_short_nap_that_turns_out_longer_is_taken_back() {
    let mut story = ten_regular_days();
    story.slept("mia", at(11, 10.5), at(11, 10.75));
    story.slept_told_at(at(11, 12.0), "mia", at(11, 10.5), at(11, 11.75));
    assert_eq!(story.reasons(), [("mia", Reason::NapShort), ("mia", Reason::NapFound)]);
    assert_eq!(story.said[1].supersedes, Some(story.said[0].recommendation_id));
}

#[test]
fn a_nap_that_is_found_later_takes_the_alarm_back() {
    let mut story = ten_regular_days();
    story.until(at(11, 12.5));
    story.slept_told_at(at(11, 13.0), "mia", at(11, 10.5), at(11, 11.75));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed), ("mia", Reason::NapFound)]);
    let (alarm, found) = (&story.said[0], &story.said[1]);
    assert_eq!(found.supersedes, Some(alarm.recommendation_id));
    assert_eq!(found.urgency, Urgency::Passive);
    let bed = |said: &crate::event::recommendation::Recommendation| {
        said.actions.iter().find(|action| action.kind == ActionKind::Sleep).map(|action| action.start)
    };
    assert!(bed(alarm) < bed(found), "bedtime is the usual one again");
    story.slept_told_at(at(11, 13.1), "mia", at(11, 10.5), at(11, 11.75));
    assert_eq!(story.reasons().len(), 2, "found once");
}

#[test]
fn a_nap_that_began_before_the_alarm_counts_as_found_while_it_goes_on() {
    let mut story = ten_regular_days();
    story.until(at(11, 12.5));
    let sleep = Sleep::Interval { start: at(11, 11.0), end: None, kind: None, deleted: false };
    story.tell(at(11, 12.6), "mia", Activity::Sleep(sleep));
    assert_eq!(story.reasons()[1..], [("mia", Reason::NapFound)]);
}

#[test]
fn a_short_make_up_nap_after_the_alarm_takes_nothing_back() {
    let mut story = ten_regular_days();
    story.until(at(11, 12.5));
    story.slept("mia", at(11, 12.6), at(11, 13.3));
    assert_eq!(missed(&story).len(), 1);
    assert!(!story.reasons().contains(&("mia", Reason::NapFound)));
}

#[test]
fn a_nap_given_as_such_is_one_at_any_hour() {
    let mut story = ten_regular_days();
    let nap = |start, end| Sleep::Interval { start, end: Some(end), kind: Some(SleepKind::Nap), deleted: false };
    story.tell(at(11, 10.9), "mia", Activity::Sleep(nap(at(11, 10.5), at(11, 10.75))));
    assert_eq!(story.reasons(), [("mia", Reason::NapShort)]);
}

#[test]
fn the_log_of_a_day_that_comes_in_the_evening_raises_no_alarm() {
    let mut story = ten_regular_days();
    let evening = at(12, 18.5);
    story.slept_told_at(evening, "mia", at(11, 10.5), at(11, 11.75));
    story.said.clear();
    story.slept_told_at(evening, "mia", at(11, 19.5), at(12, 7.0));
    story.slept_told_at(evening, "mia", at(12, 10.5), at(12, 11.75));
    story.slept_told_at(evening, "mia", at(12, 15.5), at(12, 16.75));
    story.until(at(12, 23.0));
    assert!(story.said.is_empty(), "{:?}", story.reasons());
}

#[test]
fn far_from_home_naps_follow_the_body_and_not_the_clock_on_the_wall() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    let tokyo = leg("JL42", "LHR", "HND", at(10, 20.0), at(11, 9.0));
    story.tell(at(1, 0.0), "mia", Activity::Trip(Box::new(trip(1, &["mia"], vec![tokyo]))));
    story.regular_days("mia", 1, 9);
    story.napped("mia", at(10, 10.5), at(10, 11.75));
    story.napped("mia", at(10, 15.5), at(10, 16.75));
    story.slept("mia", at(10, 20.5), at(11, 6.5));
    let before = story.said.len();
    // 10:30 in London is 19:30 in Tokyo: evening on the wall, first nap for the body.
    story.slept("mia", at(11, 10.5), at(11, 10.75));
    assert_eq!(story.said_since(before), [("mia", Reason::NapShort)]);
}

#[test]
fn who_gets_a_profile_on_a_journey_has_the_naps_of_that_home_at_once() {
    // The second telling sees that home for certain.
    let live = |tellings: usize| {
        let mut story = Story::new();
        let singapore = leg("SQ321", "LHR", "SIN", at(10, 20.0), at(11, 9.0));
        story.tell(at(1, 0.0), "mia", Activity::Trip(Box::new(trip(1, &["mia"], vec![singapore]))));
        story.regular_days("mia", 1, 9);
        story.slept("mia", at(10, 20.5), at(11, 6.5));
        for _ in 0..tellings {
            story.profile(at(11, 7.0), "mia", infant(Tz::America__Los_Angeles));
        }
        story
    };
    let (once, twice) = (live(1), live(2));
    assert!(once.household.next_due != Due::NEVER);
    assert_eq!(once.household, twice.household);
}

#[test]
fn late_facts_are_counted_and_change_nothing() {
    let mut story = ten_regular_days();
    let before = story.estimates();
    story.slept_told_at(story.now, "mia", at(7, 1.0), at(7, 2.0));
    assert_eq!(story.late, 1);
    assert_eq!(story.estimates(), before);
    story.until(story.now + Span::minutes(1));
}
