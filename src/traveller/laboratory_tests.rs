//! What results of laboratories do to what is said of a clock, and what they don't.

use super::estimate::ClockEstimate;
use super::estimate_tests::{estimate, slept, view, width};
use super::tests::{adult, at, flight, home};
use super::*;
use crate::event::activity::{Marker, PhaseMeasurement};
use crate::event::recommendation::ClockQuality;
use crate::traveller::reports::SleepReport;

pub(super) fn tested(traveller: &mut Traveller, whereabouts: &[Stretch], at: UtcMillis, told: UtcMillis) -> Noted {
    let result = PhaseMeasurement { marker: Marker::Cbtmin, at, sd: Span::minutes(15) };
    traveller.note_measurement(&view(whereabouts, told), &result, told)
}

/// The estimate on the tenth day of settled life, after results so many hours after the usual CBTmin.
fn estimate_after_results(hours: &[f64]) -> ClockEstimate {
    let home = home();
    let mut ana = adult(&home);
    for day in 0..9 {
        slept(&mut ana, &home, at(day, 23.0), 8);
    }
    for (day, off) in (3..).zip(hours) {
        tested(&mut ana, &home, at(day, 4.0 + off), at(9, 9.0));
    }
    estimate(&ana, &home, at(9, 12.0))
}

#[test]
fn one_result_that_cannot_be_is_said_to_contradict_and_two_that_agree_are_believed() {
    let none = estimate_after_results(&[]);
    assert_eq!(none.quality, ClockQuality::Estimated);
    let lone = estimate_after_results(&[6.0]);
    assert_eq!((lone.cbt_min, lone.quality), (none.cbt_min, ClockQuality::Uncertain));
    let pair = estimate_after_results(&[6.0, 6.3]);
    let moved = (pair.cbt_min.unwrap() - none.cbt_min.unwrap()).as_hours().0;
    assert!((5.0..6.5).contains(&moved), "{moved}");
    assert_eq!(pair.quality, ClockQuality::Estimated);
}

/// Whether the interval holds a time of day.
fn holds(estimate: &ClockEstimate, hour: f64) -> bool {
    let [from, to] = estimate.interval_80.unwrap();
    let after = (Hours(hour) - (from - at(0, 0.0)).as_hours()).wrap_24();
    after.0 < (to - from).as_hours().0
}

#[test]
fn an_unusual_angle_that_two_tests_found_stays_believed_for_weeks_of_the_same_nights() {
    let home = home();
    for off in [3.0, 4.5, 7.0, 11.0, -5.0] {
        let mut ana = adult(&home);
        for day in 0..22 {
            slept(&mut ana, &home, at(day, 23.0), 8);
            if day == 3 || day == 4 {
                tested(&mut ana, &home, at(day, 4.0 + off), at(day + 1, 12.0));
            }
            if day == 5 || day == 21 {
                let said = estimate(&ana, &home, at(day + 1, 12.0));
                assert!(holds(&said, 4.0 + off), "{off} h, day {day}: {said:?}");
                assert!(width(&said) < 6.0, "{off} h, day {day}: {}", width(&said));
            }
        }
    }
}

#[test]
fn results_that_contradict_one_another_widen_the_interval_whichever_came_first() {
    let none = estimate_after_results(&[]);
    for pair in [[-2.0, 2.0], [-6.0, 6.0], [0.0, 8.0], [-1.0, 1.8]] {
        let said = estimate_after_results(&pair);
        assert!(width(&said) > width(&none) + 0.2, "{pair:?}: {} {}", width(&none), width(&said));
        assert_eq!((said.cbt_min, said.quality), (none.cbt_min, ClockQuality::Uncertain), "{pair:?}");
        let turned = estimate_after_results(&[pair[1], pair[0]]);
        assert!((width(&said) - width(&turned)).abs() < 0.1, "{pair:?}");
    }
    let outvoted = estimate_after_results(&[0.2, 9.0, 0.5]);
    assert!(width(&outvoted) < width(&none) - 0.2 && outvoted.quality == ClockQuality::Estimated, "{outvoted:?}");
}

#[test]
fn of_one_night_another_version_and_another_marker_of_a_result_do_not_confirm_it() {
    let home = home();
    let now = at(9, 12.0);
    let told_of = |results: &[(Marker, f64, i64)]| {
        let mut ana = adult(&home);
        for day in 0..9 {
            slept(&mut ana, &home, at(day, 23.0), 8);
        }
        for (minute, (marker, hour, sd)) in (0..).zip(results) {
            let result = PhaseMeasurement { marker: *marker, at: at(7, *hour), sd: Span::minutes(*sd) };
            ana.note_measurement(&view(&home, now), &result, at(9, 9.0) + Span::minutes(minute));
        }
        estimate(&ana, &home, now)
    };
    let (cbt_min, dlmo) = (Marker::Cbtmin, Marker::Dlmo);
    // Twelve hours off, which nobody is.
    let lone = told_of(&[(cbt_min, 16.0, 31)]);
    assert_eq!(lone.quality, ClockQuality::Uncertain);
    assert_eq!(told_of(&[(cbt_min, 16.0, 30), (cbt_min, 16.0, 31)]), lone);
    assert_eq!(told_of(&[(dlmo, 9.0, 45), (cbt_min, 16.1, 31)]).cbt_min, lone.cbt_min);
    assert_eq!(told_of(&[(dlmo, 9.0, 45), (cbt_min, 16.1, 31)]).quality, ClockQuality::Uncertain);
    let good = told_of(&[(cbt_min, 4.0, 20)]);
    assert_eq!(told_of(&[(cbt_min, 4.5, 40), (cbt_min, 3.8, 30), (cbt_min, 4.0, 20)]), good);
}

#[test]
fn a_result_is_taken_against_the_nights_around_it_and_not_against_a_habit_that_is_not_kept() {
    let home = home();
    let result_at = at(5, 5.0);
    let told_so_late = |days: i64| {
        let mut ana = adult(&home);
        let now = at(5 + days, 12.0);
        for day in 0..5 + days {
            // An hour and a quarter earlier than the profile has it: the clock is at 3 to 4, and the test is late for that.
            slept(&mut ana, &home, at(day, 21.75), 8);
            if day == 6 && days > 2 {
                ana.settle(&view(&home, at(8, 0.0)));
            }
        }
        tested(&mut ana, &home, result_at, now);
        tested(&mut ana, &home, result_at + Span::days(1), now);
        holds(&estimate(&ana, &home, now), 5.0)
    };
    for days in [2, 3, 7, 20] {
        assert!(told_so_late(days), "{days}");
    }
}

#[test]
fn nights_that_come_in_after_the_result_count_for_it_as_if_they_had_come_before() {
    let home = home();
    let result_at = at(5, 5.0);
    let (mut before, mut after) = (adult(&home), adult(&home));
    // Just so early that the first of the nights still comes in.
    let now = at(7, 5.9);
    tested(&mut after, &home, result_at, at(6, 12.0));
    let unlogged = estimate(&after, &home, now);
    for day in 4..7 {
        for one in [&mut before, &mut after] {
            let end = at(day, 29.75);
            let night = SleepReport { start: at(day, 21.75), end: Some(end), kind: None, deleted: false, stamp: end };
            assert!(!one.note_sleep(&view(&home, now), &night).late);
        }
    }
    tested(&mut before, &home, result_at, at(6, 12.0));
    assert_eq!(estimate(&after, &home, now), estimate(&before, &home, now));
    assert_ne!(estimate(&after, &home, now).delta, unlogged.delta);
    // Weeks later, and whenever it was settled.
    after.settle(&view(&home, at(9, 12.0)));
    after.settle(&view(&home, at(20, 12.0)));
    assert_eq!(estimate(&after, &home, at(20, 12.0)), estimate(&before, &home, at(20, 12.0)));
}

#[test]
fn a_result_stays_with_the_habit_that_it_was_measured_in() {
    let home = home();
    let mut ana = adult(&home);
    tested(&mut ana, &home, at(5, 5.0), at(5, 12.0));
    let angle = estimate(&ana, &home, at(6, 0.0)).delta;
    let mut later = ana.known().unwrap().profile.clone();
    (later.bedtime, later.wake) = (60, 540);
    ana.note_profile(&view(&home, at(6, 0.0)), later, at(6, 0.0));
    assert!((estimate(&ana, &home, at(6, 0.0)).delta - angle).0.abs() < 0.3);
}

#[test]
fn a_test_before_there_is_a_profile_changes_nothing() {
    let home = home();
    let now = at(4, 12.0);
    let untested = Traveller::new("7", at(0, 12.0));
    let mut stranger = untested.clone();
    assert!(!tested(&mut stranger, &home, at(4, 9.0), now).late);
    assert_eq!(estimate(&stranger, &home, now), estimate(&untested, &home, now));
}

#[test]
fn a_test_result_that_comes_in_weeks_later_counts_and_after_sixty_days_no_more() {
    let home = home();
    let told = |days: i64| {
        let mut ana = adult(&home);
        let now = at(1 + days, 12.0);
        let before = estimate(&ana, &home, now);
        // Two hours later than the habit says.
        let noted = tested(&mut ana, &home, at(1, 6.0), now);
        let after = estimate(&ana, &home, now);
        (noted.late, (after.cbt_min.unwrap() - before.cbt_min.unwrap()).as_hours().0)
    };
    let (fresh, old) = (told(1), told(50));
    assert!(!fresh.0 && !old.0);
    assert!(fresh.1 > old.1 && old.1 > 0.1, "it fades: {fresh:?} {old:?}");
    assert_eq!(told(61), (true, 0.0));
}

#[test]
fn a_test_on_a_journey_says_where_the_clock_is() {
    let path = flight(at(5, 12.0), at(5, 20.0));
    let now = at(8, 0.0);
    let untested = adult(&path);
    let before = estimate(&untested, &path, now);
    let mut ana = adult(&path);
    let measured = before.cbt_min.unwrap() - Span::hours(24) + Span::minutes(90);
    assert!(!tested(&mut ana, &path, measured, now).late);
    let after = estimate(&ana, &path, now);
    let moved = (after.cbt_min.unwrap() - before.cbt_min.unwrap()).as_hours().0;
    assert!((0.8..2.2).contains(&moved), "{moved}");
    assert!(width(&after) < 0.8 * width(&before));
    let mut late = adult(&path);
    assert!(tested(&mut late, &path, measured, now + Span::days(4)).late);
}

#[test]
fn results_of_a_week_of_work_at_night_leave_the_settled_clock_alone() {
    let home = home();
    let estimate_after = |hours: &[f64]| {
        let mut ana = adult(&home);
        for day in 0..50 {
            let is_at_work = (10..17).contains(&day);
            slept(&mut ana, &home, at(day, if is_at_work { 32.0 } else { 23.0 }), 8);
            if is_at_work && let Some(hour) = hours.get((day - 10) as usize) {
                tested(&mut ana, &home, at(day + 1, *hour), at(day + 1, 17.0));
            }
        }
        estimate(&ana, &home, at(50, 12.0))
    };
    let none = estimate_after(&[]);
    assert_eq!(none.quality, ClockQuality::Estimated);
    for hours in [&[4.0][..], &[9.0], &[4.0, 4.2], &[15.0, 15.0, 15.0]] {
        let said = estimate_after(hours);
        assert_eq!((said.cbt_min, said.quality), (none.cbt_min, none.quality), "{hours:?}");
    }
}
