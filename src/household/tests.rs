//! People who come, change and are forgotten.

use chrono_tz::Tz;

use super::Household;
use super::fixtures::*;
use crate::engine::Unit;
use crate::event::activity::{Activity, Meal, MealKind, Profile, Sleep};
use crate::event::flight::WatchChange;
use crate::event::recommendation::{ClockQuality, Reason};
use crate::units::Span;

#[test]
fn somebody_without_a_profile_has_an_uncertain_clock_and_no_plan() {
    let mut story = Story::new();
    story.light("7", at(0, 12.0), 400.0);
    story.tell(at(0, 12.1), "8", Activity::Sleep(Sleep::SeenAsleep { at: at(0, 12.1) }));
    let meal = Meal { start: at(0, 12.2), end: at(0, 12.2), kind: MealKind::Meal };
    story.tell(at(0, 12.2), "9", Activity::Meal(meal));
    let estimates = story.estimates();
    assert_eq!(estimates.iter().map(|one| one.estimate_of.as_str()).collect::<Vec<_>>(), ["7", "8", "9"]);
    for estimate in &estimates {
        assert_eq!(estimate.circadian.clock, ClockQuality::Uncertain);
        assert!(estimate.circadian.cbt_min.is_some());
        assert!(estimate.plan.is_empty());
    }
}

#[test]
fn settled_life_has_its_clock_where_the_habit_says() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::America__Los_Angeles));
    story.until(at(3, 20.0));
    let clock = &story.estimates()[0].circadian;
    // Sleep 23:00 to 07:00 in Los Angeles, δ 1 h: 04:00 there is 12:00 UTC.
    let off = (clock.cbt_min.unwrap() - at(4, 12.0)).as_hours();
    assert!(off.0.abs() < 0.25, "{off:?}");
    assert!(clock.misalignment_hours.unwrap().abs() < 0.25);
    assert_eq!(clock.clock, ClockQuality::Estimated);
}

#[test]
fn logging_the_usual_nights_makes_the_clock_surer_and_does_not_move_it() {
    let mut logged = Story::new();
    let mut silent = Story::new();
    for story in [&mut logged, &mut silent] {
        story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    }
    for day in 1..8 {
        logged.slept("ana", at(day - 1, 23.0), at(day, 7.0));
    }
    for story in [&mut logged, &mut silent] {
        story.until(at(7, 12.0));
    }
    let (logged, silent) = (logged.estimates()[0].circadian.clone(), silent.estimates()[0].circadian.clone());
    let moved = logged.cbt_min.unwrap() - silent.cbt_min.unwrap();
    assert!(moved.abs() < Span::minutes(12), "{moved:?}");
    assert!(logged.sd_minutes < silent.sd_minutes, "it makes it surer");
}

#[test]
fn late_evenings_in_the_light_make_the_clock_late() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    for day in 1..6 {
        story.slept("ana", at(day, 3.0), at(day, 10.0));
    }
    story.until(at(5, 14.0));
    let late = story.estimates()[0].circadian.misalignment_hours.unwrap();
    assert!((0.5..4.0).contains(&late), "{late}");
}

#[test]
fn an_older_profile_does_not_replace_a_newer_one() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    let older = Box::new(adult(Tz::Asia__Tokyo));
    story.tell_judged(at(0, 13.0), at(0, 11.0), "ana", Activity::Profile(older));
    let profile = &story.household.travellers()[0].known().unwrap().profile;
    assert_eq!(profile.home_time_zone, Tz::Europe__London);
}

#[test]
fn the_same_profile_again_changes_nothing() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 5);
    let before = story.estimates();
    story.profile(story.now, "mia", infant(Tz::Europe__London));
    assert_eq!(story.estimates(), before);
}

#[test]
fn a_corrected_bedtime_moves_what_is_usual_and_not_the_oscillator() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    story.until(at(5, 12.0));
    story.tell(at(5, 12.0), "ana", Activity::Adherence(adherence()));
    let changed = Profile { bedtime: 1_320, wake: 360, ..adult(Tz::Europe__London) };
    story.profile(at(5, 12.0), "ana", changed);
    let off = story.estimates()[0].circadian.misalignment_hours.unwrap();
    assert!(off.abs() < 1.2, "a clock held by the old habit is at most an hour late for the new one: {off}");
}

fn adherence() -> crate::event::activity::Adherence {
    crate::event::activity::Adherence {
        at: at(5, 12.0),
        action_id: "a".to_owned(),
        outcome: crate::event::activity::Outcome::Done,
        start: None,
        end: None,
    }
}

#[test]
fn a_laboratory_test_narrows_the_interval_and_counts_once() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    story.until(at(3, 12.0));
    let before = story.estimates()[0].circadian.clone();
    let measured = crate::event::activity::PhaseMeasurement {
        marker: crate::event::activity::Marker::Dlmo,
        at: at(2, 22.0),
        sd: Span::minutes(15),
    };
    story.tell(at(3, 12.0), "ana", Activity::PhaseMeasurement(measured.clone()));
    let after = story.estimates()[0].circadian.clone();
    // DLMO at 22:00 is CBTmin at 05:00: an hour later than assumed, about half of which is believed.
    let moved = (after.cbt_min.unwrap() - before.cbt_min.unwrap()).as_hours().0;
    assert!((0.4..1.0).contains(&moved), "{moved}");
    assert!(after.sd_minutes < before.sd_minutes);
    story.tell(at(3, 12.0), "ana", Activity::PhaseMeasurement(measured));
    assert_eq!(story.estimates()[0].circadian, after);
}

#[test]
fn who_is_erased_is_forgotten_and_nothing_older_brings_them_back() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 4);
    story.tell(at(5, 8.0), "ana", Activity::Trip(Box::new(trip(1, &["ana", "mia"], vec![to_new_york()]))));
    story.tell(at(5, 9.0), "mia", Activity::Erase);
    assert_eq!(story.household.travellers().len(), 1);
    assert!(!format!("{:?}", story.household.travellers()).contains("mia"));
    let old_profile = Box::new(infant(Tz::Europe__London));
    story.tell_judged(at(5, 10.0), at(5, 8.5), "mia", Activity::Profile(old_profile));
    let old_trip = Box::new(trip(2, &["ana", "mia"], vec![to_new_york()]));
    story.tell_judged(at(5, 10.0), at(5, 8.6), "ana", Activity::Trip(old_trip));
    let said = story.said.len();
    story.until(at(6, 0.0));
    story.tell(at(7, 6.0), "", news(status(&to_new_york(), at(7, 6.0), Span::hours(3))));
    assert!(story.household.travellers().iter().all(|traveller| traveller.id() != "mia"));
    assert!(story.said[said..].iter().all(|said| said.user_id != "mia"));
    story.profile(at(8, 0.0), "mia", infant(Tz::Europe__London));
    assert_eq!(story.household.travellers().len(), 2, "a new profile is a new beginning");
}

#[test]
fn an_erasure_that_comes_in_late_leaves_what_was_written_after_it() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 4);
    story.tell_judged(at(5, 10.0), at(5, 9.0), "mia", Activity::Profile(Box::new(adult(Tz::Asia__Tokyo))));
    story.tell_judged(at(5, 11.0), at(5, 8.0), "mia", Activity::Erase);
    let profile = &story.household.travellers()[0].known().unwrap().profile;
    assert_eq!(profile.home_time_zone, Tz::Asia__Tokyo);
    assert!(story.estimates()[0].sleep.pressure.is_none(), "the sleeps are gone");
}

#[test]
fn flights_that_nobody_else_flies_are_watched_no_longer() {
    let mut story = Story::new();
    story.tell(at(1, 8.0), "ana", Activity::Trip(Box::new(trip(1, &["ana", "mia"], vec![to_new_york()]))));
    story.tell(at(1, 9.0), "ana", Activity::Erase);
    assert_eq!(story.watches.len(), 1, "mia still flies");
    story.tell(at(1, 9.5), "mia", Activity::Erase);
    assert_eq!(story.watches.last().unwrap().watch, WatchChange::Stop);
}

#[test]
fn a_household_without_people_is_vacant_when_its_tombstones_have_gone() {
    let mut story = Story::new();
    assert!(Household::new("h1").is_vacant());
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    assert!(!story.household.is_vacant());
    story.tell(at(1, 12.0), "ana", Activity::Erase);
    assert!(!story.household.is_vacant());
    story.until(at(15, 11.0));
    assert!(!story.household.is_vacant());
    story.until(at(15, 12.0));
    assert!(story.household.is_vacant());
    assert_eq!(story.household.next_due(), None);
}

#[test]
fn the_state_goes_through_its_codec_unchanged() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.tell(at(1, 0.0), "mia", Activity::Trip(Box::new(trip(1, &["mia"], vec![to_new_york()]))));
    story.regular_days("mia", 1, 9);
    story.light("mia", story.now, 500.0);
    story.until(at(10, 13.0));
    story.tell(at(10, 13.0), "leo", Activity::Erase);
    let written = serde_json::to_value(&story.household).unwrap();
    let back: Household = serde_json::from_value(written).unwrap();
    assert_eq!(back, story.household);
}

#[test]
fn asking_changes_nothing() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 9);
    let before = story.household.clone();
    story.estimates();
    assert_eq!(story.household, before);
}

#[test]
fn a_person_costs_what_the_budget_says() {
    let mut stranger = Story::new();
    for hour in 0..3 {
        stranger.light("123456", at(0, f64::from(hour)), 300.0);
    }
    assert!(stranger.household.resident_bytes() <= 300, "{}", stranger.household.resident_bytes());

    let mut child = Story::new();
    child.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    child.regular_days("mia", 1, 9);
    for hour in 0..9 {
        child.light("mia", at(10, 8.0 + f64::from(hour) / 4.0), 300.0);
    }
    assert!(child.household.resident_bytes() <= 1_024, "{}", child.household.resident_bytes());
}

#[test]
fn pressure_rises_with_time_awake_and_debt_with_lost_sleep() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    for day in 1..5 {
        story.slept("ana", at(day - 1, 23.0), at(day, 7.0));
    }
    let morning = story.estimates()[0].sleep.clone();
    story.until(at(4, 22.0));
    let evening = story.estimates()[0].sleep.clone();
    assert!(morning.pressure.unwrap() + 0.3 < evening.pressure.unwrap(), "{morning:?} {evening:?}");
    assert_eq!(morning.sleep_debt_minutes, Some(0));
    story.slept("ana", at(5, 3.0), at(5, 7.0));
    assert_eq!(story.estimates()[0].sleep.sleep_debt_minutes, Some(4 * 60));
}

#[test]
fn every_recommendation_has_its_own_id() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 9);
    for day in 10..14 {
        story.skipped("mia", at(day, 11.0));
        story.slept("mia", at(day, 19.5), at(day + 1, 7.0));
    }
    let mut ids: Vec<_> = story.said.iter().map(|said| said.recommendation_id).collect();
    assert_eq!(story.said.iter().filter(|said| said.reason == Reason::NapMissed).count(), 4);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), story.said.len());
}
