//! Where people are, and what they hear, once a connection is missed.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::fixtures::*;
use super::journey_tests::tell_trip;
use crate::engine::Unit;
use crate::event::activity::{Leg, Trip};
use crate::event::flight::{Cancellation, FlightState, FlightStatus, Iata};
use crate::event::recommendation::Reason;
use crate::planner::Place;
use crate::units::{Span, UtcMillis};

fn to_amsterdam() -> Leg {
    leg("KL1001", "LHR", "AMS", at(7, 8.0), at(7, 9.5))
}

fn on_to_new_york() -> Leg {
    leg("KL641", "AMS", "JFK", at(7, 11.5), at(7, 20.0))
}

fn on_to_california() -> Leg {
    leg("DL670", "JFK", "SFO", at(7, 23.5), at(8, 6.0))
}

/// Home again two weeks later.
fn back() -> Leg {
    leg("BA286", "SFO", "LHR", at(21, 23.0), at(22, 9.0))
}

/// Somebody on all of these, on the morning of the journey.
fn on_the_morning_of(legs: Vec<Leg>) -> Story {
    let mut story = Story::new();
    story.profile(at(0, 8.0), "ana", adult(Tz::Europe__London));
    tell_trip(&mut story, at(1, 9.0), trip(1, &["ana"], legs));
    story.until(at(7, 5.0));
    story
}

fn missed() -> Story {
    let mut story = on_the_morning_of(vec![to_amsterdam(), on_to_new_york(), on_to_california(), back()]);
    story.tell(at(7, 5.0), "", news(status(&to_amsterdam(), at(7, 5.0), Span::minutes(150))));
    assert_eq!(story.said.last().unwrap().reason, Reason::ConnectionMissed);
    story
}

/// From where to where, and when; a stay leads from an airport to itself.
fn path(story: &Story) -> Vec<(Iata, Iata, UtcMillis)> {
    let stretches = story.whereabouts_of(&story.household.travellers()[0]);
    let places = stretches.iter().filter_map(|stretch| match stretch.place {
        Place::Home => None,
        Place::Aboard { origin, destination } => Some((origin, destination, stretch.from)),
        Place::Away { airport } => Some((airport, airport, stretch.from)),
    });
    places.collect()
}

#[test]
fn who_misses_a_connection_stays_there_and_has_come_on_a_day_after_the_flights_that_left_without_them() {
    let late = Span::minutes(150);
    let [lhr, ams, sfo] = ["LHR", "AMS", "SFO"].map(iata);
    assert_eq!(
        path(&missed()),
        [
            (lhr, ams, to_amsterdam().departs + late),
            (ams, ams, to_amsterdam().arrives + late),
            (sfo, sfo, on_to_california().arrives + Span::days(1)),
            (sfo, lhr, back().departs),
        ],
        "neither the flight that is missed nor the next one; the way back is another matter"
    );
}

/// On the way to New York for good, with the connection missed.
fn missed_for_good() -> Story {
    let mut story = on_the_morning_of(vec![to_amsterdam(), on_to_new_york()]);
    story.tell(at(7, 5.0), "", news(status(&to_amsterdam(), at(7, 5.0), Span::minutes(150))));
    story
}

fn zones_of_the_plan(story: &Story) -> BTreeSet<String> {
    story.estimates()[0].plan.iter().map(|action| action.time_zone.clone()).collect()
}

#[test]
fn plans_stay_where_a_connection_was_missed_until_people_are_taken_to_have_come_on() {
    let assumed_from = on_to_new_york().arrives + Span::days(1);
    let mut story = missed_for_good();
    for hours in 8..35 {
        story.until(at(7, f64::from(hours)));
        let zones = zones_of_the_plan(&story);
        assert!(!zones.contains("America/New_York"), "{hours}: {zones:?}");
    }
    story.until(assumed_from - Span::minutes(1));
    assert_eq!(zones_of_the_plan(&story), BTreeSet::from(["Europe/Amsterdam".to_owned()]));
    let before = story.said.len();
    story.until(assumed_from);
    assert_eq!(zones_of_the_plan(&story), BTreeSet::from(["America/New_York".to_owned()]));
    assert_eq!(story.said_since(before), [("ana", Reason::PlanRefreshed)], "at once");
    story.until(assumed_from + Span::days(1));
    let said = &story.said[before..];
    for said in said {
        assert_eq!(said.time_zone, "America/New_York");
        assert!(said.actions.iter().all(|action| !action.message.contains("on board")), "{said:?}");
    }
}

#[test]
fn what_is_told_of_another_flight_wins_over_what_is_taken_for_granted() {
    let next_day = leg("KL643", "AMS", "JFK", at(8, 11.5), at(8, 20.0));
    let flown = (iata("AMS"), iata("JFK"), next_day.departs);
    for told_at in [at(7, 10.0), at(9, 8.0)] {
        let mut story = missed_for_good();
        tell_trip(&mut story, told_at, trip(2, &["ana"], vec![to_amsterdam(), next_day.clone()]));
        assert_eq!(path(&story)[2..], [flown, (iata("JFK"), iata("JFK"), next_day.arrives)]);
    }
    // In a trip of its own, and elsewhere.
    let mut story = missed_for_good();
    let other = leg("KL605", "AMS", "SFO", at(8, 9.0), at(8, 20.0));
    let own = Trip { trip_id: "t2".into(), ..trip(1, &["ana"], vec![other.clone()]) };
    tell_trip(&mut story, at(7, 10.0), own);
    let flown = (iata("AMS"), iata("SFO"), other.departs);
    assert_eq!(path(&story)[2..], [flown, (iata("SFO"), iata("SFO"), other.arrives)]);
}

#[test]
fn nobody_is_taken_to_come_on_sooner_than_a_day_after_coming_to_the_connection() {
    let mut story = on_the_morning_of(vec![to_amsterdam(), on_to_new_york()]);
    let late = Span::hours(30);
    story.tell(at(7, 5.0), "", news(status(&to_amsterdam(), at(7, 5.0), late)));
    let comes_on = to_amsterdam().arrives + late + Span::days(1);
    assert_eq!(path(&story).last(), Some(&(iata("JFK"), iata("JFK"), comes_on)));
}

#[test]
fn who_misses_a_connection_on_the_way_home_is_home_a_day_later() {
    let (out, back) = (leg("BA117", "LHR", "JFK", at(7, 6.0), at(7, 14.0)), at(21, 23.0));
    let to_dublin = leg("EI104", "JFK", "DUB", back, back + Span::hours(7));
    let home = leg("EI160", "DUB", "LHR", back + Span::hours(9), back + Span::hours(10));
    let mut story = on_the_morning_of(vec![out, to_dublin.clone(), home.clone()]);
    story.tell(at(21, 20.0), "", news(status(&to_dublin, at(21, 20.0), Span::hours(3))));
    let stretches = story.whereabouts_of(&story.household.travellers()[0]);
    let last = stretches.last().unwrap();
    assert_eq!((last.place, last.from), (Place::Home, home.arrives + Span::days(1)));
    story.until(home.arrives + Span::days(1) - Span::minutes(1));
    assert_eq!(story.household.population().travelling, 1);
    story.until(home.arrives + Span::days(1));
    assert_eq!(story.household.population().travelling, 0);
}

#[test]
fn a_stay_that_ends_first_is_over_at_home() {
    let mut story = Story::new();
    story.profile(at(0, 8.0), "ana", adult(Tz::Europe__London));
    let ends = at(8, 12.0);
    let legs = vec![to_amsterdam(), on_to_new_york()];
    tell_trip(&mut story, at(1, 9.0), Trip { stay_until: Some(ends), ..trip(1, &["ana"], legs) });
    story.tell(at(7, 5.0), "", news(status(&to_amsterdam(), at(7, 5.0), Span::minutes(150))));
    let stretches = story.whereabouts_of(&story.household.travellers()[0]);
    let last = stretches.last().unwrap();
    assert_eq!((last.place, last.from), (Place::Home, ends));
    assert!(!stretches.iter().any(|stretch| stretch.time_zone == Tz::America__New_York));
}

#[test]
fn a_missed_flight_that_is_diverted_takes_nobody_along_and_is_not_spoken_of() {
    let mut story = missed();
    let (before, as_missed) = (story.said.len(), path(&story));
    let diverted = FlightStatus {
        state: FlightState::Diverted,
        diverted_to: Some(iata("YUL")),
        ..status(&on_to_new_york(), at(7, 18.0), Span::ZERO)
    };
    story.tell(at(7, 18.0), "", news(diverted));
    story.tell(at(7, 18.5), "", news(status(&on_to_california(), at(7, 18.5), Span::hours(1))));
    assert_eq!(path(&story), as_missed);
    assert_eq!(story.said_since(before), []);
}

#[test]
fn a_missed_flight_that_is_cancelled_is_said_and_its_next_one_stays_out_of_reach() {
    let mut story = missed();
    let (before, as_missed) = (story.said.len(), path(&story));
    story.tell(at(7, 9.0), "", news(cancelled(&on_to_new_york(), at(7, 9.0))));
    assert_eq!(story.said_since(before), [("ana", Reason::FlightCancelled)]);
    assert_eq!(path(&story), as_missed);
}

#[test]
fn a_connection_that_is_there_again_leads_on_to_the_end_even_if_it_is_a_close_one() {
    for (mends, words) in [
        (status(&to_amsterdam(), at(7, 6.0), Span::minutes(30)), "there is time to change in AMS again"),
        (status(&to_amsterdam(), at(7, 6.0), Span::minutes(60)), "1 h are left to change to KL641 in AMS"),
        (status(&on_to_new_york(), at(7, 6.0), Span::minutes(105)), "there is time to change in AMS again"),
    ] {
        let mut story = missed();
        story.tell(at(7, 6.0), "", news(mends));
        let headline = &story.said.last().unwrap().headline;
        assert!(headline.contains(words), "{headline}");
        let flights = path(&story).into_iter().filter(|(from, to, _)| from != to).count();
        assert_eq!(flights, 4, "{headline}");
    }
}

#[test]
fn a_revision_takes_who_missed_a_connection_on() {
    let mut story = missed();
    let next_day = leg("KL643", "AMS", "JFK", at(8, 11.5), at(8, 20.0));
    tell_trip(&mut story, at(7, 10.0), trip(2, &["ana"], vec![to_amsterdam(), next_day.clone()]));
    assert_eq!(
        path(&story)[2..],
        [(iata("AMS"), iata("JFK"), next_day.departs), (iata("JFK"), iata("JFK"), next_day.arrives)]
    );
}

/// The whole journey on the morning of its first day, with this news of its first flight.
fn whole_journey_with(status: FlightStatus) -> Story {
    let mut story = on_the_morning_of(vec![to_amsterdam(), on_to_new_york(), on_to_california(), back()]);
    story.tell(at(7, 5.0), "", news(status));
    story
}

fn diverted(to: Option<Iata>) -> FlightStatus {
    FlightStatus { state: FlightState::Diverted, diverted_to: to, ..status(&to_amsterdam(), at(7, 5.0), Span::ZERO) }
}

fn flights(story: &Story) -> usize {
    path(story).into_iter().filter(|(from, to, _)| from != to).count()
}

#[test]
fn nobody_is_on_what_goes_on_from_a_flight_that_is_cancelled_until_it_flies_again() {
    let [lhr, sfo] = ["LHR", "SFO"].map(iata);
    let mut story = whole_journey_with(cancelled(&to_amsterdam(), at(7, 5.0)));
    assert_eq!(story.said.last().unwrap().reason, Reason::FlightCancelled);
    let stays = [(sfo, sfo, on_to_california().arrives + Span::days(1)), (sfo, lhr, back().departs)];
    assert_eq!(path(&story), stays);
    assert_eq!(zones_of_the_plan(&story), BTreeSet::from(["Europe/London".to_owned()]));
    let before = story.said.len();
    story.tell(at(7, 6.0), "", news(status(&on_to_new_york(), at(7, 6.0), Span::hours(2))));
    assert_eq!((path(&story), story.said_since(before)), (stays.to_vec(), vec![]), "it is late for others");
    story.tell(at(7, 7.0), "", news(status(&to_amsterdam(), at(7, 7.0), Span::ZERO)));
    assert_eq!(story.said_since(before), [("ana", Reason::FlightDelayed)]);
    assert_eq!(flights(&story), 4, "{}", story.said.last().unwrap().headline);
}

#[test]
fn a_flight_that_may_be_cancelled_takes_people_on() {
    let suspected = Some(Cancellation::Suspected);
    let status = FlightStatus { cancellation: suspected, ..cancelled(&to_amsterdam(), at(7, 5.0)) };
    assert_eq!(flights(&whole_journey_with(status)), 4);
}

#[test]
fn who_is_diverted_stays_there_and_misses_what_goes_on_from_where_the_flight_was_booked_to() {
    let [lhr, bru, sfo] = ["LHR", "BRU", "SFO"].map(iata);
    let mut story = whole_journey_with(diverted(Some(bru)));
    let (departs, arrives) = (to_amsterdam().departs, to_amsterdam().arrives);
    let comes_on = on_to_california().arrives + Span::days(1);
    assert_eq!(
        path(&story),
        [(lhr, bru, departs), (bru, bru, arrives), (sfo, sfo, comes_on), (sfo, lhr, back().departs)]
    );
    let there_after_all = FlightStatus { observed_at: at(7, 8.5), ..diverted(Some(iata("AMS"))) };
    story.tell(at(7, 8.5), "", news(there_after_all));
    assert_eq!(flights(&story), 4, "it went on");
    assert_eq!(flights(&whole_journey_with(diverted(None))), 4, "nobody knows where to");
}

#[test]
fn what_leaves_from_where_people_are_left_is_within_reach_in_the_same_trip() {
    // A later flight told beside the one that is cancelled; the same for one that is missed.
    let later = leg("KL1007", "LHR", "AMS", at(7, 10.0), at(7, 11.5));
    let late = leg("KL645", "AMS", "JFK", at(7, 14.0), at(7, 22.5));
    let mut story = on_the_morning_of(vec![to_amsterdam(), later.clone(), late.clone()]);
    story.tell(at(7, 5.0), "", news(cancelled(&to_amsterdam(), at(7, 5.0))));
    let [lhr, ams, jfk] = ["LHR", "AMS", "JFK"].map(iata);
    let flown =
        [(lhr, ams, later.departs), (ams, ams, later.arrives), (ams, jfk, late.departs), (jfk, jfk, late.arrives)];
    assert_eq!(path(&story), flown);

    let next = leg("KL643", "AMS", "JFK", at(8, 8.0), at(8, 16.5));
    let mut story = on_the_morning_of(vec![to_amsterdam(), on_to_new_york(), next.clone()]);
    story.tell(at(7, 5.0), "", news(status(&to_amsterdam(), at(7, 5.0), Span::minutes(150))));
    assert_eq!(path(&story)[2..], [(ams, jfk, next.departs), (jfk, jfk, next.arrives)]);
}

#[test]
fn a_day_trip_whose_first_flight_is_cancelled_is_spent_at_home() {
    let evening = leg("KL1020", "AMS", "LHR", at(7, 17.0), at(7, 18.5));
    let mut story = on_the_morning_of(vec![to_amsterdam(), evening]);
    story.tell(at(7, 5.0), "", news(cancelled(&to_amsterdam(), at(7, 5.0))));
    assert_eq!(story.whereabouts_of(&story.household.travellers()[0]).len(), 1);
}

#[test]
fn flights_during_a_stay_are_no_way_round_what_was_cancelled_on_the_way_back() {
    let (out, leaves) = (leg("BA117", "LHR", "JFK", at(7, 6.0), at(7, 14.0)), at(21, 23.0));
    let to_dublin = leg("EI104", "JFK", "DUB", leaves, leaves + Span::hours(7));
    let home = leg("EI160", "DUB", "LHR", leaves + Span::hours(9), leaves + Span::hours(10));
    let mut story = on_the_morning_of(vec![out, to_dublin.clone(), home.clone()]);
    let there = leg("DL670", "JFK", "SFO", at(10, 15.0), at(10, 21.0));
    let back = leg("DL671", "SFO", "JFK", at(14, 15.0), at(14, 21.0));
    for (trip_id, leg) in [("t2", there), ("t3", back)] {
        tell_trip(&mut story, at(8, 0.0), Trip { trip_id: trip_id.into(), ..trip(1, &["ana"], vec![leg]) });
    }
    story.tell(at(21, 20.0), "", news(cancelled(&to_dublin, at(21, 20.0))));
    let stretches = story.whereabouts_of(&story.household.travellers()[0]);
    let last = stretches.last().unwrap();
    assert_eq!((last.place, last.from), (Place::Home, home.arrives + Span::days(1)));
}
