//! Sleep that nobody logged is not sleep lost; sleep that was told to be short is.

use super::tests::{adult, at, flight, home, models};
use super::*;
use crate::event::activity::Age;
use crate::traveller::reports::SleepReport;

fn view(whereabouts: &[Stretch], now: UtcMillis) -> View<'_> {
    View { models: models(), whereabouts, now }
}

fn slept(traveller: &mut Traveller, whereabouts: &[Stretch], start: UtcMillis, hours: f64) {
    let end = start + Span::from_hours(Hours(hours));
    let sleep = SleepReport { start, end: Some(end), kind: None, deleted: false, stamp: end };
    traveller.note_sleep(&view(whereabouts, end), &sleep);
}

fn nights(traveller: &mut Traveller, whereabouts: &[Stretch], days: std::ops::Range<i64>) {
    for day in days {
        slept(traveller, whereabouts, at(day, 23.0), 8.0);
    }
}

/// Pressure and debt in minutes.
fn said(traveller: &Traveller, whereabouts: &[Stretch], now: UtcMillis) -> (f64, i64) {
    let sleep = traveller.assess(&view(whereabouts, now)).sleep;
    (sleep.pressure.unwrap(), sleep.sleep_debt_minutes.unwrap())
}

fn is_silent(traveller: &Traveller, now: UtcMillis) -> bool {
    let sleep = traveller.assess(&view(&home(), now)).sleep;
    assert_eq!(sleep.pressure.is_none(), sleep.sleep_debt_minutes.is_none());
    sleep.pressure.is_none()
}

/// Two years old, 19:30 to 07:00, two naps of an hour and a quarter.
fn toddler() -> Traveller {
    let home = home();
    let mut mia = adult(&home);
    let mut profile = mia.known().unwrap().profile.clone();
    profile.age = Age::Born { year: 2024, month: 3 };
    profile.bedtime = 1_170;
    profile.naps = Some(Box::from([UsualNap { start: 570, minutes: 75 }, UsualNap { start: 840, minutes: 75 }]));
    mia.note_profile(&view(&home, at(0, 13.0)), profile, at(0, 13.0));
    mia
}

fn toddler_day(mia: &mut Traveller, day: i64, naps: bool) {
    for start in [9.5, 14.0] {
        if naps {
            slept(mia, &home(), at(day, start), 1.25);
        }
    }
    slept(mia, &home(), at(day, 19.5), 11.5);
}

#[test]
fn a_night_that_nobody_logged_was_slept_as_usual() {
    let home = home();
    let (mut logged, mut gap) = (adult(&home), adult(&home));
    nights(&mut logged, &home, 1..15);
    nights(&mut gap, &home, 1..14);
    // All through the night and the day after, until the log is too old.
    for hours in 0..19 {
        let now = at(14, 23.0) + Span::hours(hours);
        assert_eq!(said(&gap, &home, now).1, 0, "{now:?}");
    }
    assert_eq!(said(&gap, &home, at(15, 12.0)), said(&logged, &home, at(15, 12.0)));
    assert!(is_silent(&gap, at(15, 19.5)));
    // Logged again: of the gap nothing is left.
    nights(&mut gap, &home, 15..16);
    nights(&mut logged, &home, 15..16);
    assert_eq!(said(&gap, &home, at(16, 12.0)), said(&logged, &home, at(16, 12.0)));
}

#[test]
fn a_short_night_that_was_told_is_lost_sleep_beside_one_that_was_not() {
    let home = home();
    let mut ana = adult(&home);
    nights(&mut ana, &home, 1..6);
    // The night of day 6 is not told; that of day 7 lasted from three to seven.
    slept(&mut ana, &home, at(8, 3.0), 4.0);
    let (tired, debt) = said(&ana, &home, at(8, 12.0));
    assert_eq!(debt, 240);
    let mut rested = adult(&home);
    nights(&mut rested, &home, 1..8);
    assert!(tired > said(&rested, &home, at(8, 12.0)).0 + 0.05);
}

#[test]
fn who_works_all_night_and_sleeps_by_day_owes_the_rest() {
    let home = home();
    let mut ana = adult(&home);
    nights(&mut ana, &home, 1..6);
    slept(&mut ana, &home, at(7, 9.0), 5.0);
    assert_eq!(said(&ana, &home, at(7, 20.0)).1, 180);
}

#[test]
fn a_night_whose_end_nobody_told_was_as_long_as_usual() {
    let home = home();
    let mut ana = adult(&home);
    nights(&mut ana, &home, 1..6);
    let start = at(6, 23.5);
    let open = SleepReport { start, end: None, kind: None, deleted: false, stamp: start };
    ana.note_sleep(&view(&home, start), &open);
    nights(&mut ana, &home, 7..8);
    assert_eq!(said(&ana, &home, at(8, 12.0)).1, 0);
}

#[test]
fn a_usual_night_shorter_than_needed_is_no_debt_where_it_was_not_told() {
    let home = home();
    let mut ana = adult(&home);
    let mut profile = ana.known().unwrap().profile.clone();
    profile.wake = 300;
    ana.note_profile(&view(&home, at(0, 13.0)), profile, at(0, 13.0));
    for day in 1..6 {
        slept(&mut ana, &home, at(day, 23.0), 6.0);
    }
    assert_eq!(said(&ana, &home, at(6, 12.0)).1, 120, "of two nights told");
    assert_eq!(said(&ana, &home, at(7, 10.0)).1, 60, "of one");
}

#[test]
fn naps_are_lost_only_where_naps_are_logged() {
    let home = home();
    let (mut nights_only, mut whole) = (toddler(), toddler());
    for day in 1..10 {
        toddler_day(&mut nights_only, day, false);
        toddler_day(&mut whole, day, true);
    }
    assert_eq!(said(&nights_only, &home, at(10, 18.0)).1, 0);
    assert_eq!(said(&whole, &home, at(10, 8.0)).1, 0);
    assert_eq!(said(&whole, &home, at(10, 18.0)).1, 150, "both naps of today");
    // A nap that was told beside naps that are not logged makes up for no night.
    slept(&mut nights_only, &home, at(10, 9.5), 1.5);
    slept(&mut nights_only, &home, at(10, 21.5), 9.5);
    assert_eq!(said(&nights_only, &home, at(11, 8.0)).1, 120);
}

#[test]
fn a_day_of_a_child_that_nobody_logged_was_lived_as_usual() {
    let home = home();
    let mut mia = toddler();
    for day in 1..10 {
        toddler_day(&mut mia, day, true);
    }
    // Neither the naps of day 10 nor the night after them.
    assert_eq!(said(&mia, &home, at(11, 8.0)).1, 0);
    toddler_day(&mut mia, 11, true);
    assert_eq!(said(&mia, &home, at(12, 8.0)).1, 0);
}

#[test]
fn a_night_aboard_that_nobody_logged_is_no_debt_and_no_rest() {
    let path = flight(at(6, 20.0), at(7, 6.0));
    let mut ana = adult(&path);
    nights(&mut ana, &path, 1..6);
    let mut stays = adult(&home());
    nights(&mut stays, &home(), 1..6);
    // 23:00 in New York, where the aircraft goes, is 04:00 in London: aboard.
    let now = at(7, 6.0);
    assert_eq!(said(&ana, &path, now).1, 0);
    assert!(said(&ana, &path, now).0 > said(&stays, &home(), now).0 + 0.3);
}

#[test]
fn of_a_stranger_only_days_with_a_night_in_the_log_say_anything() {
    let home = home();
    let mut stranger = Traveller::new("7", at(0, 12.0));
    for day in 1..6 {
        slept(&mut stranger, &home, at(day, 11.0), 8.0);
    }
    assert_eq!(said(&stranger, &home, at(6, 10.0)).1, 0);
    assert!(is_silent(&stranger, at(6, 19.5)), "a night must have been left out");
    slept(&mut stranger, &home, at(7, 14.0), 5.0);
    assert_eq!(said(&stranger, &home, at(7, 20.0)).1, 180, "of the one day that is known");
}
