//! What becomes of a journey when one flight is too late for the next, from outside: a file played again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoner::engine::record::Topic;
use zoner::units::{Span, UtcMillis};

use common::Directory;
use common::program::run;
use common::records::{Child, MONDAY, Sent, activity, adult, lines};

const HOUSEHOLD: &str = "household-1";

/// One leg of the way to Tokyo.
struct Leg {
    flight: &'static str,
    origin: &'static str,
    destination: &'static str,
    departs: UtcMillis,
    arrives: UtcMillis,
}

fn thursday(hours: f64) -> UtcMillis {
    MONDAY + Span::days(3) + Span::minutes((hours * 60.0) as i64)
}

/// To Amsterdam, where a little more than two hours are left to change.
fn first() -> Leg {
    let (departs, arrives) = (thursday(8.0), thursday(9.25));
    Leg { flight: "KL1001", origin: "LHR", destination: "AMS", departs, arrives }
}

/// On to Tokyo, through its night.
fn second() -> Leg {
    let (departs, arrives) = (thursday(11.5), thursday(23.5));
    Leg { flight: "KL861", origin: "AMS", destination: "HND", departs, arrives }
}

fn a_day_later() -> Leg {
    let Leg { departs, arrives, .. } = second();
    Leg { flight: "KL863", departs: departs + Span::days(1), arrives: arrives + Span::days(1), ..second() }
}

fn a_week_later() -> Leg {
    let Leg { departs, arrives, .. } = second();
    Leg { departs: departs + Span::days(7), arrives: arrives + Span::days(7), ..second() }
}

impl Leg {
    /// What a feed says: it does not fly.
    fn cancelled(&self, stamp: UtcMillis) -> Sent {
        let mut sent = self.late(0, stamp);
        sent.value["state"] = json!("cancelled");
        sent
    }

    /// What a feed says: so much late.
    fn late(&self, minutes: i64, stamp: UtcMillis) -> Sent {
        let by = Span::minutes(minutes);
        let slot =
            |booked: UtcMillis| json!({"scheduled": booked.to_rfc3339(), "estimated": (booked + by).to_rfc3339()});
        let key = format!("{}|{}|{}", self.flight, &self.departs.to_rfc3339()[..10], self.origin);
        let value = json!({
            "flight_key": key, "state": "delayed", "observed_at": stamp.to_rfc3339(), "provider": "test",
            "origin": self.origin, "destination": self.destination,
            "times": {"out": slot(self.departs), "in": slot(self.arrives)},
        });
        Sent { topic: Topic::FlightStatus, key, value, stamp }
    }
}

fn trip(revision: u32, legs: &[Leg], stamp: UtcMillis) -> Sent {
    let legs: Vec<Value> = legs
        .iter()
        .map(|leg| {
            json!({
                "flight": leg.flight, "origin": leg.origin, "destination": leg.destination,
                "departs": leg.departs.to_rfc3339(), "arrives": leg.arrives.to_rfc3339(),
            })
        })
        .collect();
    let value = json!({
        "user_id": "anna", "activity": "trip", "trip_id": "to Tokyo", "revision": revision,
        "travellers": ["anna", "mia"], "legs": legs,
    });
    activity(HOUSEHOLD, stamp, value)
}

/// What is said, and at the end estimated, on Friday evening, of a mother and her child who fly to Tokyo on Thursday.
fn told(name: &str, records: Vec<Sent>) -> Vec<Value> {
    told_until(name, records, thursday(44.0))
}

fn told_until(name: &str, records: Vec<Sent>, until: UtcMillis) -> Vec<Value> {
    let mut all = vec![
        adult(HOUSEHOLD, "anna", MONDAY + Span::hours(1)),
        Child::toddler(HOUSEHOLD, "mia").profile(MONDAY + Span::hours(1)),
        trip(1, &[first(), second()], MONDAY + Span::hours(2)),
    ];
    all.extend(records);
    let directory = Directory::new(name);
    let file = directory.write("journey.jsonl", &lines(&all)).display().to_string();
    let out = run(["replay", &file, "--state", "--until", &until.to_rfc3339()]).ok();
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn time(value: &Value) -> UtcMillis {
    let text = value.as_str().expect("a time");
    UtcMillis(chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp_millis())
}

/// Recommendations and estimates from a time on.
fn since(told: &[Value], from: UtcMillis) -> Vec<&Value> {
    let stamp =
        |value: &Value| if value["estimate_of"].is_string() { time(&value["at"]) } else { time(&value["issued_at"]) };
    told.iter().filter(|value| stamp(value) >= from).collect()
}

fn actions(value: &Value) -> &[Value] {
    let list = if value["estimate_of"].is_string() { &value["plan"] } else { &value["actions"] };
    list.as_array().expect("actions")
}

/// Whether it advises sleep in the air for a time within a flight.
fn advises_aboard(value: &Value, flight: &Leg) -> bool {
    let is_aboard = |action: &Value| {
        let start = time(&action["start"]);
        start >= flight.departs && start < flight.arrives && action["message"].to_string().contains("on board")
    };
    actions(value).iter().any(is_aboard)
}

fn headline(value: &Value) -> &str {
    value["headline"].as_str().unwrap_or_default()
}

#[test]
fn after_a_missed_connection_nothing_is_advised_for_the_flight_that_leaves_without_them() {
    let missed_at = thursday(5.0);
    let told = told("missed", vec![first().late(180, missed_at), second().late(20, thursday(6.0))]);
    assert!(told.iter().any(|value| advises_aboard(value, &second())), "until then there is something to advise");
    let since = since(&told, missed_at);
    assert!(since.len() > 4, "two are told, and looked after for two days");
    for value in &since {
        for action in actions(value) {
            let zone = action["time_zone"].as_str().expect("a zone");
            assert!(["Europe/London", "Europe/Amsterdam"].contains(&zone), "{action} of {}", headline(value));
        }
        let speaks_of_it = headline(value).contains("KL861") || headline(value).contains("HND");
        assert!(!speaks_of_it || headline(value).ends_with(" in AMS is missed."), "{value}");
    }
    let missed = since.iter().filter(|value| value["reason"] == "connection_missed");
    assert_eq!(missed.count(), 4, "to each of the two, and again when the second flight is late, but not late enough");
}

#[test]
fn a_connection_that_is_there_again_or_a_later_flight_takes_them_on() {
    let missed = first().late(180, thursday(5.0));
    let mended = told("mended", vec![missed.clone(), first().late(45, thursday(6.0))]);
    let since_mended = since(&mended, thursday(6.0));
    for user in ["anna", "mia"] {
        let is_of = |value: &&&Value| value["user_id"] == user;
        let first = since_mended.iter().find(is_of).expect("news for everybody");
        assert!(headline(first).contains("there is time to change in AMS again"), "{}", headline(first));
        assert!(advises_aboard(first, &second()), "{first}");
    }

    let revised = told("revised", vec![missed, trip(2, &[first(), a_day_later()], thursday(6.0))]);
    let since_revised = since(&revised, thursday(6.0));
    assert!(since_revised.iter().any(|value| advises_aboard(value, &a_day_later())));
    assert!(!since_revised.iter().any(|value| advises_aboard(value, &second())));
}

/// The clocks that are advised by, of everybody as estimated at the end.
fn clocks_at_the_end(told: &[Value]) -> BTreeSet<&str> {
    let estimates: Vec<&Value> = told.iter().filter(|value| value["estimate_of"].is_string()).collect();
    assert_eq!(estimates.len(), 2);
    let plans = estimates.iter().flat_map(|estimate| actions(estimate));
    plans.map(|action| action["time_zone"].as_str().expect("a zone")).collect()
}

#[test]
fn who_tells_nothing_after_a_missed_connection_is_taken_to_have_come_on_a_day_after_the_flight() {
    let missed = first().late(180, thursday(5.0));
    let comes_on = second().arrives + Span::days(1);
    let minute = Span::minutes(1);
    let before = told_until("before-the-limit", vec![missed.clone()], comes_on - minute);
    assert_eq!(clocks_at_the_end(&before), BTreeSet::from(["Europe/Amsterdam"]));
    let after = told_until("after-the-limit", vec![missed.clone()], comes_on + Span::days(2));
    assert_eq!(clocks_at_the_end(&after), BTreeSet::from(["Asia/Tokyo"]));
    assert!(!since(&after, thursday(5.0)).iter().any(|value| advises_aboard(value, &second())));
    // The same up to there, and from then on the plan is one for Tokyo, for both.
    let said = |told: &[Value]| told.iter().filter(|value| value["reason"].is_string()).cloned().collect::<Vec<_>>();
    assert_eq!(said(&after)[..said(&before).len()], said(&before));
    let in_tokyo = since(&after, comes_on);
    for user in ["anna", "mia"] {
        let refreshed = |value: &&Value| value["user_id"] == user && value["reason"] == "plan_refreshed";
        assert_eq!(in_tokyo.iter().copied().find(refreshed).expect("a new plan")["time_zone"], "Asia/Tokyo");
    }

    // A revision that is told later knows better.
    let revised = trip(2, &[first(), a_week_later()], comes_on + Span::hours(6));
    let waits = told_until("after-the-revision", vec![missed, revised], comes_on + Span::hours(7));
    assert_eq!(clocks_at_the_end(&waits), BTreeSet::from(["Europe/Amsterdam"]));
}

#[test]
fn nothing_is_advised_for_what_goes_on_from_a_cancelled_flight_until_it_flies_again() {
    let cancelled = first().cancelled(thursday(5.0));
    let comes_on = second().arrives + Span::days(1);
    let before = told_until("cancelled", vec![cancelled.clone()], comes_on - Span::minutes(1));
    let since_cancelled = since(&before, thursday(5.0));
    assert!(since_cancelled.iter().any(|value| value["reason"] == "flight_cancelled"));
    assert!(!since_cancelled.iter().any(|value| advises_aboard(value, &second())));
    assert_eq!(clocks_at_the_end(&before), BTreeSet::from(["Europe/London"]));
    let after = told_until("cancelled-for-good", vec![cancelled.clone()], comes_on + Span::days(1));
    assert_eq!(clocks_at_the_end(&after), BTreeSet::from(["Asia/Tokyo"]));

    let mut suspected = cancelled.clone();
    suspected.value["cancellation"] = json!("suspected");
    let counted_on = told("suspected", vec![suspected]);
    assert!(since(&counted_on, thursday(5.0)).iter().any(|value| advises_aboard(value, &second())));
    let reinstated = told("reinstated", vec![cancelled, first().late(0, thursday(6.0))]);
    assert!(since(&reinstated, thursday(6.0)).iter().any(|value| advises_aboard(value, &second())));
}
