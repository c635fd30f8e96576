use super::*;
use crate::event::flight::{FlightState, FlightTimes, Iata};

const KEY: &str = "KL641|2026-12-04|AMS";

fn time(text: &str) -> UtcMillis {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

fn moment(text: &str) -> Moment {
    let now = time(text);
    Moment { now, judged_at: now, position: None }
}

fn report(observed_at: &str, estimated_out: Option<&str>) -> FlightEvent {
    let mut times = FlightTimes::default();
    times.out.estimated = estimated_out.map(time);
    FlightEvent::Status(Box::new(FlightStatus {
        flight_key: FlightKey(KEY.into()),
        state: FlightState::Scheduled,
        observed_at: time(observed_at),
        provider: Some("feed-a".into()),
        times,
        diverted_to: None,
        cancellation: None,
        origin: Iata::parse("AMS"),
        destination: Iata::parse("JFK"),
    }))
}

fn watch(household_id: &str, watch: WatchChange) -> FlightEvent {
    FlightEvent::Watch(Watch { flight_key: FlightKey(KEY.into()), household_id: household_id.into(), watch })
}

/// Applies and returns who was told.
fn apply(flight: &mut Flight, event: FlightEvent, now: &str) -> Vec<String> {
    let mut effects = Effects::default();
    Flights.apply(flight, event, &moment(now), &mut effects);
    let told = effects.list.into_iter().map(|effect| match effect {
        Effect::FlightUpdate { household_id, .. } => household_id.into_string(),
        other => panic!("unexpected effect {other:?}"),
    });
    told.collect()
}

#[test]
fn every_household_that_watches_is_told_in_order_and_once() {
    let mut flight = Flights.new_unit(KEY);
    for household in ["h2", "h1", "h3", "h1"] {
        assert!(apply(&mut flight, watch(household, WatchChange::Start), "2026-12-01T00:00:00Z").is_empty());
    }
    let late = || report("2026-12-04T08:00:00Z", Some("2026-12-04T14:00:00Z"));
    assert_eq!(apply(&mut flight, late(), "2026-12-04T08:00:05Z"), ["h1", "h2", "h3"]);
    assert!(apply(&mut flight, late(), "2026-12-04T08:00:06Z").is_empty(), "the same report again");
    assert!(apply(&mut flight, report("2026-12-04T08:10:00Z", None), "2026-12-04T08:10:00Z").is_empty(), "nothing new");

    apply(&mut flight, watch("h2", WatchChange::Stop), "2026-12-04T08:20:00Z");
    apply(&mut flight, watch("h9", WatchChange::Stop), "2026-12-04T08:20:00Z");
    let later = report("2026-12-04T09:00:00Z", Some("2026-12-04T15:00:00Z"));
    assert_eq!(apply(&mut flight, later, "2026-12-04T09:00:00Z"), ["h1", "h3"]);
}

#[test]
fn who_starts_to_watch_a_known_flight_is_told_at_once_and_only_then() {
    let mut flight = Flights.new_unit(KEY);
    let known = report("2026-12-04T08:00:00Z", Some("2026-12-04T14:00:00Z"));
    assert!(apply(&mut flight, known, "2026-12-04T08:00:00Z").is_empty());
    assert_eq!(apply(&mut flight, watch("h1", WatchChange::Start), "2026-12-04T08:01:00Z"), ["h1"]);
    assert!(apply(&mut flight, watch("h1", WatchChange::Start), "2026-12-04T08:02:00Z").is_empty());
}

#[test]
fn a_flight_that_nobody_watches_and_nobody_reports_is_vacant() {
    let mut flight = Flights.new_unit(KEY);
    assert!(flight.is_vacant());
    apply(&mut flight, watch("h1", WatchChange::Start), "2026-12-01T00:00:00Z");
    assert!(!flight.is_vacant());
    apply(&mut flight, watch("h1", WatchChange::Stop), "2026-12-01T00:00:00Z");
    assert!(flight.is_vacant());
    assert_eq!(flight.next_due(), None);
}

#[test]
fn a_flight_is_forgotten_when_it_is_long_over() {
    let mut flight = Flights.new_unit(KEY);
    apply(&mut flight, watch("h1", WatchChange::Start), "2026-10-01T00:00:00Z");
    assert_eq!(flight.next_due(), Some(time("2026-12-09T00:00:00Z")), "five days after its date");

    let mut arrived = FlightTimes::default();
    arrived.in_.actual = Some(time("2026-12-05T01:00:00Z"));
    let FlightEvent::Status(mut status) = report("2026-12-05T01:00:00Z", None) else { unreachable!() };
    status.times = arrived;
    apply(&mut flight, FlightEvent::Status(status), "2026-12-05T01:01:00Z");
    assert_eq!(flight.next_due(), Some(time("2026-12-08T01:00:00Z")), "three days after its arrival");

    let mut effects = Effects::default();
    Flights.fire(&mut flight, &moment("2026-12-08T01:00:00Z"), &mut effects);
    assert!(effects.is_empty());
    assert!(flight.is_vacant());
    assert_eq!(flight.next_due(), None);
}

#[test]
fn the_timer_lies_ahead_of_the_record_that_sets_it() {
    let cases =
        [(KEY, "2027-03-01T00:00:00Z"), ("nonsense", "2026-12-01T00:00:00Z"), ("A|b|C", "1999-01-01T00:00:00Z")];
    for (key, now) in cases {
        let mut flight = Flights.new_unit(key);
        apply(&mut flight, watch("h1", WatchChange::Start), now);
        assert!(flight.next_due().is_some_and(|due| due > time(now)), "{key}");
    }
}

#[test]
fn an_arrival_in_the_wrong_year_neither_drops_the_flight_nor_keeps_it_for_ever() {
    for (wrong, due) in
        [("2025-12-05T01:00:00Z", "2026-12-07T00:00:00Z"), ("2099-12-05T01:00:00Z", "2027-01-03T00:00:00Z")]
    {
        let mut flight = Flights.new_unit(KEY);
        let FlightEvent::Status(mut status) = report("2026-12-01T00:00:00Z", None) else { unreachable!() };
        status.times.in_.estimated = Some(time(wrong));
        apply(&mut flight, FlightEvent::Status(status), "2026-12-01T00:00:00Z");
        assert_eq!(flight.next_due(), Some(time(due)));
    }
}

#[test]
fn resident_bytes_count_the_heap() {
    let mut flight = Flights.new_unit(KEY);
    let empty = flight.resident_bytes();
    apply(&mut flight, watch("h1", WatchChange::Start), "2026-12-01T00:00:00Z");
    let watched = flight.resident_bytes();
    apply(&mut flight, report("2026-12-04T08:00:00Z", None), "2026-12-04T08:00:00Z");
    assert!(empty < watched && watched < flight.resident_bytes());
    assert!(flight.resident_bytes() < 1_500, "{}", flight.resident_bytes());
}
