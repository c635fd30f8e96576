//! A flight that is late.

use std::time::Duration;

use serde_json::Value;
use zoner::engine::clock::{Clock as _, SystemClock};
use zoner::units::Span;

use super::installation::{Installation, Stamps};
use super::member::Member;
use super::reading::of_reason;
use super::subscribers::{by_confluent_kafka, by_console_consumer};
use crate::common::records::{Child, Flight, adult, light};

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_flight_three_hours_late_is_said_once_to_each_traveller_and_subscribers_of_any_make_see_it_once() {
    let installation = Installation::create("flight", 4, Stamps::Broker);
    let now = SystemClock.now();
    let flight = Flight { designator: "BA117".to_owned(), departs: (now + Span::hours(20)).floor_to(Span::minutes(5)) };
    let mut mia = Child::toddler("household-1", "mia");
    mia.born = "2025-05".to_owned();
    installation.send(&[
        mia.profile(now),
        adult("household-1", "anna", now),
        adult("household-1", "stays at home", now),
        adult("household-2", "ben", now),
        flight.trip("household-1", &["anna", "mia"], now),
        flight.trip("household-2", &["ben"], now),
    ]);
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    installation.send(&[flight.late(Span::ZERO, now), flight.late(Span::hours(3), now + Span::seconds(1))]);
    installation.settle(LIMIT);
    // Said again by another feed: nothing new.
    let mut again = flight.late(Span::hours(3), now + Span::seconds(2));
    again.value["provider"] = "another".into();
    installation.send(&[again, light("household-2", "ben", now)]);
    installation.settle(LIMIT);

    let recommendations = installation.recommendations();
    let delayed = of_reason(&recommendations, "flight_delayed");
    let mut travellers: Vec<&str> = delayed.iter().filter_map(|said| said["user_id"].as_str()).collect();
    travellers.sort_unstable();
    assert_eq!(travellers, ["anna", "ben", "mia"], "{delayed:#?}");
    let cause = &delayed[0]["cause"];
    assert_eq!((&cause["topic"], &cause["activity"]), (&"user_activity".into(), &"flight_update".into()));
    let headers = &installation.read("recommendations")[0];
    assert_eq!(headers.header("content-type"), Some(b"application/json".as_slice()));
    assert_eq!(headers.header("reason"), headers.json()["reason"].as_str().map(str::as_bytes));

    let ids = |values: &[Value]| {
        let mut ids: Vec<String> = values.iter().map(|value| value["recommendation_id"].to_string()).collect();
        ids.sort_unstable();
        ids
    };
    let topic = installation.topic("recommendations");
    let expected = ids(&recommendations);
    assert_eq!(ids(&by_confluent_kafka(&topic)), expected);
    assert_eq!(ids(&by_console_consumer(&topic, recommendations.len())), expected);
    assert_eq!(member.terminate().code(), Some(0));
}
