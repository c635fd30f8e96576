//! Records of `flight_status`.

use std::borrow::Cow;

use super::envelope::{activity_of, key_text, mismatch, object_text, observed, unknown_activity, unreadable};
use super::{flight_key, is_word};
use crate::engine::{Decoded, Record};
use crate::event::activity::FlightUpdate;
use crate::event::flight::{
    Cancellation, FlightEvent, FlightKey, FlightState, FlightStatus, FlightTimes, Iata, SlotTimes, Watch, WatchChange,
};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::field::Nested;
use crate::event::wire::flight::{SlotWire, StatusWire, TimesWire, WatchWire};
use crate::event::wire::{bad_field, missing_field};
use crate::units::UtcMillis;

/// Activities on `flight_status`; a status has none.
const ACTIVITIES: &[&str] = &["watch", "tick"];

/// Reads a record of `flight_status`.
///
/// [`Decoded::key`] is the flight's key, also where the record has none; `None` for a tick.
///
/// # Errors
/// What is wrong with the record, for the dead letters. A record without a value is `not_json`.
pub fn flight_status<'a>(record: &Record<'a>) -> Result<Decoded<'a, FlightEvent>, Rejection> {
    let text = object_text(record)?;
    let (key, event) = match activity_of(text)?.as_deref() {
        None => {
            let wire: StatusWire<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
            let status = status(&wire, key_text(record)?, Some(record.judged_at()))?;
            (Some(status.flight_key.clone()), FlightEvent::Status(Box::new(status)))
        }
        Some("watch") => {
            let wire: WatchWire<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
            let watch = watch(&wire, key_text(record)?)?;
            (Some(watch.flight_key.clone()), FlightEvent::Watch(watch))
        }
        Some("tick") => (None, FlightEvent::Tick),
        Some(_) => return Err(unknown_activity(ACTIVITIES)),
    };
    let internal = !matches!(event, FlightEvent::Status(_));
    let key = key.map(|key| Cow::Owned(String::from(key.0)));
    Ok(Decoded { key, internal, name: event.name(), event })
}

/// The flight of a `flight_update`, whose times were judged when the feed said them.
pub(super) fn update(flight: Option<&Nested<'_, StatusWire<'_>>>) -> Result<FlightUpdate, Rejection> {
    const ALLOWED: &str = "an object: the status of a flight";
    let wire = flight.ok_or_else(|| missing_field("flight", ALLOWED))?.object("flight", ALLOWED)?;
    Ok(FlightUpdate { status: status(&wire, None, None)? })
}

/// The key that a status has or leads to; `None` where it says too little.
pub fn key_of_status(wire: &StatusWire<'_>) -> Option<FlightKey> {
    let times = wire.times.as_ref().and_then(|times| read_times(times, None).ok()).unwrap_or_default();
    match &wire.flight_key {
        Some(key) => key.0.as_text().map(|text| FlightKey(text.into())),
        None => derived_key(wire, &times).ok(),
    }
}

/// `judged_at` is the record's stamp where observations must not be ahead of it.
fn status(
    wire: &StatusWire<'_>,
    record_key: Option<&str>,
    judged_at: Option<UtcMillis>,
) -> Result<FlightStatus, Rejection> {
    let times = wire.times.as_ref().map(|times| read_times(times, judged_at)).transpose()?.unwrap_or_default();
    let flight_key = match &wire.flight_key {
        Some(key) => flight_key::read(key)?.0,
        None => derived_key(wire, &times).map_err(|rejection| without_key(rejection, record_key))?,
    };
    check_key(&flight_key, record_key)?;
    let key_origin = flight_key.as_str().rsplit('|').next().and_then(Iata::parse);
    let origin = wire.origin.as_ref().map(|airport| airport.read("origin")).transpose()?.or(key_origin);
    if origin != key_origin {
        return Err(bad_field("origin", "the last part of `flight_key`, such as AMS with KL641|2026-12-04|AMS"));
    }
    let observed_at = wire.observed_at.as_ref().ok_or_else(|| missing_field("observed_at", "when the feed knew it"))?;
    let observed_at = observed_at.read("observed_at")?;
    if let Some(stamp) = judged_at {
        observed("observed_at", observed_at, stamp)?;
    }
    let state = wire.state.as_ref().ok_or_else(|| missing_field("state", "what the flight does, or `unknown`"))?;
    Ok(FlightStatus {
        flight_key,
        state: state_of(state.read("state")?),
        observed_at,
        provider: wire.provider.as_ref().map(|text| text.read("provider")).transpose()?.map(Box::from),
        times,
        diverted_to: wire.diverted_to.as_ref().map(|airport| airport.read("diverted_to")).transpose()?,
        cancellation: match wire.cancellation.as_ref().map(|text| text.read("cancellation")).transpose()? {
            Some("confirmed") => Some(Cancellation::Confirmed),
            // A word that is not known is no confirmation: a flight given up too early is not flown.
            Some(_) => Some(Cancellation::Suspected),
            None => None,
        },
        origin,
        destination: wire.destination.as_ref().map(|airport| airport.read("destination")).transpose()?,
    })
}

/// Of a status that names its flight in parts.
fn derived_key(wire: &StatusWire<'_>, times: &FlightTimes) -> Result<FlightKey, Rejection> {
    const INSTEAD: &str = "the flight; or `flight`, `origin` and `times.out.scheduled`";
    let (Some(flight), Some(origin), Some(departs)) = (&wire.flight, &wire.origin, times.out.scheduled) else {
        return Err(missing_field("flight_key", INSTEAD));
    };
    let designator = flight_key::read_flight(flight)?;
    flight_key::derive(&designator, departs, origin.read("origin")?)
}

/// Nothing to place the record by, where even its key is missing.
fn without_key(rejection: Rejection, record_key: Option<&str>) -> Rejection {
    if rejection.code == Code::MissingField && record_key.is_none() {
        let message = "the record has no key, and no `flight_key` to take it from";
        return Rejection::decode(Code::NoKey, message);
    }
    rejection
}

fn check_key(flight_key: &FlightKey, record_key: Option<&str>) -> Result<(), Rejection> {
    if record_key.is_some_and(|key| key != flight_key.as_str()) {
        let message =
            format!("the record key must equal `flight_key`, which is or follows from the fields as {flight_key}");
        return Err(Rejection { message, ..mismatch("flight_key") });
    }
    Ok(())
}

fn state_of(word: &str) -> FlightState {
    match word {
        "scheduled" => FlightState::Scheduled,
        "delayed" => FlightState::Delayed,
        "out" => FlightState::Out,
        "off" => FlightState::Off,
        "on" => FlightState::On,
        "in" => FlightState::In,
        "cancelled" => FlightState::Cancelled,
        "diverted" => FlightState::Diverted,
        _ => FlightState::Unknown,
    }
}

fn read_times(times: &Nested<'_, TimesWire<'_>>, judged_at: Option<UtcMillis>) -> Result<FlightTimes, Rejection> {
    let times = times.object("times", "an object with `out`, `off`, `on` and `in`")?;
    let slot = |slot: Option<Nested<'_, SlotWire<'_>>>, name| {
        slot.map(|slot| read_slot(&slot, name, judged_at)).transpose().map(Option::unwrap_or_default)
    };
    Ok(FlightTimes {
        out: slot(times.out, "out")?,
        off: slot(times.off, "off")?,
        on: slot(times.on, "on")?,
        in_: slot(times.r#in, "in")?,
    })
}

fn read_slot(
    slot: &Nested<'_, SlotWire<'_>>,
    name: &str,
    judged_at: Option<UtcMillis>,
) -> Result<SlotTimes, Rejection> {
    const ALLOWED: &str = "an object with `scheduled`, `estimated`, `predicted` and `actual`";
    let inside =
        |rejection: Rejection| Rejection { message: format!("in `times.{name}`: {}", rejection.message), ..rejection };
    let read = || {
        let slot = slot.object(name, ALLOWED)?;
        let actual = slot.actual.as_ref().map(|time| time.read("actual")).transpose()?;
        if let (Some(actual), Some(stamp)) = (actual, judged_at) {
            observed("actual", actual, stamp)?;
        }
        Ok(SlotTimes {
            scheduled: slot.scheduled.as_ref().map(|time| time.read("scheduled")).transpose()?,
            estimated: slot.estimated.as_ref().map(|time| time.read("estimated")).transpose()?,
            predicted: slot.predicted.as_ref().map(|time| time.read("predicted")).transpose()?,
            actual,
        })
    };
    read().map_err(inside)
}

fn watch(wire: &WatchWire<'_>, record_key: Option<&str>) -> Result<Watch, Rejection> {
    debug_assert!(is_word(wire.activity.as_ref(), "watch"));
    let key = wire.flight_key.as_ref().ok_or_else(|| missing_field("flight_key", "the flight that is watched"))?;
    let (flight_key, _) = flight_key::read(key)?;
    check_key(&flight_key, record_key)?;
    let household = wire.household_id.as_ref().ok_or_else(|| missing_field("household_id", "who watches"))?;
    let change = wire.watch.as_ref().ok_or_else(|| missing_field("watch", "start or stop"))?;
    let watch = match change.0.as_text() {
        Some("start") => WatchChange::Start,
        Some("stop") => WatchChange::Stop,
        _ => return Err(bad_field("watch", "start or stop")),
    };
    Ok(Watch { flight_key, household_id: household.read("household_id")?.into(), watch })
}
