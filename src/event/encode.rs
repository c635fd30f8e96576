//! Records that the engine writes for itself, as JSON. [`super::decode`] reads them back unchanged.

use serde::Serialize;
use serde_json::{Map, Value};

use super::activity::FlightUpdate;
use super::flight::{FlightStatus, SlotTimes, Watch};
use crate::units::UtcMillis;

/// News of a flight for a household that watches it: a record of `user_activity`.
#[must_use]
pub fn flight_update(household_id: &str, update: &FlightUpdate) -> Vec<u8> {
    let mut record = Map::new();
    put(&mut record, "activity", Some("flight_update"));
    put(&mut record, "household_id", Some(household_id));
    record.insert("flight".to_owned(), flight_status(&update.status));
    bytes(record)
}

/// That a household's trip contains a flight, or no longer does: a record of `flight_status`.
#[must_use]
pub fn watch(watch: &Watch) -> Vec<u8> {
    let mut record = Map::new();
    put(&mut record, "activity", Some("watch"));
    put(&mut record, "flight_key", Some(watch.flight_key.as_str()));
    put(&mut record, "household_id", Some(&*watch.household_id));
    put(&mut record, "watch", Some(watch.watch));
    bytes(record)
}

/// That time has passed, for either topic. What counts is the stamp that the record gets.
#[must_use]
pub fn tick(at: UtcMillis) -> Vec<u8> {
    let mut record = Map::new();
    put(&mut record, "activity", Some("tick"));
    put(&mut record, "timestamp", Some(at.to_rfc3339()));
    bytes(record)
}

/// A flight status as feeds write it; what is not known is left out.
#[must_use]
pub fn flight_status(status: &FlightStatus) -> Value {
    let mut times = Map::new();
    let slots =
        [("out", &status.times.out), ("off", &status.times.off), ("on", &status.times.on), ("in", &status.times.in_)];
    for (name, slot) in slots {
        if *slot != SlotTimes::default() {
            times.insert(name.to_owned(), slot_times(slot));
        }
    }
    let mut record = Map::new();
    put(&mut record, "flight_key", Some(status.flight_key.as_str()));
    put(&mut record, "state", Some(status.state));
    put(&mut record, "observed_at", Some(status.observed_at.to_rfc3339()));
    put(&mut record, "provider", status.provider.as_deref());
    put(&mut record, "origin", status.origin);
    put(&mut record, "destination", status.destination);
    put(&mut record, "diverted_to", status.diverted_to);
    put(&mut record, "cancellation", status.cancellation);
    record.insert("times".to_owned(), Value::Object(times));
    Value::Object(record)
}

fn slot_times(slot: &SlotTimes) -> Value {
    let mut record = Map::new();
    put(&mut record, "scheduled", slot.scheduled.map(UtcMillis::to_rfc3339));
    put(&mut record, "estimated", slot.estimated.map(UtcMillis::to_rfc3339));
    put(&mut record, "predicted", slot.predicted.map(UtcMillis::to_rfc3339));
    put(&mut record, "actual", slot.actual.map(UtcMillis::to_rfc3339));
    Value::Object(record)
}

/// Texts and words of enums: what always has a JSON form.
fn put(record: &mut Map<String, Value>, name: &str, value: Option<impl Serialize>) {
    let value = value.and_then(|value| serde_json::to_value(value).ok());
    if let Some(value) = value {
        record.insert(name.to_owned(), value);
    }
}

fn bytes(record: Map<String, Value>) -> Vec<u8> {
    Value::Object(record).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::{Position, Record, Topic};
    use crate::event::activity::Activity;
    use crate::event::decode;
    use crate::event::flight::{Cancellation, FlightEvent, FlightKey, FlightState, FlightTimes, Iata, WatchChange};

    fn record<'a>(key: Option<&'a str>, value: &'a [u8]) -> Record<'a> {
        let position = Position { topic: Topic::UserActivity, partition: 0, offset: 0 };
        let stamp = decode::time::EARLIEST;
        Record { position, stamp, key: key.map(str::as_bytes), value: Some(value), origin: None }
    }

    #[test]
    fn a_tick_concerns_nobody_on_either_topic() {
        let bytes = tick(UtcMillis(1_772_366_400_500));
        assert_eq!(bytes, br#"{"activity":"tick","timestamp":"2026-03-01T12:00:00.500Z"}"#);
        let decoded = decode::activity(&record(None, &bytes)).expect("a tick");
        assert_eq!((decoded.key, decoded.internal, decoded.event.activity), (None, true, Activity::Tick));
        let decoded = decode::flight_status(&record(None, &bytes)).expect("a tick");
        assert_eq!((decoded.key, decoded.internal, decoded.event), (None, true, FlightEvent::Tick));
    }

    fn time() -> impl Strategy<Value = UtcMillis> {
        (decode::time::EARLIEST.0..decode::time::TOO_LATE.0).prop_map(UtcMillis)
    }

    fn slot() -> impl Strategy<Value = SlotTimes> {
        let time = || proptest::option::of(time());
        (time(), time(), time(), time()).prop_map(|(scheduled, estimated, predicted, actual)| SlotTimes {
            scheduled,
            estimated,
            predicted,
            actual,
        })
    }

    fn airport() -> impl Strategy<Value = Iata> {
        proptest::sample::select(vec![Iata(*b"AMS"), Iata(*b"JFK"), Iata(*b"HND")])
    }

    prop_compose! {
        fn status()(
            flight_key in proptest::sample::select(vec!["KL641|2026-12-04|AMS", "U28|2026-02-28|AMS"]),
            state in proptest::sample::select(vec![FlightState::Scheduled, FlightState::In, FlightState::Unknown]),
            observed_at in time(),
            provider in proptest::option::of(".{0,9}"),
            slots in (slot(), slot(), slot(), slot()),
            airports in (proptest::option::of(airport()), proptest::option::of(airport())),
            cancellation in proptest::sample::select(vec![None, Some(Cancellation::Suspected), Some(Cancellation::Confirmed)]),
        ) -> FlightStatus {
            FlightStatus {
                flight_key: FlightKey(flight_key.into()),
                state,
                observed_at,
                provider: provider.map(Into::into),
                times: FlightTimes { out: slots.0, off: slots.1, on: slots.2, in_: slots.3 },
                diverted_to: airports.0,
                cancellation,
                origin: Some(Iata(*b"AMS")),
                destination: airports.1,
            }
        }
    }

    proptest! {
        #[test]
        fn flight_updates_come_back(status in status(), household in "[ -~é]{1,40}") {
            let update = FlightUpdate { status };
            let bytes = flight_update(&household, &update);
            // With its key as it is sent, and without as in a bare line.
            for key in [Some(&*household), None] {
                let decoded = decode::activity(&record(key, &bytes)).expect("a flight update");
                prop_assert_eq!(decoded.key.as_deref(), Some(&*household));
                prop_assert!(decoded.internal);
                prop_assert_eq!(decoded.event.activity, Activity::FlightUpdate(Box::new(update.clone())));
            }
        }

        #[test]
        fn statuses_come_back(mut status in status()) {
            status.observed_at = decode::time::EARLIEST;
            for slot in [&mut status.times.out, &mut status.times.off, &mut status.times.on, &mut status.times.in_] {
                slot.actual = None;
            }
            let bytes = flight_status(&status).to_string().into_bytes();
            let decoded = decode::flight_status(&record(Some(status.flight_key.as_str()), &bytes)).expect("a status");
            prop_assert!(!decoded.internal);
            prop_assert_eq!(decoded.event, FlightEvent::Status(Box::new(status)));
        }

        #[test]
        fn watches_come_back(household in "[ -~é]{1,40}", start in any::<bool>()) {
            let change = if start { WatchChange::Start } else { WatchChange::Stop };
            let flight_key = FlightKey("KL641|2026-12-04|AMS".into());
            let written = Watch { flight_key, household_id: household.into(), watch: change };
            let bytes = watch(&written);
            let decoded = decode::flight_status(&record(Some("KL641|2026-12-04|AMS"), &bytes)).expect("a watch");
            prop_assert_eq!((decoded.internal, decoded.event), (true, FlightEvent::Watch(written)));
        }
    }
}
