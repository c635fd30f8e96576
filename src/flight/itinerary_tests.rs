use super::*;
use crate::event::flight::{FlightKey, FlightTimes};

/// Minutes after the booked departure. Booked: 0 to 480.
fn at(minute: i64) -> UtcMillis {
    UtcMillis(1_796_378_400_000) + Span::minutes(minute)
}

fn leg() -> Leg {
    Leg {
        flight: "KL641".into(),
        flight_key: FlightKey("KL641|2026-12-04|AMS".into()),
        origin: Iata(*b"AMS"),
        destination: Iata(*b"JFK"),
        departs: at(0),
        arrives: at(480),
    }
}

fn status(state: FlightState) -> FlightStatus {
    FlightStatus {
        flight_key: leg().flight_key,
        state,
        observed_at: at(-60),
        provider: None,
        times: FlightTimes::default(),
        diverted_to: None,
        cancellation: None,
        origin: None,
        destination: None,
    }
}

fn estimated(minute: i64) -> SlotTimes {
    SlotTimes { estimated: Some(at(minute)), ..SlotTimes::default() }
}

fn leaving(minute: i64) -> FlightStatus {
    let mut status = status(FlightState::Delayed);
    status.times.out = estimated(minute);
    status
}

fn times(departs: i64, arrives: i64) -> LegTimes {
    LegTimes { departs: at(departs), arrives: at(arrives) }
}

#[test]
fn a_status_without_times_leaves_the_booking() {
    assert_eq!(leg_times(&leg(), &status(FlightState::Scheduled)), times(0, 480));
    assert_eq!(LegStanding::now(&leg(), None), LegStanding::booked(&leg()));
}

#[test]
fn an_airline_that_moves_its_schedule_moves_the_leg() {
    let mut moved = status(FlightState::Scheduled);
    moved.times.out.scheduled = Some(at(30));
    moved.times.in_.scheduled = Some(at(500));
    assert_eq!(leg_times(&leg(), &moved), times(30, 500));
    moved.times.out.estimated = Some(at(50));
    assert_eq!(leg_times(&leg(), &moved), times(50, 520));
}

#[test]
fn a_late_departure_arrives_as_late_unless_the_feed_says_when() {
    let mut late = leaving(180);
    assert_eq!(leg_times(&leg(), &late), times(180, 660));
    late.times.in_ = estimated(640);
    assert_eq!(leg_times(&leg(), &late), times(180, 640));
}

#[test]
fn an_arrival_estimated_before_the_delay_was_known_does_not_count() {
    let mut late = leaving(180);
    late.times.in_ = estimated(480);
    assert_eq!(leg_times(&leg(), &late), times(180, 660));
    late.times.in_.actual = Some(at(490));
    assert_eq!(leg_times(&leg(), &late).arrives, at(490), "what happened is not argued with");
}

#[test]
fn where_only_the_runway_is_known_taxiing_is_added() {
    let mut seen = status(FlightState::Off);
    seen.times.off.actual = Some(at(75));
    seen.times.on = estimated(534);
    assert_eq!(leg_times(&leg(), &seen), times(60, 540));

    seen.times.out = SlotTimes { scheduled: Some(at(0)), estimated: Some(at(5)), ..SlotTimes::default() };
    seen.times.off.scheduled = Some(at(20));
    assert_eq!(leg_times(&leg(), &seen).departs, at(55), "it has taken off, whatever was estimated of the gate");
}

#[test]
fn fifteen_minutes_are_worth_saying_and_fourteen_are_not() {
    let announced = LegStanding::booked(&leg());
    assert_eq!(news(&leg(), &announced, &leaving(14)), LegNews::Unchanged);
    assert_eq!(news(&leg(), &announced, &leaving(15)), LegNews::Delayed { by: Span::minutes(15) });
    assert_eq!(news(&leg(), &announced, &leaving(-20)), LegNews::Delayed { by: Span::minutes(-20) });

    let mut slow = leaving(0);
    slow.times.in_ = estimated(520);
    assert_eq!(news(&leg(), &announced, &slow), LegNews::Delayed { by: Span::minutes(40) }, "only its arrival moved");
}

#[test]
fn small_steps_add_up_against_what_was_last_said() {
    let announced = LegStanding::now(&leg(), Some(&leaving(30)));
    assert_eq!(news(&leg(), &announced, &leaving(40)), LegNews::Unchanged);
    assert_eq!(news(&leg(), &announced, &leaving(46)), LegNews::Delayed { by: Span::minutes(16) });
    assert_eq!(news(&leg(), &announced, &leaving(0)), LegNews::Delayed { by: Span::minutes(-30) });
    assert_eq!(LegStanding::now(&leg(), Some(&leaving(46))).delay(&leg()), Span::minutes(46));
}

#[test]
fn a_cancellation_is_said_once_and_again_when_it_becomes_certain() {
    let mut may_be = status(FlightState::Cancelled);
    may_be.cancellation = Some(Cancellation::Suspected);
    let mut announced = LegStanding::booked(&leg());
    assert_eq!(news(&leg(), &announced, &may_be), LegNews::Cancelled { certain: false });
    announced = LegStanding::now(&leg(), Some(&may_be));
    assert_eq!(news(&leg(), &announced, &may_be), LegNews::Unchanged);
    for certainty in [None, Some(Cancellation::Confirmed)] {
        let mut cancelled = status(FlightState::Cancelled);
        cancelled.cancellation = certainty;
        assert_eq!(news(&leg(), &announced, &cancelled), LegNews::Cancelled { certain: true });
    }
}

#[test]
fn a_reinstated_flight_is_news_however_little_its_times_moved() {
    let announced = LegStanding::now(&leg(), Some(&status(FlightState::Cancelled)));
    assert_eq!(news(&leg(), &announced, &leaving(0)), LegNews::Reinstated { by: Span::ZERO });
    assert_eq!(news(&leg(), &announced, &leaving(90)), LegNews::Reinstated { by: Span::minutes(90) });
}

#[test]
fn a_diversion_is_said_again_when_its_airport_becomes_known() {
    let mut diverted = status(FlightState::Diverted);
    let announced = LegStanding::booked(&leg());
    assert_eq!(news(&leg(), &announced, &diverted), LegNews::Diverted { to: None });
    let announced = LegStanding::now(&leg(), Some(&diverted));
    assert_eq!(news(&leg(), &announced, &diverted), LegNews::Unchanged);
    diverted.diverted_to = Some(Iata(*b"BOS"));
    assert_eq!(news(&leg(), &announced, &diverted), LegNews::Diverted { to: Some(Iata(*b"BOS")) });

    let announced = LegStanding::now(&leg(), Some(&diverted));
    diverted.diverted_to = Some(Iata(*b"JFK"));
    assert_eq!(news(&leg(), &announced, &diverted), LegNews::Reinstated { by: Span::ZERO }, "it came there after all");
}
