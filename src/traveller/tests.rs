//! What light, sleep and journeys do to one person's clock.

use chrono_tz::Tz;

use super::light::LightAtEye;
use super::*;
use crate::circadian::BIN;
use crate::event::activity::{
    Age, AgeBand, Chronotype, LightContext, LightExposure, LightLevel, Meal, MealKind, Profile,
};
use crate::event::flight::Iata;
use crate::planner::Place;
use crate::traveller::reports::SleepReport;
use crate::units::Lux;

/// 2026-03-02 00:00 in London.
const MONDAY: UtcMillis = UtcMillis(1_772_409_600_000);

pub(super) fn models() -> &'static Models {
    static MODELS: std::sync::OnceLock<Models> = std::sync::OnceLock::new();
    MODELS.get_or_init(Models::embedded)
}

pub(super) fn at(day: i64, hours: f64) -> UtcMillis {
    MONDAY + Span::days(day) + Span::from_hours(Hours(hours))
}

pub(super) fn home() -> Vec<Stretch> {
    vec![Stretch { from: UtcMillis(0), to: None, time_zone: Tz::Europe__London, place: Place::Home }]
}

/// From London to New York, for good.
pub(super) fn flight(departs: UtcMillis, lands: UtcMillis) -> Vec<Stretch> {
    let airport = |code| Iata::parse(code).unwrap();
    let (origin, destination) = (airport("LHR"), airport("JFK"));
    let stretch = |from, to, time_zone, place| Stretch { from, to, time_zone, place };
    vec![
        stretch(UtcMillis(0), Some(departs), Tz::Europe__London, Place::Home),
        stretch(departs, Some(lands), Tz::America__New_York, Place::Aboard { origin, destination }),
        stretch(lands, None, Tz::America__New_York, Place::Away { airport: destination }),
    ]
}

/// Sleeps from 23:00 to 07:00 in London; known since Monday noon.
pub(super) fn adult(whereabouts: &[Stretch]) -> Traveller {
    let profile = Profile {
        display_name: None,
        age: Age::Band(AgeBand::Adult),
        home_time_zone: Tz::Europe__London,
        bedtime: 1_380,
        wake: 420,
        naps: None,
        chronotype: Chronotype::Neither,
        caregiver: false,
        melatonin: false,
        caffeine: false,
        weeks_premature: 0,
        conditions: crate::event::activity::Conditions::default(),
    };
    let mut traveller = Traveller::new("ana", at(0, 12.0));
    traveller.note_profile(&View { models: models(), whereabouts, now: at(0, 12.0) }, profile, at(0, 12.0));
    traveller
}

pub(super) fn light(traveller: &mut Traveller, start: UtcMillis, minutes: i64, level: LightLevel) {
    let end = start + Span::minutes(minutes);
    assert!(!traveller.note_light(&models().light, &LightExposure { start, end, level }, end).late);
}

fn slept(traveller: &mut Traveller, start: UtcMillis, end: UtcMillis) {
    let whereabouts = home();
    let view = View { models: models(), whereabouts: &whereabouts, now: end };
    traveller.note_sleep(&view, &SleepReport { start, end: Some(end), kind: None, deleted: false, stamp: end });
}

/// Lux in the quarter hour at a time, as known at `now`.
fn lux_at(traveller: &Traveller, whereabouts: &[Stretch], bin: UtcMillis, now: UtcMillis) -> f64 {
    let view = View { models: models(), whereabouts, now };
    let persona = traveller.persona(&view);
    LightAtEye::new(traveller.light_sources(&view, &persona), bin).at(bin).light.0
}

#[test]
fn sleep_counts_before_measured_light_and_that_before_what_was_said() {
    let home = home();
    let mut ana = adult(&home);
    let noon = at(1, 12.0);
    let now = at(1, 20.0);
    let lux = |ana: &Traveller| lux_at(ana, &home, noon, now);
    assert!((lux(&ana) - 250.0).abs() < 1.0, "imputed");
    light(&mut ana, noon, 0, LightLevel::Usual);
    assert!((lux(&ana) - 1_000.0).abs() < 1.0, "somebody who reports light saw some");
    light(&mut ana, noon, 0, LightLevel::Context(LightContext::Dim));
    assert!((lux(&ana) - 10.0).abs() < 1.0, "a context");
    light(&mut ana, noon, 0, LightLevel::Lux(Lux(3_000.0)));
    assert!((lux(&ana) / 3_000.0 - 1.0).abs() < 0.08, "measured");
    slept(&mut ana, noon, noon + Span::minutes(30));
    assert!(lux(&ana).abs() < 1e-9, "asleep");
}

#[test]
fn several_readings_of_a_quarter_hour_are_averaged() {
    let home = home();
    let mut ana = adult(&home);
    for (minute, lux) in [(0, 100.0), (5, 900.0), (10, 2_000.0)] {
        light(&mut ana, at(1, 12.0) + Span::minutes(minute), 0, LightLevel::Lux(Lux(lux)));
    }
    assert!((lux_at(&ana, &home, at(1, 12.0), at(1, 20.0)) / 1_000.0 - 1.0).abs() < 0.08);
}

#[test]
fn a_night_of_which_nothing_is_known_was_slept_as_usual() {
    let home = home();
    let ana = adult(&home);
    assert!(lux_at(&ana, &home, at(2, 2.0), at(2, 12.0)).abs() < 1e-9);
    assert!(lux_at(&ana, &home, at(1, 22.75), at(2, 12.0)) > 50.0);
}

#[test]
fn a_logged_night_says_when_it_was_dark_and_when_not() {
    let home = home();
    let mut ana = adult(&home);
    slept(&mut ana, at(2, 1.0), at(2, 6.0));
    let lux = |hours: f64| lux_at(&ana, &home, at(1, 24.0 + hours), at(2, 12.0));
    assert!(lux(-0.5) > 50.0, "up until one");
    assert!(lux(3.0).abs() < 1e-9);
    assert!(lux(6.25) > 50.0, "up since six");
}

#[test]
fn who_slept_by_day_instead_was_up_all_night_in_a_lit_room() {
    let home = home();
    let lux = |from: f64, until: f64| {
        let mut ana = adult(&home);
        slept(&mut ana, at(2, from), at(2, until));
        lux_at(&ana, &home, at(2, 0.5), at(2, 20.0))
    };
    assert!((lux(8.0, 15.0) - 250.0).abs() < 1.0, "at work, or the like");
    assert!((lux(4.0, 11.0) - 80.0).abs() < 1.0, "a late night is an evening that lasts");
    assert!((lux(8.5, 11.0) - 80.0).abs() < 1.0, "a nap after it says nothing of the night");
}

#[test]
fn nights_to_come_are_the_usual_ones() {
    let home = home();
    let mut ana = adult(&home);
    slept(&mut ana, at(2, 1.0), at(2, 6.0));
    assert!(lux_at(&ana, &home, at(2, 23.25), at(2, 12.0)).abs() < 1e-9);
    assert!(lux_at(&ana, &home, at(2, 6.5), at(2, 6.1)) > 50.0, "this one is over");
}

#[test]
fn who_eats_is_awake() {
    let home = home();
    let mut ana = adult(&home);
    let midnight_snack = at(2, 0.0);
    ana.note_meal(&Meal { start: midnight_snack, end: midnight_snack, kind: MealKind::Snack }, midnight_snack);
    assert!(lux_at(&ana, &home, midnight_snack, at(2, 12.0)) > 50.0);
}

#[test]
fn light_follows_the_clock_of_where_somebody_is() {
    let path = flight(at(2, 12.0), at(2, 20.0));
    let ana = adult(&path);
    let lux = |time| lux_at(&ana, &path, time, at(5, 0.0));
    assert!((lux(at(2, 14.0)) - 100.0).abs() < 1.0, "the cabin by day");
    // 05:00 UTC is midnight in New York, 23:00 UTC early evening.
    assert!(lux(at(3, 5.0)).abs() < 1e-9);
    assert!(lux(at(3, 23.5)) > 50.0);
}

#[test]
fn a_delay_moves_no_clock_where_the_light_is_the_same() {
    let state = |lands: UtcMillis| {
        let path = flight(lands - Span::hours(8), lands);
        let mut ana = adult(&path);
        let mut bin = at(1, 0.0);
        while bin < at(6, 0.0) {
            let lux = f64::from(u32::try_from(bin.0 / BIN.0 % 7).unwrap()) * 90.0;
            ana.note_light(
                &models().light,
                &LightExposure { start: bin, end: bin, level: LightLevel::Lux(Lux(lux)) },
                bin,
            );
            bin += BIN;
        }
        ana.settle(&View { models: models(), whereabouts: &path, now: at(8, 0.0) });
        let written = serde_json::to_value(&ana.rest.clock).unwrap();
        (written["track"]["at"].clone(), written["track"]["first"]["mean"].clone())
    };
    assert_eq!(state(at(3, 20.0)), state(at(3, 23.0)));
    assert_eq!(state(at(3, 20.0)).0, serde_json::json!(at(5, 6.0).0), "well after the flight");
}

#[test]
fn after_a_flight_the_clock_is_late_by_the_difference_and_catches_up() {
    let path = flight(at(5, 12.0), at(5, 20.0));
    let ana = adult(&path);
    let off = |now| ana.assess(&View { models: models(), whereabouts: &path, now }).clock.misalignment.unwrap().0;
    assert!(off(at(4, 6.0)).abs() < 0.2);
    let landed = off(at(5, 22.0));
    assert!((-5.5..-4.0).contains(&landed), "early by five hours: {landed}");
    let days: Vec<f64> = (6..14).map(|day| off(at(day, 22.0))).collect();
    assert!(days.windows(2).all(|pair| pair[0] < pair[1] + 0.05), "{days:?}");
    assert!(days[7].abs() < 1.0, "{days:?}");
}

#[test]
fn an_interval_is_wider_after_a_flight() {
    let path = flight(at(5, 12.0), at(5, 20.0));
    let ana = adult(&path);
    let sd = |now| ana.assess(&View { models: models(), whereabouts: &path, now }).clock.sd.0;
    assert!(sd(at(6, 12.0)) > 1.1 * sd(at(4, 12.0)));
    assert!(sd(at(40, 12.0)) < sd(at(6, 12.0)), "and narrow again weeks later");
}

#[test]
fn an_outdoor_afternoon_moves_no_settled_past() {
    let home = home();
    let mut ana = adult(&home);
    ana.settle(&View { models: models(), whereabouts: &home, now: at(5, 12.0) });
    let settled = ana.rest.clock.clone();
    light(&mut ana, at(5, 9.0), 120, LightLevel::Context(LightContext::Outdoor));
    ana.settle(&View { models: models(), whereabouts: &home, now: at(5, 12.0) });
    assert_eq!(ana.rest.clock, settled);
}
