//! What is said of a clock: what narrows it, what little things move it little, and the stomach beside it.

use chrono_tz::Tz;

use super::estimate::ClockEstimate;
use super::laboratory_tests::tested;
use super::narrowing::Narrowing;
use super::tests::{adult, at, flight, home, light, models};
use super::*;
use crate::event::activity::{LightLevel, Meal, MealKind};
use crate::event::recommendation::{ClockQuality, Window};
use crate::planner::Place;
use crate::traveller::reports::SleepReport;
use crate::units::Lux;

pub(super) fn view(whereabouts: &[Stretch], now: UtcMillis) -> View<'_> {
    View { models: models(), whereabouts, now }
}

pub(super) fn estimate(traveller: &Traveller, whereabouts: &[Stretch], now: UtcMillis) -> ClockEstimate {
    traveller.assess(&view(whereabouts, now)).clock
}

pub(super) fn width(estimate: &ClockEstimate) -> f64 {
    estimate.width().unwrap().0
}

pub(super) fn slept(traveller: &mut Traveller, whereabouts: &[Stretch], start: UtcMillis, hours: i64) {
    let end = start + Span::hours(hours);
    let night = SleepReport { start, end: Some(end), kind: None, deleted: false, stamp: end };
    assert!(!traveller.note_sleep(&view(whereabouts, end), &night).late);
}

fn mornings_of_light(traveller: &mut Traveller, from: UtcMillis) {
    for day in 0..2 {
        for quarter in 0..8 {
            let start = from + Span::days(day) + Span::minutes(15 * quarter);
            light(traveller, start, 0, LightLevel::Lux(Lux(400.0)));
        }
    }
}

#[test]
fn nights_then_a_test_narrow_a_settled_interval() {
    let home = home();
    let now = at(9, 12.0);
    let mut ana = adult(&home);
    let unlogged = estimate(&ana, &home, now);
    assert_eq!(unlogged.narrowing, Some(Narrowing::Nights), "{} h", width(&unlogged));
    for day in 7..9 {
        slept(&mut ana, &home, at(day, 23.0), 8);
    }
    let with_nights = estimate(&ana, &home, now);
    assert!(width(&with_nights) < width(&unlogged) - 0.1, "{} {}", width(&unlogged), width(&with_nights));
    tested(&mut ana, &home, at(8, 4.0), now);
    assert!(width(&estimate(&ana, &home, now)) < width(&with_nights) - 0.1);
}

#[test]
fn of_who_logs_more_sleeps_than_are_kept_the_clock_is_uncertain_and_nights_are_asked_for() {
    let home = home();
    let mut ana = adult(&home);
    for sleep in 0..300 {
        let start = at(4, 0.0) + Span::minutes(14 * sleep);
        let end = start + Span::minutes(5);
        let report = SleepReport { start, end: Some(end), kind: None, deleted: false, stamp: end };
        ana.note_sleep(&view(&home, end), &report);
    }
    let said = estimate(&ana, &home, at(7, 0.0));
    assert_eq!(said.quality, ClockQuality::Uncertain);
    assert_eq!(said.narrowing, Some(Narrowing::RegularNights));
}

#[test]
fn nights_that_nobody_explains_are_a_surprise_though_the_clock_does_not_rest_on_them() {
    let home = home();
    let mut ana = adult(&home);
    for day in 0..6 {
        slept(&mut ana, &home, at(day, 23.0), 8);
    }
    let before = estimate(&ana, &home, at(6, 20.0));
    assert!(before.nis.unwrap() < 1.0);
    for day in 6..9 {
        slept(&mut ana, &home, at(day, 29.0), 8);
    }
    let after = estimate(&ana, &home, at(9, 20.0));
    assert!(after.nis.unwrap() > 4.0, "{:?}", after.nis);
}

#[test]
fn who_logs_twenty_hours_a_day_is_not_asked_to_log_nights() {
    let home = home();
    let mut ana = adult(&home);
    for day in 1..10 {
        slept(&mut ana, &home, at(day, 14.0), 20);
    }
    assert_eq!(estimate(&ana, &home, at(10, 12.0)).narrowing, Some(Narrowing::RegularNights));
}

#[test]
fn after_a_flight_light_is_asked_for_first_and_narrows() {
    let path = flight(at(5, 12.0), at(5, 20.0));
    let now = at(8, 0.0);
    let before = estimate(&adult(&path), &path, now);
    assert_eq!(before.narrowing, Some(Narrowing::Light));
    let mut ana = light_only(&path);
    let after = estimate(&ana, &path, now);
    assert!(width(&after) < width(&before), "{} {}", width(&before), width(&after));
    assert_eq!(after.narrowing, Some(Narrowing::Nights));
    // By the clock on the wall: 23:00 is 04:00 in London.
    for day in 6..8 {
        slept(&mut ana, &path, at(day, 4.0), 8);
    }
    let with_nights = estimate(&ana, &path, at(8, 13.0));
    let without = estimate(&light_only(&path), &path, at(8, 13.0));
    assert!(width(&with_nights) < width(&without), "{} {}", width(&without), width(&with_nights));
}

fn light_only(path: &[Stretch]) -> Traveller {
    let mut traveller = adult(path);
    mornings_of_light(&mut traveller, at(6, 12.0));
    traveller
}

#[test]
fn a_stranger_is_asked_for_a_profile() {
    let home = home();
    let stranger = Traveller::new("7", at(0, 12.0));
    let said = estimate(&stranger, &home, at(3, 12.0));
    assert_eq!(said.narrowing, Some(Narrowing::Profile));
    assert!(said.summary().to_narrow.unwrap().contains("profile"));
}

#[test]
fn a_stranger_has_no_habit_to_be_off_from_until_there_is_a_profile() {
    let home = home();
    let mut stranger = Traveller::new("7", at(0, 12.0));
    for day in 1..15 {
        slept(&mut stranger, &home, at(day, 14.0), 8);
    }
    let said = estimate(&stranger, &home, at(15, 12.0)).summary();
    assert!(said.cbt_min.is_some() && said.misalignment_hours.is_none(), "{said:?}");
    let profile = adult(&home).known().unwrap().profile.clone();
    stranger.note_profile(&view(&home, at(15, 12.0)), profile, at(15, 12.0));
    assert!(estimate(&stranger, &home, at(15, 12.0)).summary().misalignment_hours.is_some());
}

#[test]
fn being_seen_asleep_moves_a_clock_a_little_and_a_logged_night_more() {
    let home = home();
    let now = at(3, 14.0);
    let usual = estimate(&adult(&home), &home, now).cbt_min.unwrap();
    let mut seen = adult(&home);
    // An hour and a quarter after the middle of the usual night.
    seen.note_seen_asleep(at(3, 4.25), at(3, 4.25));
    let mut logged = adult(&home);
    slept(&mut logged, &home, at(3, 0.25), 8);
    let moved = |traveller: &Traveller| (estimate(traveller, &home, now).cbt_min.unwrap() - usual).as_hours().0;
    let (by_sight, by_log) = (moved(&seen), moved(&logged));
    assert!(0.01 < by_sight && by_sight < 0.25, "{by_sight}");
    assert!(by_log > 2.0 * by_sight, "{by_sight} {by_log}");
}

#[test]
fn six_days_of_meals_five_hours_late_delay_the_stomach_by_an_hour_and_the_clock_not_at_all() {
    let home = home();
    let mut ana = adult(&home);
    let mut fasting = adult(&home);
    // The steps of the gut: from the first late meal at 18:30 it is five and a half days, as from a first late breakfast
    // to the end of six.
    let now = at(8, 6.0);
    for traveller in [&mut ana, &mut fasting] {
        traveller.settle(&view(&home, at(2, 0.0)));
    }
    for day in 2..8 {
        // Five hours after the middle of the usual meals of who is up from 7 to 23, as near as quarter hours come.
        let start = at(day, 18.5);
        ana.note_meal(&Meal { start, end: start, kind: MealKind::Meal }, start);
        ana.settle(&view(&home, at(day + 1, 0.0)));
    }
    let (late, usual) = (estimate(&ana, &home, now), estimate(&fasting, &home, now));
    let stomach = late.stomach.unwrap();
    assert!((stomach.delay.0 - 0.97).abs() < 0.02, "{stomach:?}");
    assert_eq!(ClockEstimate { stomach: None, ..late }, usual);
    assert_eq!(usual.stomach, None, "on time there is nothing to say");
}

#[test]
fn a_stomach_lands_with_the_hours_of_home_and_is_told_when_to_eat_there() {
    let path = flight(at(5, 12.0), at(5, 20.0));
    let ana = adult(&path);
    // 16:00 in New York.
    let landed = estimate(&ana, &path, at(5, 21.0)).stomach.unwrap();
    assert!((-5.2..-4.8).contains(&landed.delay.0), "{landed:?}");
    let told = landed.summary();
    assert!(told.time.starts_with("20:5") || told.time.starts_with("21:0"), "{}", told.time);
    let meals: Vec<Window> = told.meals;
    assert!(!meals.is_empty());
    for meal in &meals {
        let hour = crate::flight::zones::hour_of_day(Tz::America__New_York, meal.start).0;
        assert!((7.0..21.0).contains(&hour), "{hour}");
        assert_eq!(meal.start.0 % Span::minutes(5).0, 0);
    }
    let weeks_later = estimate(&ana, &path, at(30, 21.0)).stomach;
    assert_eq!(weeks_later, None, "it has arrived");
}

#[test]
fn no_meal_is_told_in_the_night_of_the_body_or_aboard_or_to_an_infant() {
    let stretches = |zone| {
        let mut path = flight(at(5, 12.0), at(5, 22.0));
        for stretch in &mut path[1..] {
            stretch.time_zone = zone;
        }
        path
    };
    // Nine hours ahead: breakfast there is in the middle of the night at home.
    let path = stretches(Tz::Asia__Tokyo);
    let ana = adult(&path);
    for hours in 0..48 {
        let now = at(5, 13.0) + Span::hours(hours);
        let said = estimate(&ana, &path, now);
        let cbt_min = said.cbt_min.unwrap();
        for meal in said.stomach.unwrap().meals.into_iter().flatten() {
            for night in [cbt_min - Span::days(1), cbt_min] {
                assert!(meal.end <= night - Span::hours(7) || meal.start >= night, "{meal:?} {night:?}");
            }
            let place = clock::stretch_at(&path, meal.start).place;
            assert!(matches!(place, Place::Away { .. }), "{place:?}");
            assert!(meal.end > now && meal.start < now + Span::days(1));
        }
    }
    let mut mia = adult(&path);
    let mut profile = mia.known().unwrap().profile.clone();
    profile.age = crate::event::activity::Age::Born { year: 2025, month: 6 };
    mia.note_profile(&view(&path, at(1, 0.0)), profile, at(1, 0.0));
    let said = estimate(&mia, &path, at(6, 0.0)).stomach.unwrap();
    assert_eq!(said.meals, [None; 3]);
    assert!(said.delay.0 > 6.0);
}

/// Whether a night of the window observed the clock.
fn a_night_observed(traveller: &Traveller, whereabouts: &[Stretch], now: UtcMillis) -> bool {
    estimate(traveller, whereabouts, now).nis.is_some()
}

#[test]
fn nights_observe_the_clock_in_settled_life_only() {
    let home = home();
    let path = flight(at(5, 12.0), at(5, 20.0));
    let (mut stays, mut flies) = (adult(&home), adult(&path));
    for day in 1..5 {
        slept(&mut stays, &home, at(day, 23.0), 8);
        slept(&mut flies, &path, at(day, 23.0), 8);
    }
    assert!(a_night_observed(&stays, &home, at(5, 11.0)));
    assert!(!a_night_observed(&flies, &path, at(5, 11.0)), "a plan may have moved the nights before the flight");
    let observed_on = |bedtime: f64| {
        let mut traveller = flies.clone();
        let observes = |day: &i64| {
            slept(&mut traveller, &path, at(*day, bedtime), 8);
            a_night_observed(&traveller, &path, at(*day, bedtime + 9.0))
        };
        (6..30).filter(observes).collect::<Vec<i64>>()
    };
    // Take-off is on the 5th at noon. 23:00 in New York, midnight from the 8th on: near the habit, so ten days later, in the
    // night of the 16th, if they agree with the estimate, but on day 21 in any case: the 26th at noon, so the night of the 27th.
    let usual = observed_on(4.0);
    assert!((16..=27).contains(&usual[0]), "{usual:?}");
    assert_eq!(usual, (usual[0]..30).collect::<Vec<i64>>(), "and from then on");
    // Three hours later they are never near.
    assert_eq!(observed_on(7.0), [27, 28, 29]);
}

#[test]
fn two_nights_off_habit_end_settled_life() {
    let home = home();
    let mut ana = adult(&home);
    for day in 1..4 {
        slept(&mut ana, &home, at(day, 23.0), 8);
    }
    assert!(a_night_observed(&ana, &home, at(4, 12.0)));
    let unlogged = ana.clone();
    for day in 5..8 {
        slept(&mut ana, &home, at(day, 2.5), 8);
    }
    // As darkness they move the clock a little, as observations they would move it by hours.
    let cbt_min = |traveller: &Traveller| estimate(traveller, &home, at(7, 12.0)).cbt_min.unwrap();
    let moved = (cbt_min(&ana) - cbt_min(&unlogged)).as_hours().0;
    assert!((0.0..1.0).contains(&moved), "{moved}");
}

#[test]
fn the_first_night_of_a_stranger_says_where_the_clock_is_and_being_seen_asleep_says_a_little() {
    let home = home();
    let now = at(3, 12.0);
    let nobody = Traveller::new("7", at(0, 12.0));
    let mut seen = Traveller::new("7", at(0, 12.0));
    seen.note_seen_asleep(at(2, 16.0), at(2, 16.0));
    let mut logged = Traveller::new("7", at(0, 12.0));
    // Middle at 16:00 UTC: somewhere around the Pacific.
    slept(&mut logged, &home, at(2, 12.0), 8);
    let estimates = [&nobody, &seen, &logged].map(|one| estimate(one, &home, now));
    assert!(estimates[1].sd.0 < estimates[0].sd.0 && estimates[2].sd.0 < estimates[1].sd.0 - 1.0, "{estimates:?}");
    let hour = (estimates[2].cbt_min.unwrap() - at(0, 0.0)).as_hours().wrap_24().0;
    assert!((15.5..19.0).contains(&hour), "{hour}");
    assert_eq!(estimates[2].quality, ClockQuality::Uncertain);
}
