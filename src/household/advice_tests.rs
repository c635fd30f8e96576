//! What people on a journey are told, and how often.

use chrono_tz::Tz;

use super::fixtures::*;
use super::journey_tests::{family, planned, tell_trip};
use crate::event::recommendation::{Action, ActionKind, Reason, Recommendation, Urgency};
use crate::flight::zones;
use crate::units::Span;

#[test]
fn a_delay_that_breaks_a_connection_is_told_as_that() {
    let inbound = leg("KL1001", "LHR", "AMS", at(7, 8.0), at(7, 9.5));
    let outbound = leg("KL641", "AMS", "JFK", at(7, 11.5), at(7, 20.0));
    let told = |late: Span| {
        let mut story = planned(vec![inbound.clone(), outbound.clone()]);
        story.until(at(7, 5.0));
        let before = story.said.len();
        story.tell(at(7, 5.0), "", news(status(&inbound, at(7, 5.0), late)));
        story.said.split_off(before)
    };
    for (late, reason, words) in [
        (30, Reason::FlightDelayed, "KL1001 is 30 min late, leaving at 08:30"),
        (
            80,
            Reason::ConnectionAtRisk,
            "KL1001 is 1 h 20 min late, leaving at 09:20: 40 min are left to change to KL641 in AMS.",
        ),
        (
            150,
            Reason::ConnectionMissed,
            "KL1001 is 2 h 30 min late, leaving at 10:30: the connection to KL641 in AMS is missed.",
        ),
    ] {
        let said = told(Span::minutes(late));
        let reasons: Vec<_> = said.iter().map(|said| (said.user_id.as_str(), said.reason)).collect();
        assert_eq!(reasons, [("ana", reason), ("mia", reason)], "one each");
        assert!(said[0].headline.starts_with(words), "{}", said[0].headline);
        assert!(said[0].urgency >= Urgency::Active);
    }
}

#[test]
fn a_connection_is_safe_again_when_the_next_flight_is_late_too() {
    let inbound = leg("KL1001", "LHR", "AMS", at(7, 8.0), at(7, 9.5));
    let outbound = leg("KL641", "AMS", "JFK", at(7, 11.5), at(7, 20.0));
    let mut story = planned(vec![inbound.clone(), outbound.clone()]);
    story.tell(at(7, 5.0), "", news(status(&inbound, at(7, 5.0), Span::hours(3))));
    let before = story.said.len();
    story.tell(at(7, 5.5), "", news(status(&outbound, at(7, 5.5), Span::hours(4))));
    assert_eq!(story.said_since(before), [("ana", Reason::FlightDelayed), ("mia", Reason::FlightDelayed)]);
    assert!(story.said[before].headline.starts_with("KL641 is 4 h late"), "{}", story.said[before].headline);
}

#[test]
fn a_flight_that_flies_after_all_and_a_trip_that_is_called_off_have_words_of_their_own() {
    let mut story = planned(vec![to_new_york()]);
    story.tell(at(7, 5.0), "", news(cancelled(&to_new_york(), at(7, 5.0))));
    let before = story.said.len();
    story.tell(at(7, 6.0), "", news(status(&to_new_york(), at(7, 6.0), Span::ZERO)));
    assert_eq!(story.said.len(), before + 2);
    assert_eq!(story.said[before].headline, "BA117 is on again, leaving at 12:00: your plan counts on it.");
    let before = story.said.len();
    tell_trip(&mut story, at(7, 7.0), trip(2, &["ana"], vec![to_new_york()]));
    assert_eq!(story.said[before].headline, "The trip to JFK is called off: Mia's plan is the usual day at home.");
    let before = story.said.len();
    tell_trip(&mut story, at(7, 8.0), trip(3, &["ana"], vec![]));
    assert_eq!(story.said_since(before), [("ana", Reason::PlanRefreshed)]);
    assert_eq!(story.said[before].headline, "The trip to JFK is called off: your plan is the usual day at home.");
}

#[test]
fn the_way_round_is_chosen_once_for_a_journey() {
    // Hours ahead of London in March: 9 to 11, and as many behind.
    for (airport, arrives_after) in [("HND", 14.0), ("BNE", 22.0), ("SYD", 22.0), ("ANC", 12.0), ("HNL", 17.0)] {
        let mut story = Story::new();
        story.profile(at(0, 8.0), "ana", adult(Tz::Europe__London));
        let flight =
            leg("ZZ1", "LHR", airport, at(7, 12.0), at(7, 12.0) + Span::minutes((arrives_after * 60.0) as i64));
        tell_trip(&mut story, at(1, 9.0), trip(1, &["ana"], vec![flight]));
        let mut ways = Vec::new();
        for day in 4..22 {
            story.until(at(day, 23.9));
            ways.extend(story.household.travellers()[0].heading().map(|heading| heading.direction));
        }
        // Day 7 is that of the flight. Nobody here logs anything: a body that goes the other way by itself, for hours, is
        // followed once.
        assert!(ways.len() >= 5 && ways[..3].iter().all(|way| *way == ways[0]), "{airport} {ways:?}");
        assert!(ways.windows(2).filter(|pair| pair[0] != pair[1]).count() <= 1, "{airport} {ways:?}");
        let why = |text: &str| story.said.iter().flat_map(|said| &said.actions).any(|action| action.why.contains(text));
        let nights = [why("a little earlier each night"), why("a little later each night")];
        assert!(nights[0] != nights[1], "{airport}: {nights:?}");
    }
}

#[test]
fn the_daily_look_is_quiet_and_low() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(22, 0.0));
    let refreshed: Vec<_> = story.said.iter().filter(|said| said.reason == Reason::PlanRefreshed).collect();
    assert!(refreshed.iter().all(|said| said.urgency == Urgency::Passive));
    assert!(refreshed.len() <= 14, "{} for two people in 17 days", refreshed.len());
}

#[test]
fn who_has_no_profile_is_told_times_of_the_place_and_not_of_greenwich() {
    let mut story = Story::new();
    let there = leg("NH1", "HND", "SIN", at(3, 3.0), at(3, 10.0));
    tell_trip(&mut story, at(1, 9.0), trip(1, &["leo"], vec![there]));
    let said = &story.said[0];
    assert!(!said.actions.is_empty());
    for action in &said.actions {
        assert!(["Asia/Tokyo", "Asia/Singapore"].contains(&action.time_zone.as_str()), "{action:?}");
    }
    let night = said.actions.iter().find(|action| action.kind == ActionKind::Sleep).unwrap();
    assert_eq!((night.local.as_str(), night.time_zone.as_str()), ("23:00–07:00", "Asia/Tokyo"));
    assert!(said.actions.iter().all(|action| action.kind == ActionKind::Sleep), "nobody knows this person's clock");
}

#[test]
fn who_keeps_the_time_of_home_is_told_both_clocks() {
    let back = leg("BA112", "JFK", "LHR", at(8, 23.0), at(9, 6.0));
    let mut story = planned(vec![to_new_york(), back]);
    story.until(at(7, 21.0));
    let plan = &story.estimates()[0].plan;
    let abroad: Vec<_> = plan
        .iter()
        .filter(|action| action.kind == ActionKind::Sleep && action.time_zone == "America/New_York")
        .collect();
    assert!(!abroad.is_empty(), "{plan:?}");
    // New York has summer time from 8 March, London not yet: four hours.
    assert_eq!(abroad[0].local, "19:00–03:00");
    assert!(abroad[0].message.ends_with("(at home 23:00–07:00)."), "{}", abroad[0].message);
}

#[test]
fn how_loudly_something_is_said_hangs_on_the_news_and_not_on_what_is_due_anyway() {
    // Mia's usual bedtime is some minutes away when the trip is entered, and when the flight of next week is put off.
    let planned = planned(vec![to_new_york()]);
    let bed = planned.said[1].actions.iter().find(|action| action.kind == ActionKind::Sleep).unwrap().start;
    let entered = bed - Span::minutes(10);
    let mut story = family();
    tell_trip(&mut story, entered, trip(1, &["ana", "mia"], vec![to_new_york()]));
    assert!(story.said.iter().all(|said| said.urgency == Urgency::Passive), "a trip in a week can wait");
    assert!(story.said.iter().all(|said| said.time_zone == "Europe/London"));
    let before = story.said.len();
    story.tell(entered + Span::minutes(1), "", news(status(&to_new_york(), entered, Span::hours(3))));
    let mia = story.said[before..].iter().find(|said| said.user_id == "mia").unwrap();
    assert_eq!(mia.urgency, Urgency::Active, "bed tonight is no news");
}

#[test]
fn a_trip_that_moves_no_night_which_is_ahead_announces_no_bedtime() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(5, 9.0));
    let nights: Vec<_> = story.said.iter().filter(|said| said.user_id == "mia").collect();
    let nights = &nights.last().unwrap().actions;
    assert!(nights.iter().any(|night| night.kind == ActionKind::Sleep && night.local.starts_with("20:")), "{nights:?}");
    // Another flight at nearly the same time moves no bed that was not moved before.
    let other = leg("BA175", "LHR", "JFK", at(7, 12.25), at(7, 20.25));
    for (revision, hours) in [(2, 12.0), (3, 23.0)] {
        let before = story.said.len();
        tell_trip(
            &mut story,
            at(5, hours),
            trip(revision, &["mia"], vec![if revision == 2 { other.clone() } else { to_new_york() }]),
        );
        let said = story.said[before..].iter().find(|said| said.user_id == "mia").unwrap();
        assert_eq!(said.headline, "Mia's plan for JFK is ready: bedtimes stay as planned.", "revision {revision}");
    }
}

#[test]
fn the_bedtime_that_a_trip_announces_is_still_ahead() {
    let mut story = family();
    // Put to bed half an hour late: the night that runs has another time than the usual one, and is no news.
    story.fell_asleep("mia", at(4, 20.0));
    tell_trip(&mut story, at(4, 22.0), trip(1, &["mia"], vec![to_new_york()]));
    let said = story.said.last().unwrap();
    let announced = said.headline.split("bed moves to ").nth(1).unwrap();
    assert!(announced.ends_with("on 7 Mar.") && !announced.starts_with("20:00"), "{}", said.headline);
}

#[test]
fn a_flight_that_comes_forward_again_is_said_to_leave_sooner_and_breaks_through_silence() {
    let mut story = planned(vec![to_new_york()]);
    let flight = to_new_york();
    let tell = |story: &mut Story, hours: f64, late: Span| {
        let before = story.said.len();
        story.tell(at(7, hours), "", news(status(&flight, at(7, hours), late)));
        let is_news = |said: &&Recommendation| said.user_id == "ana" && said.reason == Reason::FlightDelayed;
        let said = story.said[before..].iter().find(is_news).unwrap();
        (said.headline.clone(), said.urgency)
    };
    let (late, _) = tell(&mut story, 6.0, Span::hours(3));
    assert!(late.starts_with("BA117 is 3 h late, leaving at 15:00: your plan"), "{late}");
    let (later, _) = tell(&mut story, 7.0, Span::hours(4));
    assert!(later.starts_with("BA117 is now 4 h late, leaving at 16:00: your plan"), "{later}");
    let (sooner, urgency) = tell(&mut story, 10.0, Span::minutes(5));
    assert!(sooner.starts_with("BA117 leaves earlier than last said, at 12:05: your plan"), "{sooner}");
    assert_eq!(urgency, Urgency::TimeSensitive);
}

#[test]
fn the_first_news_that_a_flight_leaves_early_says_when_and_breaks_through_silence() {
    let mut story = planned(vec![to_new_york()]);
    let before = story.said.len();
    story.until(at(7, 8.0));
    story.tell(at(7, 8.0), "", news(status(&to_new_york(), at(7, 8.0), -Span::hours(1))));
    let said: Vec<_> = story.said[before..].iter().filter(|said| said.reason == Reason::FlightDelayed).collect();
    assert_eq!(said.len(), 2);
    for said in said {
        assert!(said.headline.starts_with("BA117 is 1 h early, leaving at 11:00: "), "{}", said.headline);
        assert_eq!(said.urgency, Urgency::TimeSensitive);
    }
}

#[test]
fn news_in_a_night_that_was_moved_does_not_wake_its_sleeper_to_go_to_bed() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(7, 5.0));
    let bed = story.said.iter().rfind(|said| said.user_id == "ana" && said.issued_at < at(6, 20.0)).unwrap();
    let tonight =
        bed.actions.iter().find(|action| action.kind == ActionKind::Sleep && action.end > at(7, 5.0)).unwrap();
    assert!(tonight.start > at(7, 1.0) && tonight.end > at(7, 8.5), "moved by hours: {}", tonight.local);
    let (tonight, before) = (tonight.clone(), story.said.len());
    story.tell(at(7, 5.0), "", news(status(&to_new_york(), at(7, 5.0), Span::hours(2))));
    let said = story.said[before..].iter().find(|said| said.user_id == "ana").unwrap();
    assert_eq!(said.urgency, Urgency::Active);
    assert_eq!(said.actions[0].local, tonight.local);
    assert_eq!(said.actions[0].message, "Your night runs until about 10:00.");
}

/// Naps of the whole local days that a plan speaks of.
fn naps_a_day(story: &Story) -> Vec<usize> {
    let estimate = story.estimates().into_iter().find(|estimate| estimate.estimate_of == "mia").unwrap();
    let day = |action: &Action| zones::local_date(action.time_zone.parse().unwrap(), action.start);
    let today = zones::local_date(Tz::America__New_York, story.now);
    let whole = [today + chrono::Days::new(1), today + chrono::Days::new(2)];
    let naps =
        |date| estimate.plan.iter().filter(|action| action.kind == ActionKind::Nap && day(action) == date).count();
    whole.into_iter().map(naps).collect()
}

#[test]
fn a_baby_has_as_many_naps_a_day_after_a_flight_as_at_home_however_long_ago_that_is() {
    for naps_in_profile in [true, false] {
        let mut story = Story::new();
        let mut profile = infant(Tz::Europe__London);
        profile.naps = profile.naps.filter(|_| naps_in_profile);
        story.profile(at(0, 8.0), "mia", profile);
        story.regular_days("mia", 0, 6);
        tell_trip(&mut story, at(7, 7.5), trip(1, &["mia"], vec![to_new_york()]));
        // New York's clock is five hours behind, four from Sunday the eighth on.
        for day in 8..20 {
            let (morning, afternoon) = (at(day, 14.5), at(day, 19.5));
            story.slept("mia", at(day - 1, 23.5), at(day, 11.0));
            for hours in [11.5, 12.0] {
                story.until(at(day, hours));
                // The horizon ends on the evening of the second whole day.
                assert_eq!(naps_a_day(&story)[0], 2, "day {day}, naps in the profile: {naps_in_profile}");
            }
            story.napped("mia", morning, morning + Span::minutes(75));
            story.napped("mia", afternoon, afternoon + Span::minutes(75));
        }
    }
}
