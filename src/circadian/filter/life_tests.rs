//! When nights observe, when they are darkness, and when they are a compromise.

use super::life::{Life, MainSleep, Use};
use super::numbers::FilterNumbers;
use crate::units::{Hours, Span, UtcMillis};

/// A life after a night a day at these hours after the habit; what the last one was used for.
fn lived(from_habit: impl IntoIterator<Item = f64>) -> (Life, Use) {
    let numbers = FilterNumbers::embedded();
    let (mut life, mut last) = (Life::settled(), Use::Observes);
    for (day, off) in (0..).zip(from_habit) {
        let middle = UtcMillis(0) + Span::days(day) + Span::from_hours(Hours(3.0 + off));
        let sleep = MainSleep { middle, from_habit: Hours(off).wrap_12(), planned: false };
        last = life.take(&sleep, 0.0, 1.0, true, &numbers);
        life.day_begins(Hours(numbers.sleep_adult), &numbers);
    }
    (life, last)
}

#[test]
fn nights_that_come_now_early_and_now_late_are_not_explained_though_they_lie_about_the_habit() {
    let swinging = |by: f64| lived((0..40).map(|day| if day % 2 == 0 { by } else { -by })).0;
    assert!(swinging(0.3).is_settled() && swinging(0.3).is_explained());
    assert!(swinging(0.8).is_settled() && !swinging(0.8).is_explained());
}

#[test]
fn one_night_elsewhere_does_not_scatter_the_quiet_nights_after_it() {
    let after_one = |by: f64| lived([0.0; 14].into_iter().chain([by]).chain([0.0; 4])).0;
    for by in [-8.0, 3.0, 8.0, 12.0] {
        assert!(after_one(by).is_settled() && after_one(by).is_explained(), "{by}");
    }
}

fn worked_at_night(nights: usize, since: usize, later_since: f64) -> (Life, Use) {
    let at_work = std::iter::repeat_n(9.0, nights);
    lived([0.0; 5].into_iter().chain(at_work).chain(std::iter::repeat_n(later_since, since)))
}

/// Whether nights count as just back, `since` nights after seven of work at night.
fn is_back(life: &Life, since: usize) -> bool {
    let at = UtcMillis(0) + Span::days(12 + since as i64);
    life.is_back_from_other_hours(at, &FilterNumbers::embedded())
}

#[test]
fn nights_back_from_another_time_of_day_say_nothing_of_the_clock_for_three_weeks() {
    let (life, last) = worked_at_night(7, 0, 0.0);
    assert!(!life.is_explained() && !is_back(&life, 0) && last == Use::IsDark);
    for since in 1..=10 {
        let (life, last) = worked_at_night(7, since, 0.0);
        assert!(is_back(&life, since) && !life.is_explained() && last == Use::IsDark, "{since}");
    }
    assert_eq!(worked_at_night(7, 20, 0.0).1, Use::IsDarkAsEver);
    let (life, last) = worked_at_night(7, 24, 0.0);
    assert!(life.is_settled() && last == Use::Observes);
}

#[test]
fn nights_back_from_another_time_of_day_and_not_near_the_habit_are_a_new_one_after_three_weeks() {
    assert!(!worked_at_night(7, 20, 2.0).0.is_settled());
    let (life, _) = worked_at_night(7, 30, 2.0);
    assert!(life.is_settled() && life.from_habit(Hours(2.0)).0.abs() < 0.1);
}

#[test]
fn by_turns_nobody_ever_settles_however_long() {
    let weeks = |later: &[f64]| -> Life {
        let rounds = std::iter::repeat_n(later, 6).flatten();
        lived([0.0; 14].into_iter().chain(rounds.flat_map(|later| [*later; 7]))).0
    };
    for turns in [&[0.0, 9.0][..], &[2.5, 9.0, 0.0], &[2.5, 2.5, 9.0, 9.0]] {
        let life = weeks(turns);
        assert!(!life.is_settled() && !life.is_explained(), "{turns:?}");
    }
}

#[test]
fn a_night_tells_of_a_lost_clock_only_where_nights_have_long_been() {
    let as_ever = |nights: usize| worked_at_night(nights, 0, 0.0).1 == Use::IsDarkAsEver;
    assert!(!as_ever(3) && !as_ever(9));
    assert!(as_ever(14));
}

#[test]
fn of_somebody_whose_hours_nobody_told_the_nights_are_measured_by_each_other() {
    let numbers = FilterNumbers::embedded();
    let lived = |from_assumed: &dyn Fn(i64) -> f64| {
        let mut life = Life::settled();
        life.begins_at(Hours(from_assumed(0)));
        for day in 1..15 {
            let from_habit = Hours(from_assumed(day)).wrap_12();
            let middle = UtcMillis(0) + Span::days(day) + Span::from_hours(from_habit);
            life.take(&MainSleep { middle, from_habit, planned: false }, 0.0, 1.0, false, &numbers);
            life.day_begins(Hours(numbers.sleep_adult), &numbers);
        }
        life
    };
    let regular = lived(&|day| if day % 2 == 0 { 11.8 } else { -11.9 });
    assert!(regular.is_settled() && regular.is_explained());
    assert!(regular.later_than_assumed().abs() > Span::hours(11));
    let anywhere = lived(&|day| 7.0 * day as f64);
    assert!(!anywhere.is_settled() && !anywhere.is_explained());
}

#[test]
fn nights_two_hours_late_from_one_day_on_are_no_journey() {
    let (life, last) = lived([0.0; 5].into_iter().chain([2.0; 15]));
    assert!(!life.is_settled() && !life.is_explained() && last == Use::IsDarkAsEver);
}

#[test]
fn a_flight_soon_after_work_at_night_makes_no_compromises() {
    let numbers = FilterNumbers::embedded();
    let flown = |nights_since: usize| {
        let (mut life, _) = worked_at_night(7, nights_since, 0.0);
        let middle = UtcMillis(0) + Span::days(13 + nights_since as i64) + Span::hours(3);
        life.clock_shifted(middle - Span::hours(15), Hours(7.0), &numbers);
        let night = MainSleep { middle, from_habit: Hours(0.5), planned: false };
        life.take(&night, 0.0, 1.0, true, &numbers)
    };
    assert_eq!(flown(0), Use::IsDark);
    assert_eq!(flown(5), Use::IsDark);
    assert_eq!(flown(30), Use::Compromises);
}
