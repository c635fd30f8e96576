//! Records as producers send them.

use serde_json::{Value, json};
use zoner::engine::record::Topic;
use zoner::units::{Span, UtcMillis};

/// Midnight of Monday, 3 March 2025, in Europe/London, where winter time is UTC.
pub const MONDAY: UtcMillis = UtcMillis(1_740_960_000_000);

/// One record, with the stamp of its producer.
#[derive(Clone, Debug)]
pub struct Sent {
    pub topic: Topic,
    pub key: String,
    pub value: Value,
    pub stamp: UtcMillis,
}

impl Sent {
    /// As a line of a replay file.
    pub fn line(&self) -> String {
        let topic = self.topic.as_str();
        json!({"topic": topic, "key": self.key, "timestamp": self.stamp.0, "value": self.value}).to_string()
    }
}

pub fn activity(household: &str, stamp: UtcMillis, value: Value) -> Sent {
    Sent { topic: Topic::UserActivity, key: household.to_owned(), value, stamp }
}

/// Lines of a replay file.
pub fn lines(records: &[Sent]) -> String {
    records.iter().map(|record| record.line() + "\n").collect()
}

/// Nothing but time, as the engine writes it.
pub fn tick(stamp: UtcMillis) -> Sent {
    activity("", stamp, json!({"activity": "tick", "timestamp": stamp.to_rfc3339()}))
}

/// A moment of light: something to move time with that says little else.
pub fn light(household: &str, user: &str, at: UtcMillis) -> Sent {
    let value = json!({"user_id": user, "activity": "light_exposure", "timestamp": at.to_rfc3339(), "lux": 300});
    activity(household, at, value)
}

/// A child that naps once a day, with everything in minutes after local midnight.
#[derive(Clone, Debug)]
pub struct Child {
    pub household: String,
    pub user: String,
    pub born: String,
    pub zone: String,
    pub wake: i64,
    pub nap: i64,
    pub nap_minutes: i64,
    pub bedtime: i64,
}

impl Child {
    /// A toddler of 18 months in the week of [`MONDAY`]: awake from 07:00, asleep from 12:30 to 14:00, in bed at 19:30.
    pub fn toddler(household: &str, user: &str) -> Child {
        Child {
            household: household.to_owned(),
            user: user.to_owned(),
            born: "2023-09".to_owned(),
            zone: "Europe/London".to_owned(),
            wake: 420,
            nap: 750,
            nap_minutes: 90,
            bedtime: 1_170,
        }
    }

    pub fn profile(&self, stamp: UtcMillis) -> Sent {
        let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        activity(
            &self.household,
            stamp,
            json!({
                "user_id": self.user, "activity": "profile", "display_name": "Mia", "birth_month": self.born,
                "home_time_zone": self.zone, "sleep": {"bedtime": clock(self.bedtime), "wake": clock(self.wake)},
                "naps": [{"start": clock(self.nap), "minutes": self.nap_minutes}],
            }),
        )
    }

    /// The night that ends on the morning of a day, sent a moment after waking.
    pub fn night(&self, midnight: UtcMillis) -> Sent {
        let start = midnight - Span::days(1) + Span::minutes(self.bedtime);
        self.slept("night", start, midnight + Span::minutes(self.wake))
    }

    /// A nap in progress, sent a moment after its beginning.
    pub fn nap_begins(&self, midnight: UtcMillis) -> Sent {
        let start = midnight + Span::minutes(self.nap);
        let value = json!({"user_id": self.user, "activity": "sleep", "kind": "nap", "start": start.to_rfc3339()});
        activity(&self.household, start + Span::seconds(30), value)
    }

    /// A whole nap, sent a moment after waking.
    pub fn nap(&self, midnight: UtcMillis) -> Sent {
        let start = midnight + Span::minutes(self.nap);
        self.slept("nap", start, start + Span::minutes(self.nap_minutes))
    }

    fn slept(&self, kind: &str, start: UtcMillis, end: UtcMillis) -> Sent {
        let value = json!({
            "user_id": self.user, "activity": "sleep", "kind": kind, "start": start.to_rfc3339(), "end": end.to_rfc3339(),
        });
        activity(&self.household, end + Span::seconds(30), value)
    }

    /// Nights and naps of whole days from a midnight on, the naps told when they begin and when they end.
    pub fn days(&self, first_midnight: UtcMillis, days: i64) -> Vec<Sent> {
        let midnights = (0..days).map(|day| first_midnight + Span::days(day));
        midnights.flat_map(|midnight| [self.night(midnight), self.nap_begins(midnight), self.nap(midnight)]).collect()
    }
}

/// Somebody grown up in the same house.
pub fn adult(household: &str, user: &str, stamp: UtcMillis) -> Sent {
    let value = json!({
        "user_id": user, "activity": "profile", "age_band": "adult", "home_time_zone": "Europe/London",
        "sleep": {"bedtime": "23:00", "wake": "07:00"}, "caregiver": true,
    });
    activity(household, stamp, value)
}

/// One flight from London to New York.
#[derive(Clone, Debug)]
pub struct Flight {
    pub designator: String,
    pub departs: UtcMillis,
}

impl Flight {
    pub fn arrives(&self) -> UtcMillis {
        self.departs + Span::hours(8)
    }

    /// The operator's number, the date in London and the origin.
    pub fn key(&self) -> String {
        let departs = self.departs.to_datetime().with_timezone(&chrono_tz::Europe::London);
        format!("{}|{}|LHR", self.designator, departs.format("%Y-%m-%d"))
    }

    /// The trip of some of a household on this flight.
    pub fn trip(&self, household: &str, travellers: &[&str], stamp: UtcMillis) -> Sent {
        let value = json!({
            "user_id": travellers[0], "activity": "trip", "trip_id": format!("to New York on {}", self.designator),
            "revision": 1, "travellers": travellers,
            "legs": [{
                "flight": self.designator, "origin": "LHR", "destination": "JFK",
                "departs": self.departs.to_rfc3339(), "arrives": self.arrives().to_rfc3339(),
            }],
        });
        activity(household, stamp, value)
    }

    /// What a feed says: so much late.
    pub fn late(&self, by: Span, stamp: UtcMillis) -> Sent {
        let slot =
            |booked: UtcMillis| json!({"scheduled": booked.to_rfc3339(), "estimated": (booked + by).to_rfc3339()});
        let value = json!({
            "flight_key": self.key(), "state": if by == Span::ZERO { "scheduled" } else { "delayed" },
            "observed_at": stamp.to_rfc3339(), "provider": "test", "origin": "LHR", "destination": "JFK",
            "times": {"out": slot(self.departs), "in": slot(self.arrives())},
        });
        Sent { topic: Topic::FlightStatus, key: self.key(), value, stamp }
    }
}
