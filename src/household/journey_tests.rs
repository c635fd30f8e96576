//! Trips, flights and where they put people.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::fixtures::*;
use super::trips::{Times, keeps_home_time, whereabouts};
use crate::engine::Unit;
use crate::event::activity::{Activity, Trip};
use crate::event::flight::{Cancellation, FlightState, FlightStatus, WatchChange};
use crate::event::recommendation::{ActionKind, Reason};
use crate::planner::Place;
use crate::traveller::people::PeopleModel;
use crate::units::{Span, UtcMillis};

pub(super) fn family() -> Story {
    let mut story = Story::new();
    story.profile(at(0, 8.0), "ana", adult(Tz::Europe__London));
    story.profile(at(0, 8.1), "mia", infant(Tz::Europe__London));
    story
}

pub(super) fn planned(legs: Vec<crate::event::activity::Leg>) -> Story {
    let mut story = family();
    story.tell(at(1, 9.0), "ana", Activity::Trip(Box::new(trip(1, &["ana", "mia"], legs))));
    story
}

pub(super) fn tell_trip(story: &mut Story, time: UtcMillis, trip: Trip) {
    story.tell(time, "ana", Activity::Trip(Box::new(trip)));
}

#[test]
fn a_trip_is_planned_for_everybody_on_it_and_its_flights_are_watched() {
    let story = planned(vec![to_new_york()]);
    assert_eq!(story.reasons(), [("ana", Reason::TripPlanned), ("mia", Reason::TripPlanned)]);
    assert_eq!(story.watches.len(), 1);
    assert_eq!(story.watches[0].flight_key, to_new_york().flight_key);
    assert_eq!(story.watches[0].watch, WatchChange::Start);
}

#[test]
fn the_same_trip_again_or_an_older_revision_is_nothing() {
    let mut story = planned(vec![to_new_york()]);
    let state = story.household.clone();
    tell_trip(&mut story, at(1, 10.0), trip(1, &["ana", "mia"], vec![to_new_york()]));
    tell_trip(&mut story, at(1, 10.0), trip(0, &["ana"], vec![]));
    assert_eq!(story.said.len(), 2);
    assert_eq!(story.household, state);
}

#[test]
fn another_trip_under_the_same_revision_replaces_nothing() {
    let mut story = planned(vec![to_new_york()]);
    let state = story.household.clone();
    let other = leg("BA179", "LHR", "JFK", at(8, 14.0), at(8, 22.0));
    tell_trip(&mut story, at(1, 10.0), trip(1, &["ana", "mia"], vec![other]));
    tell_trip(&mut story, at(1, 11.0), trip(1, &["ana", "mia"], vec![]));
    assert_eq!(story.said.len(), 2);
    assert_eq!(story.household, state);
}

#[test]
fn a_trip_that_was_called_off_before_it_was_heard_of_stays_off() {
    let mut story = family();
    tell_trip(&mut story, at(1, 9.0), trip(2, &["ana", "mia"], vec![]));
    tell_trip(&mut story, at(1, 9.1), trip(1, &["ana", "mia"], vec![to_new_york()]));
    assert!(story.said.is_empty() && story.watches.is_empty(), "{:?}", story.reasons());
    tell_trip(&mut story, at(1, 9.2), trip(3, &["ana", "mia"], vec![to_new_york()]));
    assert_eq!(story.reasons(), [("ana", Reason::TripPlanned), ("mia", Reason::TripPlanned)]);
}

#[test]
fn a_revision_with_other_legs_is_planned_again_and_the_old_flight_left_alone() {
    let mut story = planned(vec![to_new_york()]);
    let later = leg("BA179", "LHR", "JFK", at(8, 14.0), at(8, 22.0));
    tell_trip(&mut story, at(1, 10.0), trip(2, &["ana", "mia"], vec![later.clone()]));
    assert_eq!(story.said_since(2), [("ana", Reason::TripPlanned), ("mia", Reason::TripPlanned)]);
    let watches: Vec<_> = story.watches[1..].iter().map(|watch| (watch.flight_key.clone(), watch.watch)).collect();
    assert_eq!(watches, [(to_new_york().flight_key, WatchChange::Stop), (later.flight_key, WatchChange::Start)]);
}

#[test]
fn a_trip_that_is_called_off_is_watched_no_longer_and_not_brought_back_by_an_old_record() {
    let mut story = planned(vec![to_new_york()]);
    tell_trip(&mut story, at(1, 10.0), trip(3, &["ana", "mia"], vec![]));
    assert_eq!(story.watches.last().unwrap().watch, WatchChange::Stop);
    let watches = story.watches.len();
    tell_trip(&mut story, at(1, 11.0), trip(2, &["ana", "mia"], vec![to_new_york()]));
    assert_eq!(story.watches.len(), watches);
    let traveller = &story.household.travellers()[0];
    assert_eq!(story.whereabouts_of(traveller).len(), 1);
}

#[test]
fn a_delay_is_said_to_everybody_once() {
    let mut story = planned(vec![to_new_york()]);
    let flight = to_new_york();
    story.tell(at(6, 12.0), "", news(status(&flight, at(6, 12.0), Span::ZERO)));
    story.tell(at(7, 1.0), "", news(status(&flight, at(7, 1.0), Span::minutes(5))));
    let before = story.said.len();
    assert!(!story.reasons().contains(&("ana", Reason::FlightDelayed)), "on time, then five minutes");
    let late = status(&flight, at(7, 7.0), Span::hours(3));
    story.tell(at(7, 7.0), "", news(late.clone()));
    story.tell(at(7, 7.1), "", news(FlightStatus { observed_at: at(7, 7.1), ..late }));
    let since = story.said_since(before);
    let delays: Vec<_> = since.iter().filter(|(_, reason)| *reason == Reason::FlightDelayed).collect();
    assert_eq!(delays, [&("ana", Reason::FlightDelayed), &("mia", Reason::FlightDelayed)]);
    let said = story.said.iter().find(|said| said.reason == Reason::FlightDelayed).unwrap();
    assert_eq!(said.issued_at, at(7, 7.0));
    assert_eq!(said.cause.activity, "flight_update");
    assert_eq!(said.expires_at, flight.arrives + Span::hours(3));
}

#[test]
fn a_further_delay_is_measured_against_what_was_said_last() {
    let mut story = planned(vec![to_new_york()]);
    let flight = to_new_york();
    story.tell(at(7, 6.0), "", news(status(&flight, at(7, 6.0), Span::hours(3))));
    story.until(at(7, 6.0));
    let before = story.said.len();
    story.tell(at(7, 6.5), "", news(status(&flight, at(7, 6.5), Span::minutes(190))));
    assert_eq!(story.said.len(), before, "ten minutes more");
    story.tell(at(7, 6.9), "", news(status(&flight, at(7, 6.9), Span::minutes(196))));
    assert_eq!(story.said.len(), before + 2, "sixteen more than said");
}

#[test]
fn only_who_flies_is_told() {
    let mut story = family();
    tell_trip(&mut story, at(1, 9.0), trip(1, &["mia"], vec![to_new_york()]));
    story.until(at(7, 6.0));
    let before = story.said.len();
    story.tell(at(7, 6.0), "", news(status(&to_new_york(), at(7, 6.0), Span::hours(3))));
    assert_eq!(story.said_since(before), [("mia", Reason::FlightDelayed)]);
}

#[test]
fn a_cancellation_and_a_diversion_are_said() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(7, 6.0));
    let before = story.said.len();
    story.tell(at(7, 6.0), "", news(cancelled(&to_new_york(), at(7, 6.0))));
    assert_eq!(story.said_since(before), [("ana", Reason::FlightCancelled), ("mia", Reason::FlightCancelled)]);
    let ana = &story.household.travellers()[0];
    assert!(story.whereabouts_of(ana).iter().all(|stretch| stretch.place == Place::Home));

    let mut story = planned(vec![to_new_york()]);
    story.until(at(7, 18.0));
    let before = story.said.len();
    let diverted = FlightStatus {
        state: FlightState::Diverted,
        diverted_to: Some(iata("YVR")),
        ..status(&to_new_york(), at(7, 18.0), Span::ZERO)
    };
    story.tell(at(7, 18.0), "", news(diverted));
    let since = story.said_since(before);
    assert!(since.contains(&("mia", Reason::FlightDiverted)) && since.contains(&("ana", Reason::FlightDiverted)));
    let ana = &story.household.travellers()[0];
    assert_eq!(story.whereabouts_of(ana).last().unwrap().time_zone, Tz::America__Vancouver);
}

#[test]
fn reports_that_arrive_together_make_recommendations_of_their_own() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(7, 12.0));
    let before = story.said.len();
    let certain = cancelled(&to_new_york(), at(7, 6.5));
    let suspected =
        FlightStatus { cancellation: Some(Cancellation::Suspected), ..cancelled(&to_new_york(), at(7, 6.0)) };
    let flies = status(&to_new_york(), at(7, 7.0), Span::ZERO);
    for report in [suspected, certain.clone(), flies, FlightStatus { observed_at: at(7, 8.0), ..certain }] {
        story.tell(at(7, 12.0), "", news(report));
    }
    let said = &story.said[before..];
    assert!(said.len() >= 6, "{:?}", story.said_since(before));
    let ids: BTreeSet<_> = said.iter().map(|recommendation| recommendation.recommendation_id).collect();
    assert_eq!(ids.len(), said.len(), "an id is used twice");
}

#[test]
fn a_delay_that_becomes_known_after_landing_is_not_said() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(8, 6.0));
    let before = story.said.len();
    story.tell(at(8, 6.0), "", news(status(&to_new_york(), at(8, 6.0), Span::minutes(40))));
    assert_eq!(story.said.len(), before);
}

#[test]
fn news_of_a_flight_that_nobody_here_flies_changes_nothing() {
    let mut story = family();
    let state = story.household.clone();
    story.tell(at(7, 6.0), "", news(status(&to_new_york(), at(7, 6.0), Span::hours(3))));
    assert!(story.said.is_empty());
    assert_eq!(story.household, state);
}

#[test]
fn a_stay_is_away_and_the_way_back_leads_home() {
    let back = leg("BA112", "JFK", "LHR", at(17, 23.0), at(18, 6.0));
    let story = planned(vec![to_new_york(), back]);
    let ana = &story.household.travellers()[0];
    let path = story.whereabouts_of(ana);
    let places: Vec<_> = path.iter().map(|stretch| (stretch.place, stretch.time_zone)).collect();
    let (lhr, jfk) = (iata("LHR"), iata("JFK"));
    assert_eq!(
        places,
        [
            (Place::Home, Tz::Europe__London),
            (Place::Aboard { origin: lhr, destination: jfk }, Tz::America__New_York),
            (Place::Away { airport: jfk }, Tz::America__New_York),
            (Place::Aboard { origin: jfk, destination: lhr }, Tz::Europe__London),
            (Place::Home, Tz::Europe__London),
        ]
    );
    assert!(path.windows(2).all(|pair| pair[0].to == Some(pair[1].from)), "without gaps");
    assert_eq!(path.last().unwrap().to, None);
}

#[test]
fn who_stays_until_a_date_is_home_again_after_it() {
    let mut story = family();
    let stay = Trip { stay_until: Some(at(14, 0.0)), ..trip(1, &["ana"], vec![to_new_york()]) };
    tell_trip(&mut story, at(1, 9.0), stay);
    let path = story.whereabouts_of(&story.household.travellers()[0]);
    assert_eq!(path.last().map(|last| (last.place, last.from)), Some((Place::Home, at(14, 0.0))));
}

#[test]
fn short_stays_and_small_differences_keep_the_home_clock() {
    let numbers = PeopleModel::embedded().journey;
    let keeps = |legs| {
        let story = planned(legs);
        let ana = &story.household.travellers()[0];
        let booked = whereabouts(story.household.journeys(), ana, Times::Booked);
        keeps_home_time(&booked, Tz::Europe__London, at(2, 0.0), &numbers)
    };
    let back = |day| leg("BA112", "JFK", "LHR", at(day, 23.0), at(day + 1, 6.0));
    assert!(keeps(vec![to_new_york(), back(9)]), "two nights");
    assert!(!keeps(vec![to_new_york(), back(12)]));
    assert!(!keeps(vec![to_new_york()]), "for good");
    assert!(keeps(vec![leg("KL1000", "LHR", "AMS", at(7, 8.0), at(7, 9.5))]), "one hour apart");
}

#[test]
fn the_plan_is_looked_at_every_morning_from_three_days_before_departure() {
    let mut story = planned(vec![to_new_york()]);
    assert_eq!(story.household.travellers()[0].timers().plan.get(), Some(at(5, 7.0)), "not before");
    story.until(at(5, 7.0));
    assert_eq!(story.household.travellers()[0].timers().plan.get(), Some(at(6, 7.0)));
    story.until(at(8, 0.0));
    // 07:00 in New York, still on winter time.
    let new_york = |day| at(day, 12.0) - Span::hours(i64::from(day >= 6));
    assert_eq!(story.household.travellers()[0].timers().plan.get(), Some(new_york(8)));
    story.until(at(8, 12.0));
    assert_eq!(story.household.population().travelling, 2);
}

#[test]
fn who_travels_is_counted_from_take_off_to_the_way_home_to_the_minute() {
    let back = leg("BA112", "JFK", "LHR", at(17, 23.0), at(18, 6.0));
    let mut story = planned(vec![to_new_york(), back.clone()]);
    let minute = Span::minutes(1);
    let mut away_at = |time| {
        story.until(time);
        story.household.population().travelling
    };
    let leaves = to_new_york().departs;
    assert_eq!([away_at(leaves - minute), away_at(leaves), away_at(at(12, 0.0))], [0, 2, 2]);
    assert_eq!([away_at(back.arrives - minute), away_at(back.arrives)], [2, 0]);
    // A delay and a cancellation move it.
    let mut story = planned(vec![to_new_york()]);
    story.tell(at(7, 11.0), "", news(status(&to_new_york(), at(7, 11.0), Span::hours(3))));
    story.until(at(7, 14.9));
    assert_eq!(story.household.population().travelling, 0, "still at the gate");
    story.until(at(7, 15.0));
    assert_eq!(story.household.population().travelling, 2);
    story.tell(at(7, 15.1), "", news(cancelled(&to_new_york(), at(7, 15.1))));
    assert_eq!(story.household.population().travelling, 0);
}

#[test]
fn the_daily_look_ends_and_the_trip_is_forgotten() {
    let back = leg("BA112", "JFK", "LHR", at(17, 23.0), at(18, 6.0));
    let mut story = planned(vec![to_new_york(), back.clone()]);
    story.until(at(60, 0.0));
    assert_eq!(story.household.next_due(), None);
    assert_eq!(story.household.population().travelling, 0);
    let refreshed = story.said.iter().filter(|said| said.reason == Reason::PlanRefreshed).count();
    assert!(refreshed < 50, "{refreshed}");
}

#[test]
fn plans_of_a_journey_put_sleep_into_the_night_of_the_destination() {
    let mut story = planned(vec![to_new_york()]);
    story.until(at(9, 0.0));
    let plan = &story.estimates()[0].plan;
    assert!(!plan.is_empty());
    for action in plan.iter().filter(|action| action.kind == ActionKind::Sleep && action.start > at(9, 0.0)) {
        assert_eq!(action.time_zone, "America/New_York");
    }
}

#[test]
fn a_refreshed_plan_names_a_time_of_the_next_day_or_none() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__London));
    story.tell(at(5, 9.0), "ana", Activity::Trip(Box::new(trip(1, &["ana"], vec![to_new_york()]))));
    story.tell(at(6, 9.0), "ana", Activity::Trip(Box::new(trip(2, &["ana"], vec![]))));
    story.tell(at(6, 9.1), "ana", Activity::Trip(Box::new(trip(3, &["ana"], vec![]))));
    story.until(at(14, 0.0));
    assert!(story.said.iter().any(|said| said.cause.activity == "trip" && said.issued_at == at(6, 9.0)));
    assert!(!story.said.iter().any(|said| said.issued_at == at(6, 9.1)));
    for said in story.said.iter().filter(|said| said.headline.contains("plan has changed")) {
        let is_named = |action: &crate::event::recommendation::Action| {
            let is_near = action.start > said.issued_at && action.start < said.issued_at + Span::hours(24);
            is_near && said.headline.contains(&action.local[..5])
        };
        assert!(said.actions.iter().any(is_named), "{}", said.headline);
    }
}

#[test]
fn a_connection_that_was_missed_is_taken_back_when_its_second_flight_is_late_enough() {
    let first = leg("KL1001", "AMS", "LHR", at(5, 9.0), at(5, 10.25));
    let second = leg("BA117", "LHR", "JFK", at(5, 12.25), at(5, 20.25));
    let mut story = Story::new();
    story.profile(at(0, 12.0), "ana", adult(Tz::Europe__Amsterdam));
    let journey = trip(1, &["ana"], vec![first.clone(), second.clone()]);
    story.tell(at(1, 0.0), "ana", Activity::Trip(Box::new(journey)));
    story.tell(at(5, 8.0), "ana", news(status(&first, at(5, 8.0), Span::minutes(150))));
    assert_eq!(story.said.last().unwrap().reason, Reason::ConnectionMissed);
    story.tell(at(5, 9.0), "ana", news(status(&second, at(5, 9.0), Span::minutes(150))));
    let said = story.said.last().unwrap();
    assert_eq!(said.reason, Reason::FlightDelayed);
    assert!(said.headline.contains("there is time to change in LHR again"), "{}", said.headline);
}

#[test]
fn a_trip_that_is_revised_on_the_way_home_is_a_plan_for_home() {
    let home = |day| leg("BA178", "JFK", "LHR", at(day, 13.0), at(day, 20.0));
    let mut story = planned(vec![to_new_york(), home(14)]);
    assert!(story.said[0].headline.contains("plan for JFK"), "{}", story.said[0].headline);
    story.until(at(13, 18.0));
    let before = story.said.len();
    tell_trip(&mut story, at(13, 18.0), trip(2, &["ana", "mia"], vec![to_new_york(), home(15)]));
    for said in &story.said[before..] {
        assert!(said.headline.contains("plan for LHR"), "{}", said.headline);
    }
    assert_eq!(story.said_since(before), [("ana", Reason::TripPlanned), ("mia", Reason::TripPlanned)]);
}

#[test]
fn no_headline_calls_sleep_in_the_air_a_bed() {
    // A short way to go, known a few hours before: no night on the ground moves, and that aboard does.
    let mut story = family();
    let eastward = leg("BA5", "LHR", "NRT", at(5, 12.0), at(6, 1.75));
    story.tell(at(5, 3.0), "ana", Activity::Trip(Box::new(trip(1, &["ana", "mia"], vec![eastward.clone()]))));
    story.tell(at(5, 8.0), "ana", news(status(&eastward, at(5, 8.0), Span::minutes(240))));
    story.until(at(7, 0.0));
    let mut with_sleep_aboard = 0;
    for said in &story.said {
        let sleeps = said.actions.iter().filter(|action| action.kind == ActionKind::Sleep);
        for sleep in sleeps.filter(|sleep| sleep.message.contains("on board")) {
            with_sleep_aboard += 1;
            let bed = format!("bed at {}", &sleep.local[..5]);
            let moves = format!("bed moves to {}", &sleep.local[..5]);
            assert!(!said.headline.contains(&bed) && !said.headline.contains(&moves), "{}", said.headline);
        }
    }
    assert!(with_sleep_aboard > 0);
}
