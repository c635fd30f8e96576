//! Journeys.

use std::borrow::Cow;

use super::{Context, flight_key};
use crate::event::activity::{Activity, Leg, Trip};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::activity::{LegWire, TripWire};
use crate::event::wire::field::{Id, Nested};
use crate::event::wire::{bad_field, missing_field};
use crate::units::Span;

const MAX_LEGS: usize = 32;
const MAX_TRAVELLERS: usize = 32;
/// Longer than any flight without a stop takes, with the delays that a booking knows of.
const LONGEST_LEG: Span = Span::hours(24);

pub(super) fn trip(wire: &TripWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let trip_id =
        wire.trip_id.as_ref().ok_or_else(|| missing_field("trip_id", "what names the journey"))?.read("trip_id")?;
    let revision =
        wire.revision.as_ref().ok_or_else(|| missing_field("revision", "a whole number, higher with every change"))?;
    let legs =
        wire.legs.as_ref().ok_or_else(|| missing_field("legs", "the flights; an empty array calls the trip off"))?;
    if let Some(timestamp) = &wire.timestamp {
        timestamp.read("timestamp")?;
    }
    Ok(Activity::Trip(Box::new(Trip {
        trip_id: trip_id.into(),
        revision: revision.read("revision", 0, u32::MAX)?,
        legs: read_legs(legs)?,
        travellers: travellers(wire.travellers.as_ref(), context.user_id)?,
        stay_until: wire.stay_until.as_ref().map(|time| time.read("stay_until")).transpose()?,
    })))
}

/// In order of departure.
fn read_legs(legs: &Nested<'_, Vec<Nested<'_, LegWire<'_>>>>) -> Result<Vec<Leg>, Rejection> {
    const ALLOWED: &str = "an array of at most 32 flights";
    let wires = legs.array("legs", ALLOWED)?;
    if wires.len() > MAX_LEGS {
        return Err(bad_field("legs", ALLOWED));
    }
    let mut legs = Vec::with_capacity(wires.len());
    for (index, wire) in wires.iter().enumerate() {
        let leg = wire.object("legs", "an array of objects").and_then(|leg| read_leg(&leg));
        legs.push(leg.map_err(|rejection| inside(&rejection, index))?);
    }
    legs.sort_by_key(|leg| leg.departs);
    if legs.is_sorted_by(|earlier, later| earlier.arrives <= later.departs) {
        return Ok(legs);
    }
    let message = "`legs` must not overlap: each departs at or after the arrival of the one before";
    Err(Rejection::validate(Code::BadInterval, message))
}

#[cold]
fn inside(rejection: &Rejection, index: usize) -> Rejection {
    Rejection { message: format!("in `legs[{index}]`: {}", rejection.message), ..*rejection }
}

fn read_leg(wire: &LegWire<'_>) -> Result<Leg, Rejection> {
    let flight = wire.flight.as_ref().ok_or_else(|| missing_field("flight", "airline and number, such as BA117"))?;
    let flight = flight_key::read_flight(flight)?;
    let origin = wire.origin.as_ref().ok_or_else(|| missing_field("origin", "an IATA airport code"))?.read("origin")?;
    let destination = wire.destination.as_ref().ok_or_else(|| missing_field("destination", "an IATA airport code"))?;
    let destination = destination.read("destination")?;
    let departs = wire.departs.as_ref().ok_or_else(|| missing_field("departs", "when it departs, as booked"))?;
    let arrives = wire.arrives.as_ref().ok_or_else(|| missing_field("arrives", "when it arrives, as booked"))?;
    let (departs, arrives) = (departs.read("departs")?, arrives.read("arrives")?);
    if arrives <= departs {
        return Err(Rejection::validate(Code::BadInterval, "`arrives` must be after `departs`"));
    }
    if arrives - departs > LONGEST_LEG {
        return Err(Rejection::validate(Code::BadInterval, "`arrives` must be at most 24 hours after `departs`"));
    }
    if origin == destination {
        return Err(bad_field("destination", "another airport than `origin`"));
    }
    let flight_key = match &wire.flight_key {
        Some(key) => {
            let (key, key_origin) = flight_key::read(key)?;
            if key_origin != origin {
                return Err(bad_field(
                    "flight_key",
                    "of a flight from `origin`: its last part is that airport, such as KL641|2026-12-04|AMS from AMS",
                ));
            }
            key
        }
        None => flight_key::derive(&flight, departs, origin)?,
    };
    Ok(Leg { flight: flight.into(), flight_key, origin, destination, departs, arrives })
}

/// Sorted, without repeats.
fn travellers(list: Option<&Nested<'_, Vec<Id<'_>>>>, sender: &str) -> Result<Vec<Box<str>>, Rejection> {
    const ALLOWED: &str = "an array of at most 32 user ids";
    let ids = list.map(|list| list.array("travellers", ALLOWED)).transpose()?.unwrap_or_default();
    if ids.len() > MAX_TRAVELLERS {
        return Err(bad_field("travellers", ALLOWED));
    }
    if ids.is_empty() {
        return Ok(vec![sender.into()]);
    }
    let ids: Result<Vec<Box<str>>, Rejection> =
        ids.into_iter().map(|id| id.read("travellers").map(Cow::into)).collect();
    let mut ids = ids?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
