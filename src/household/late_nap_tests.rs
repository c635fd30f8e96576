//! Naps that were said to be missed, and come later.

use chrono_tz::Tz;

use super::fixtures::*;
use crate::event::activity::{Activity, Age, NapSkipped, Profile, UsualNap};
use crate::event::recommendation::{Action, ActionKind, Reason, Recommendation};
use crate::units::{Span, UtcMillis};

fn first(said: &Recommendation, kind: ActionKind) -> Option<&Action> {
    said.actions.iter().find(|action| action.kind == kind)
}

fn bedtime(said: &Recommendation) -> Option<UtcMillis> {
    first(said, ActionKind::Sleep).map(|night| night.start)
}

/// A toddler's, with the nap at 12:30.
fn ten_days_with_one_nap() -> Story {
    let one_nap = Profile {
        age: Age::Born { year: 2024, month: 10 },
        naps: Some(Box::from([UsualNap { start: 750, minutes: 90 }])),
        ..infant(Tz::Europe__London)
    };
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", one_nap);
    for day in 1..=10 {
        story.slept("mia", at(day - 1, 19.5), at(day, 7.0));
        story.slept("mia", at(day, 12.5), at(day, 14.0));
    }
    story.slept("mia", at(10, 19.5), at(11, 7.0));
    story
}

#[test]
fn a_nap_that_is_slept_later_than_the_report_that_it_was_skipped_gives_the_usual_bedtime_back() {
    let mut story = ten_days_with_one_nap();
    story.skipped("mia", at(11, 13.0));
    assert_eq!(bedtime(&story.said[0]), Some(at(11, 19.0)), "{}", story.said[0].headline);
    story.slept("mia", at(11, 13.5), at(11, 14.0 + 55.0 / 60.0));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed), ("mia", Reason::NapFound)]);
    assert_eq!(bedtime(&story.said[1]), Some(at(11, 19.5)));
    assert_eq!(story.said[1].supersedes, Some(story.said[0].recommendation_id));
    // Once.
    story.slept_told_at(at(11, 15.5), "mia", at(11, 13.5), at(11, 15.0));
    assert_eq!(story.said.len(), 2);
}

#[test]
fn the_second_nap_waits_for_a_first_one_that_was_slept_late() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 10);
    story.until(at(11, 12.5));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed)]);
    story.slept("mia", at(11, 12.6), at(11, 13.8));
    assert_eq!(story.reasons()[1..], [("mia", Reason::NapFound)]);
    let found = &story.said[1];
    let second = first(found, ActionKind::Nap).unwrap();
    assert!(second.start >= at(11, 13.8) + Span::minutes(150), "{}", second.local);
    assert_eq!(bedtime(found), Some(at(11, 19.5)));
}

#[test]
fn a_child_with_one_nap_misses_one_a_day_however_often_it_is_reported() {
    for (reports, said_at) in [(vec![12.75, 13.5], 12.75), (vec![13.0, 16.0], 13.0)] {
        let mut story = ten_days_with_one_nap();
        for hour in reports {
            story.skipped("mia", at(11, hour));
        }
        story.until(at(11, 23.0));
        assert_eq!(story.reasons(), [("mia", Reason::NapMissed)]);
        assert_eq!(story.said[0].issued_at, at(11, said_at));
    }
    let mut story = ten_days_with_one_nap();
    story.until(at(11, 18.5));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed)], "by silence");
    story.skipped("mia", at(11, 18.8));
    story.skipped("mia", at(11, 19.75));
    assert_eq!(story.said.len(), 1);
    // The next day is another.
    story.slept("mia", at(11, 19.0), at(12, 7.0));
    story.skipped("mia", at(12, 13.0));
    assert_eq!(story.said.len(), 2);
}

#[test]
fn a_skip_that_is_reported_before_the_nap_is_due_and_is_wrong_uses_up_no_alarm_of_the_day() {
    let short = (at(11, 12.5), at(11, 12.8));
    for hour in [9.5, 12.0] {
        let mut story = ten_days_with_one_nap();
        story.skipped("mia", at(11, hour));
        story.slept("mia", short.0, short.1);
        assert_eq!(story.reasons(), [("mia", Reason::NapMissed), ("mia", Reason::NapShort)], "reported at {hour}");

        // Told while it goes on as well.
        let mut story = ten_days_with_one_nap();
        story.skipped("mia", at(11, hour));
        story.napped("mia", short.0, short.1);
        assert_eq!(story.reasons().last(), Some(&("mia", Reason::NapShort)), "reported at {hour}");
        let said = story.said.len();

        // That was the one alarm of the day; and the first report, written twice, is no second one.
        let again = Activity::NapSkipped(NapSkipped { at: at(11, hour), reason: None });
        story.tell(at(11, 13.0), "mia", again);
        story.skipped("mia", at(11, 14.5));
        story.until(at(11, 23.0));
        assert_eq!(story.said_since(said), [], "reported at {hour}");
    }
}

#[test]
fn a_skip_that_is_reported_before_the_nap_is_due_and_is_right_is_the_alarm_of_the_day() {
    let mut story = ten_days_with_one_nap();
    story.skipped("mia", at(11, 9.5));
    story.skipped("mia", at(11, 13.5));
    story.until(at(11, 23.0));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed)]);
}

#[test]
fn what_is_reported_when_the_night_has_begun_moves_no_other_night() {
    let mut story = ten_days_with_one_nap();
    story.skipped("mia", at(11, 19.75));
    story.slept("mia", at(11, 19.5), at(12, 7.0));
    story.slept("mia", at(12, 12.5), at(12, 14.0));
    let estimate = &story.estimates()[0];
    let night = estimate.plan.iter().find(|action| action.kind == ActionKind::Sleep).unwrap();
    assert_eq!(night.start, at(12, 19.5));
}

#[test]
fn a_real_nap_after_a_short_one_takes_the_early_bedtime_back() {
    let mut story = ten_days_with_one_nap();
    story.slept("mia", at(11, 12.5), at(11, 12.8));
    assert_eq!(bedtime(&story.said[0]), Some(at(11, 19.0)));
    story.slept("mia", at(11, 13.5), at(11, 14.9));
    assert_eq!(story.reasons(), [("mia", Reason::NapShort), ("mia", Reason::NapFound)]);
    assert_eq!(bedtime(&story.said[1]), Some(at(11, 19.5)));
}

/// London to Tokyo: 20:00 on day 10 to 17:00 there on day 11, told on day 7; everybody sleeps as planned.
fn ten_days_and_tokyo() -> Story {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 7);
    let tokyo = leg("JL42", "LHR", "HND", at(10, 20.0), at(11, 8.0));
    story.tell(at(7, 20.0), "mia", Activity::Trip(Box::new(trip(1, &["mia"], vec![tokyo]))));
    let mut asleep_until = at(8, 7.0);
    story.slept("mia", at(7, 19.5), asleep_until);
    while asleep_until < at(16, 0.0) {
        let estimate = story.estimates().remove(0);
        let next = |action: &&Action| {
            matches!(action.kind, ActionKind::Nap | ActionKind::Sleep) && action.start >= asleep_until
        };
        let next = estimate.plan.iter().find(next).expect("a sleep ahead").clone();
        story.fell_asleep("mia", next.start);
        story.slept("mia", next.start, next.end);
        asleep_until = next.end;
    }
    story
}

#[test]
fn after_a_flight_naps_are_those_of_the_profile_by_the_clock_there_and_none_that_was_slept_is_missed() {
    let story = ten_days_and_tokyo();
    let alarms = [Reason::NapMissed, Reason::NapShort, Reason::NapFound];
    let alarms: Vec<_> = story.said.iter().filter(|said| alarms.contains(&said.reason)).collect();
    assert!(alarms.is_empty(), "{:?}", alarms.iter().map(|said| &said.headline).collect::<Vec<_>>());
    let naps: Vec<String> = story
        .estimates()
        .remove(0)
        .plan
        .into_iter()
        .filter(|action| action.kind == ActionKind::Nap)
        .map(|action| action.local[..5].to_owned())
        .collect();
    assert!(naps.len() >= 4 && naps.iter().all(|nap| nap == "10:30" || nap == "15:30"), "{naps:?}");
}

#[test]
fn a_nap_that_does_not_come_in_the_air_is_not_missed() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 10);
    let leg = leg("BA117", "LHR", "JFK", at(11, 8.5), at(11, 16.5));
    story.tell(at(9, 20.0), "mia", Activity::Trip(Box::new(trip(1, &["mia"], vec![leg]))));
    let before = story.said.len();
    story.slept("mia", at(10, 19.5), at(11, 6.5));
    story.until(at(11, 16.5));
    assert!(!story.said_since(before).contains(&("mia", Reason::NapMissed)), "{:?}", story.said_since(before));
}
