//! Activities and flight statuses without an envelope: key and stamp follow from what they say.

use std::borrow::Cow;

use serde::Deserialize;

use super::{OwnedRecord, UNTIMED};
use crate::engine::{Position, Topic};
use crate::event::decode::{key_of_status, time};
use crate::event::wire::Scalar;
use crate::event::wire::field::{Amount, Id, Nested, Time, Whole};
use crate::event::wire::flight::StatusWire;
use crate::units::{Span, UtcMillis};

#[derive(Deserialize)]
struct BareWire<'a> {
    #[serde(borrow)]
    user_id: Option<Id<'a>>,
    #[serde(borrow)]
    household_id: Option<Id<'a>>,
    #[serde(borrow)]
    flight_key: Option<Scalar<'a>>,
    #[serde(borrow)]
    flight: Option<Scalar<'a>>,
    #[serde(borrow)]
    state: Option<Scalar<'a>>,
    #[serde(borrow)]
    observed_at: Option<Time<'a>>,
    #[serde(borrow)]
    timestamp: Option<Time<'a>>,
    #[serde(borrow)]
    start: Option<Time<'a>>,
    #[serde(borrow)]
    end: Option<Time<'a>>,
    #[serde(borrow)]
    at: Option<Time<'a>>,
    #[serde(borrow)]
    minutes: Option<Amount<'a>>,
    #[serde(borrow)]
    interval_s: Option<Whole<'a>>,
    #[serde(borrow)]
    samples: Option<Nested<'a, Vec<f64>>>,
}

pub fn read(text: &str, offset: i64, previous: Option<UtcMillis>) -> OwnedRecord {
    let wire: Option<BareWire<'_>> = serde_json::from_str(text).ok();
    let is_flight = |wire: &BareWire<'_>| wire.flight_key.is_some() || (wire.flight.is_some() && wire.state.is_some());
    let topic = if wire.as_ref().is_some_and(is_flight) { Topic::FlightStatus } else { Topic::UserActivity };
    let latest = wire.as_ref().and_then(latest_time);
    let key = match topic {
        Topic::UserActivity => wire.and_then(|wire| household(wire.household_id, wire.user_id)),
        Topic::FlightStatus => serde_json::from_str::<StatusWire<'_>>(text)
            .ok()
            .and_then(|wire| key_of_status(&wire))
            .map(|key| key.as_str().as_bytes().to_vec()),
    };
    OwnedRecord {
        position: Position { topic, partition: 0, offset },
        stamp: latest.or(previous).unwrap_or(UNTIMED),
        key,
        value: Some(text.trim().as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

/// The record was sent once all of it was known: the latest of its times that lie in the past.
fn latest_time(wire: &BareWire<'_>) -> Option<UtcMillis> {
    let fields = [&wire.observed_at, &wire.end, &wire.timestamp, &wire.start, &wire.at];
    let given = fields.into_iter().flatten().filter_map(|time| time::read(&time.0).ok()).max();
    let begin = wire.start.as_ref().or(wire.timestamp.as_ref()).and_then(|time| time::read(&time.0).ok());
    given.max(begin.and_then(|begin| end_of_light(wire, begin)))
}

/// Where light is given by its length or by samples, its end.
fn end_of_light(wire: &BareWire<'_>, begin: UtcMillis) -> Option<UtcMillis> {
    let length = match (&wire.samples, &wire.interval_s, &wire.minutes) {
        (Some(samples), Some(interval), _) => {
            let count = samples.array("samples", "an array").ok()?.len() as i64;
            Span::seconds(i64::from(interval.read("interval_s", 1, 3_600).ok()?) * count)
        }
        (_, _, Some(minutes)) => Span(libm::round(minutes.read("minutes", 0.0, 1_440.0).ok()? * 60_000.0) as i64),
        _ => return None,
    };
    Some(begin + length)
}

fn household(household_id: Option<Id<'_>>, user_id: Option<Id<'_>>) -> Option<Vec<u8>> {
    let id = household_id.or(user_id)?.read("household_id").ok()?;
    Some(Cow::into_owned(id).into_bytes())
}
