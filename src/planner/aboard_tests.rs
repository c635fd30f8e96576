//! Nights in the air, and the hours around them.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::fixtures::{Case, adult, as_text, baby, of_kind, toddler, utc};
use super::nights::nights;
use super::setting::Setting;
use super::target::Outlook;
use crate::event::activity::AgeBand;
use crate::event::recommendation::ActionKind::{BrightLight, Nap, Sleep};
use crate::event::recommendation::{Action, ActionKind};
use crate::units::{Hours, Span, UtcMillis};

/// Amsterdam 23:55 to Tokyo 18:55.
fn overnight_to_tokyo(case: Case) -> Case {
    case.flying("2026-06-09T21:55:00Z", "2026-06-10T09:55:00Z", "NRT", Tz::Asia__Tokyo)
}

/// London 21:30 to New York 00:30.
fn late_to_new_york(case: Case) -> Case {
    case.flying("2026-06-09T20:30:00Z", "2026-06-10T04:30:00Z", "JFK", Tz::America__New_York)
}

fn longest_awake(case: &Case, from: UtcMillis, to: UtcMillis) -> Span {
    let plan = case.plan();
    let asleep = plan.actions.iter().filter(|action| matches!(action.kind, Sleep | Nap));
    let asleep: Vec<&Action> = asleep.filter(|action| action.end > from && action.start < to).collect();
    asleep.windows(2).map(|pair| pair[1].start - pair[0].end).max().expect("two sleeps")
}

fn aboard(case: &Case, kind: ActionKind) -> Vec<Action> {
    let flight = case.whereabouts[1];
    let is_aboard = |action: &&Action| action.start >= flight.from && Some(action.end) <= flight.to;
    of_kind(&case.plan(), kind).into_iter().filter(is_aboard).cloned().collect()
}

#[test]
fn who_flies_through_the_night_sleeps_on_board_also_where_it_is_day_at_the_destination() {
    for case in [adult("2026-06-09T05:00:00Z"), toddler("2026-06-09T05:00:00Z")] {
        let case = overnight_to_tokyo(case);
        let sleeps = aboard(&case, Sleep);
        assert_eq!(sleeps.len(), 1, "{}", as_text(&case.plan()));
        assert!(sleeps[0].end - sleeps[0].start >= Span::hours(5), "{}", as_text(&case.plan()));
        assert!(sleeps[0].message.contains("on board"), "{}", sleeps[0].message);
        let awake = longest_awake(&case, utc("2026-06-09T21:00:00Z"), utc("2026-06-11T04:00:00Z"));
        assert!(awake <= Span::hours(20), "{}", as_text(&case.plan()));
    }
}

/// Amsterdam to Tokyo in twelve hours.
fn to_tokyo(case: Case, departs: &str) -> Case {
    let lands = (utc(departs) + Span::hours(12)).to_string();
    case.flying(departs, &lands, "NRT", Tz::Asia__Tokyo)
}

#[test]
fn a_few_hours_of_the_destinations_night_give_way_to_the_whole_night_of_the_body() {
    // It is night in Tokyo until 22:00 UTC, and for the body from 21:00 to 05:00.
    for departs in ["2026-06-09T17:00:00Z", "2026-06-09T18:00:00Z", "2026-06-09T19:00:00Z"] {
        let case = to_tokyo(adult("2026-06-09T05:00:00Z"), departs);
        let sleeps = aboard(&case, Sleep);
        assert_eq!(sleeps.len(), 1, "{departs}: {}", as_text(&case.plan()));
        let night = (utc("2026-06-09T21:00:00Z"), utc("2026-06-10T05:00:00Z"));
        let end = night.1.min(utc(departs) + Span::hours(12) - Span::minutes(45));
        assert_eq!((sleeps[0].start, sleeps[0].end), (night.0, end), "{departs}: {}", as_text(&case.plan()));
        assert!(sleeps[0].why.contains("night for the body"), "{departs}: {}", sleeps[0].why);
    }
}

#[test]
fn who_can_sleep_most_of_a_night_by_the_destinations_clock_does() {
    let case = to_tokyo(adult("2026-06-09T05:00:00Z"), "2026-06-09T14:30:00Z");
    let sleeps = aboard(&case, Sleep);
    assert_eq!(sleeps.len(), 1, "{}", as_text(&case.plan()));
    assert_eq!((sleeps[0].start, sleeps[0].end), (utc("2026-06-09T15:15:00Z"), utc("2026-06-09T22:00:00Z")));
    assert!(!sleeps[0].why.contains("body"), "{}", sleeps[0].why);
}

#[test]
fn a_baby_naps_on_the_way_to_a_flight_after_bedtime_and_sleeps_once_it_is_in_the_air() {
    let mut case = late_to_new_york(baby("2026-06-09T06:00:00Z"));
    case.wake_window = Some(Hours(2.5));
    let on_the_way = of_kind(&case.plan(), Nap).into_iter().any(|nap| nap.message.contains("on the way"));
    assert!(on_the_way, "{}", as_text(&case.plan()));
    assert_eq!(aboard(&case, Sleep).len(), 1);
    let awake = longest_awake(&case, utc("2026-06-09T06:00:00Z"), utc("2026-06-10T12:00:00Z"));
    assert!(awake <= Span::hours(7), "twice the window: {}", as_text(&case.plan()));
}

#[test]
fn a_nap_that_the_journey_puts_off_says_so() {
    // Usual is 12:30, by the clock in Amsterdam: too late to end before boarding.
    let first_nap = |departs: &str, arrives: &str, to: &str, zone: Tz| {
        let case = toddler("2026-06-09T08:00:00Z").flying(departs, arrives, to, zone);
        of_kind(&case.plan(), Nap)[0].clone()
    };
    let cape_town = |departs: &str| first_nap(departs, "2026-06-09T22:00:00Z", "CPT", Tz::Africa__Johannesburg);
    for departs in ["2026-06-09T10:55:00Z", "2026-06-09T10:20:00Z"] {
        let nap = cape_town(departs);
        assert_eq!(nap.start, utc(departs) + Span::minutes(45), "{}", nap.message);
        assert_eq!(nap.why, "put off until after take-off", "{departs}: {}", nap.message);
    }
    assert_eq!(cape_town("2026-06-09T09:00:00Z").why, "nap time at the destination", "at its own time");
    for departs in ["2026-06-09T10:55:00Z", "2026-06-09T10:20:00Z"] {
        let nap = first_nap(departs, "2026-06-09T12:00:00Z", "HAM", Tz::Europe__Berlin);
        assert_eq!(nap.start, utc("2026-06-09T13:00:00Z"), "{}", nap.message);
        assert_eq!(nap.why, "put off until after the landing", "{departs}: {}", nap.message);
    }
}

#[test]
fn under_three_months_the_night_aboard_is_that_of_home() {
    let mut case = overnight_to_tokyo(baby("2026-06-09T06:00:00Z"));
    (case.age_months, case.clock, case.wake_window) = (2.0, None, Some(Hours(1.2)));
    let sleeps = aboard(&case, Sleep);
    assert_eq!(sleeps.len(), 1, "{}", as_text(&case.plan()));
    assert!(sleeps[0].end - sleeps[0].start >= Span::hours(5), "{}", as_text(&case.plan()));
}

#[test]
fn a_flight_by_day_has_no_night_of_the_body() {
    let case = adult("2026-06-09T05:00:00Z");
    let case = case.flying("2026-06-09T08:00:00Z", "2026-06-09T16:30:00Z", "JFK", Tz::America__New_York);
    assert!(aboard(&case, Sleep).iter().all(|sleep| !sleep.why.contains("body")), "{}", as_text(&case.plan()));
}

#[test]
fn the_night_aboard_stands_still_while_the_journey_goes_on() {
    let first = aboard(&overnight_to_tokyo(adult("2026-06-09T05:00:00Z")), Sleep);
    for now in ["2026-06-09T15:00:00Z", "2026-06-09T21:30:00Z", "2026-06-09T22:30:00Z"] {
        let mut case = overnight_to_tokyo(adult("2026-06-09T05:00:00Z"));
        case.now = utc(now);
        let later = aboard(&case, Sleep);
        assert_eq!((later[0].start, later[0].end), (first[0].start, first[0].end), "{now}");
        assert_eq!(later[0].action_id, first[0].action_id);
    }
}

#[test]
fn nobody_is_sent_outdoors_in_the_two_hours_before_a_flight() {
    for departs in ["2026-06-09T17:00:00Z", "2026-06-09T18:30:00Z", "2026-06-09T06:30:00Z", "2026-06-09T05:00:00Z"] {
        for case in [adult("2026-06-07T05:00:00Z"), toddler("2026-06-07T05:00:00Z")] {
            let departs = utc(departs);
            let lands = (departs + Span::hours(8)).to_string();
            let case = case.flying(&departs.to_string(), &lands, "JFK", Tz::America__New_York);
            for light in of_kind(&case.plan(), BrightLight) {
                let late = light.end > departs - Span::hours(2) && light.start < departs;
                let told_until = light.message.contains("outdoors until") || !light.message.contains("outdoors");
                assert!(!late || told_until, "{}", light.message);
            }
        }
    }
}

#[test]
fn who_reads_at_night_is_told_until_when_the_night_runs_and_not_to_go_to_bed() {
    let plan = adult("2026-06-09T22:50:00Z").plan();
    let night = of_kind(&plan, Sleep)[0];
    assert_eq!((night.local.as_str(), night.message.as_str()), ("23:00–07:00", "Your night runs until about 07:00."));
}

#[test]
fn teenagers_are_spoken_to_and_a_child_at_home_has_usual_nights() {
    let teenager = |months| {
        let mut case = adult("2026-06-09T12:00:00Z");
        (case.band, case.age_months, case.name) = (AgeBand::Child, months, Some("Kim".to_owned()));
        case
    };
    assert!(of_kind(&teenager(204.0).plan(), Sleep)[0].message.starts_with("Sleep from"));
    assert!(of_kind(&teenager(150.0).plan(), Sleep)[0].message.starts_with("Put Kim to bed"));
    let mut late = toddler("2026-06-09T05:00:00Z");
    late.clock = late.clock.map(|clock| super::Clock { cbt_min: clock.cbt_min + Span::hours(4), ..clock });
    let plan = late.plan();
    assert!(plan.expect.is_some() && of_kind(&plan, Sleep)[0].why == "the usual night", "{}", as_text(&plan));
}

/// Somebody of each age at home in a zone, a day before a flight that leaves at an hour of the local clock.
fn leaving(home: Tz, who: usize, hour: i32, hours: i64, zone: Tz) -> Case {
    let (band, months, bed, wake) = [
        (AgeBand::Infant, 10.0, 1140, 405),
        (AgeBand::Toddler, 20.0, 1155, 390),
        (AgeBand::Child, 65.0, 1200, 420),
        (AgeBand::Adult, 420.0, 1380, 420),
    ][who];
    let day = chrono::NaiveDate::from_ymd_opt(2026, 10, 10).unwrap();
    let departs = crate::flight::zones::to_utc(home, day, hour * 60);
    let now = departs - Span::hours(26);
    let case = Case::settled(&now.to_string(), home, band, months, bed, wake);
    case.flying(&departs.to_string(), &(departs + Span::hours(hours)).to_string(), "ZZZ", zone)
}

const PLACES: [Tz; 8] = [
    Tz::Europe__London,
    Tz::America__New_York,
    Tz::America__Los_Angeles,
    Tz::Asia__Singapore,
    Tz::Asia__Tokyo,
    Tz::Australia__Sydney,
    Tz::Africa__Johannesburg,
    Tz::Pacific__Auckland,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_kept_awake_about_a_long_flight_for_longer_than_the_age_can_bear(
        (home, zone) in (0..PLACES.len(), 0..PLACES.len()),
        who in 0..4usize,
        (hour, hours) in (5..24i32, 8..19i64),
    ) {
        let case = leaving(PLACES[home], who, hour, hours, PLACES[zone]);
        case.with(|situation| {
            let setting = Setting::new(situation);
            let nights = nights(&setting, &Outlook::of(&setting));
            let flight = case.whereabouts[1];
            let about_flight = |from: UtcMillis, until: UtcMillis| until > flight.from && Some(from) < flight.to;
            for pair in nights.windows(2) {
                let (from, until) = (pair[0].window.end, pair[1].window.start);
                // Boarding, the climb and the landing take up to an hour of it.
                let is_borne = until - from <= setting.longest_day() + Span::hours(1);
                prop_assert!(!about_flight(from, until) || is_borne, "{} to {}: {:?}", from, until, nights);
            }
            let aboard = nights.iter().filter(|night| night.sort.is_aboard()).count();
            prop_assert!(aboard <= 2, "{:?}", nights);
            Ok(())
        })?;
    }
}

#[test]
fn a_night_of_the_destination_that_comes_too_late_is_one_sleep_a_little_earlier() {
    for who in [2, 3] {
        // It is 17:30 in Sydney when it is 22:30 in Los Angeles: bedtime there comes hours after that at home.
        let case = leaving(Tz::America__Los_Angeles, who, 22, 16, Tz::Australia__Sydney);
        let sleeps = aboard(&case, Sleep);
        assert_eq!(sleeps.len(), 1, "{}", as_text(&case.plan()));
        let usual = if who == 2 { Span::hours(11) } else { Span::hours(8) };
        assert_eq!(sleeps[0].end - sleeps[0].start, usual, "{}", as_text(&case.plan()));
    }
}

#[test]
fn who_flies_by_day_into_a_long_evening_rests_on_board_before_the_landing() {
    let mut case = leaving(Tz::Africa__Johannesburg, 3, 13, 8, Tz::America__New_York);
    case.trip_known_at = Some(case.now);
    let sleeps = aboard(&case, Sleep);
    assert_eq!(sleeps.len(), 1, "{}", as_text(&case.plan()));
    assert!(sleeps[0].end - sleeps[0].start <= Span::hours(2), "{}", as_text(&case.plan()));
    assert_eq!(sleeps[0].why, "the day would be too long without");
}

/// A toddler at home in New York who naps at 12:30, on the way to Honolulu from 12:30 to 17:30 there.
fn toddler_to_honolulu() -> Case {
    let mut case =
        Case::settled("2026-11-17T01:30:00Z", Tz::America__New_York, AgeBand::Toddler, 30.0, 19 * 60 + 30, 7 * 60);
    case.naps = vec![crate::event::activity::UsualNap { start: 12 * 60 + 30, minutes: 90 }];
    (case.wake_window, case.trip_known_at) = (Some(Hours(7.5)), Some(case.now));
    case.flying("2026-11-17T17:30:00Z", "2026-11-18T03:30:00Z", "HNL", Tz::Pacific__Honolulu)
}

#[test]
fn a_nap_aboard_is_when_the_child_is_tired_and_not_right_before_the_night() {
    let case = toddler_to_honolulu();
    let (naps, sleeps) = (aboard(&case, Nap), aboard(&case, Sleep));
    assert_eq!((naps.len(), sleeps.len()), (1, 1), "{}", as_text(&case.plan()));
    assert_eq!(naps[0].start, utc("2026-11-17T18:15:00Z"), "once it can sleep: {}", as_text(&case.plan()));
    assert!(sleeps[0].start - naps[0].end >= Span::hours(4), "{}", as_text(&case.plan()));
}

#[test]
fn a_nap_that_comes_due_while_people_leave_the_aircraft_waits_an_hour() {
    let mut case = toddler("2026-06-09T05:00:00Z");
    case = case.flying("2026-06-09T07:00:00Z", "2026-06-09T10:25:00Z", "CAI", Tz::Europe__Amsterdam);
    let nap = of_kind(&case.plan(), Nap)[0].clone();
    assert_eq!((nap.start, nap.why.as_str()), (utc("2026-06-09T11:25:00Z"), "put off until after the landing"));
}

#[test]
fn of_a_night_after_a_late_landing_nothing_is_said_to_end_it_early() {
    let child = toddler("2026-06-09T05:00:00Z");
    for case in [child, adult("2026-06-09T05:00:00Z")] {
        // Lands at 23:30: nobody is in bed before 00:30.
        let case = case.flying("2026-06-09T18:30:00Z", "2026-06-09T21:30:00Z", "FCO", Tz::Europe__Rome);
        let plan = case.plan();
        let night = of_kind(&plan, Sleep).into_iter().find(|night| night.start >= utc("2026-06-09T22:30:00Z"));
        let night = night.expect("a night on the ground");
        assert!(!night.message.contains("journey"), "{}", night.message);
        assert_eq!(night.why, "the flight took the beginning of the night");
    }
}
