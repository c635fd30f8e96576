//! Bytes of a record to a checked event, or to the reason why it cannot be used.
//!
//! Depends on the record alone: not on any state, and on no clock but the record's own stamp. What is checked first
//! wins: size, UTF-8, JSON, activity, user, key, fields.

mod envelope;
mod flat;
mod flight;
mod flight_key;
mod profile;
mod report;
mod scan;
mod sensor;
pub mod time;
mod trip;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::envelope::{activity_of, guess_activity, household, no_activity, object_text, observed, unknown_activity};
use super::activity::{Activity, ActivityEvent};
use super::rejection::Rejection;
use super::wire::activity::{ActivityWire, EraseWire, FlightUpdateWire, Head, TickWire};
use super::wire::field::Text;
use super::wire::missing_field;
use crate::engine::{Decoded, Record};
use crate::units::{Span, UtcMillis};

pub use self::flight::flight_status;
pub(super) use self::flight::key_of_status;

/// The longest value that is looked at, bytes (64 KiB).
pub const MAX_VALUE_BYTES: usize = 65_536;

/// How far an observation may lie ahead of its record's stamp: clocks of devices differ.
pub const MAX_FUTURE: Span = Span::minutes(5);

/// Reads a record of `user_activity`.
///
/// [`Decoded::key`] is the household that the record belongs to, also where the record has no key (then it is not yet
/// where it belongs); `None` for a tick, which concerns nobody in particular. An empty key counts as none.
///
/// # Errors
/// What is wrong with the record, for the dead letters. A record without a value is `not_json`.
pub fn activity<'a>(record: &Record<'a>) -> Result<Decoded<'a, ActivityEvent<'a>>, Rejection> {
    match flat::sensor(record) {
        Some(decoded) => Ok(decoded),
        None => any_activity(record),
    }
}

/// Reads a record of any form, and says what is wrong with it.
fn any_activity<'a>(record: &Record<'a>) -> Result<Decoded<'a, ActivityEvent<'a>>, Rejection> {
    let text = object_text(record)?;
    // Looking for the word first saves reading the record twice. It is only a guess: what counts is the activity
    // found by reading the record as what it seems to be.
    if let Some(name) = guess_activity(text) {
        match activity_named(name, text, record) {
            Ok(decoded) => return Ok(decoded),
            Err(Failure::Rejected(rejection)) => return Err(rejection),
            Err(Failure::Unreadable(_) | Failure::OtherActivity) => {}
        }
    }
    let Some(name) = activity_of(text)? else { return Err(no_activity(Activity::PUBLIC)) };
    activity_named(&name, text, record).map_err(|failure| match failure {
        Failure::Rejected(rejection) => rejection,
        Failure::Unreadable(error) => envelope::unreadable(text, &error),
        Failure::OtherActivity => unknown_activity(Activity::PUBLIC),
    })
}

/// Why a record could not be read as a certain activity.
enum Failure {
    /// Not JSON, or JSON that cannot be represented.
    Unreadable(serde_json::Error),
    OtherActivity,
    Rejected(Rejection),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Failure::Rejected(rejection)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Unreadable(error)
    }
}

fn activity_named<'a>(
    name: &str,
    text: &'a str,
    record: &Record<'a>,
) -> Result<Decoded<'a, ActivityEvent<'a>>, Failure> {
    match name {
        "light_exposure" => personal("light_exposure", text, record, sensor::light),
        "sleep" => personal("sleep", text, record, sensor::sleep),
        "meal" => personal("meal", text, record, sensor::meal),
        "nap_skipped" => personal("nap_skipped", text, record, report::nap_skipped),
        "adherence" => personal("adherence", text, record, report::adherence),
        "phase_measurement" => personal("phase_measurement", text, record, report::phase_measurement),
        "profile" => personal("profile", text, record, profile::profile),
        "trip" => personal("trip", text, record, trip::trip),
        "erase" => personal("erase", text, record, |_: &EraseWire<'_>, _| Ok(Activity::Erase)),
        "flight_update" => flight_update(text, record),
        "tick" => tick(text),
        _ => Err(Failure::OtherActivity),
    }
}

/// What an activity's own fields are judged by.
struct Context<'r> {
    record_stamp: UtcMillis,
    user_id: &'r str,
}

impl Context<'_> {
    fn observed(&self, name: &str, time: UtcMillis) -> Result<UtcMillis, Rejection> {
        observed(name, time, self.record_stamp)
    }
}

/// An activity of one person.
fn personal<'a, W: ActivityWire<'a>>(
    name: &'static str,
    text: &'a str,
    record: &Record<'a>,
    read: impl FnOnce(&W, &Context<'_>) -> Result<Activity, Rejection>,
) -> Result<Decoded<'a, ActivityEvent<'a>>, Failure> {
    // As `serde_json::from_str`, which moves the large struct once more.
    let mut json = serde_json::Deserializer::from_str(text);
    let wire = W::deserialize(&mut json)?;
    json.end()?;
    let Head { user_id, household_id, activity, time_zone } = wire.head();
    if !is_word(activity, name) {
        return Err(Failure::OtherActivity);
    }
    let user_id = user_id.map(|id| id.read("user_id")).transpose()?;
    let household_id = household(record, household_id, user_id.as_ref())?;
    let user_id = user_id.ok_or_else(|| missing_field("user_id", "the person, as a text or an integer"))?;
    let time_zone = time_zone.map(|zone| zone.read("time_zone")).transpose()?;
    let activity = read(&wire, &Context { record_stamp: record.judged_at(), user_id: &user_id })?;
    let key = Some(household_id.clone());
    Ok(Decoded { key, internal: false, name, event: ActivityEvent { household_id, user_id, time_zone, activity } })
}

fn is_word(text: Option<&Text<'_>>, word: &str) -> bool {
    text.and_then(|text| text.0.as_text()) == Some(word)
}

/// Internal: news of a flight for a household that watches it. Its times were judged when the feed said them.
fn flight_update<'a>(text: &'a str, record: &Record<'a>) -> Result<Decoded<'a, ActivityEvent<'a>>, Failure> {
    let wire: FlightUpdateWire<'a> = serde_json::from_str(text)?;
    if !is_word(wire.activity.as_ref(), "flight_update") {
        return Err(Failure::OtherActivity);
    }
    let household_id = household(record, wire.household_id.as_ref(), None)?;
    let update = flight::update(wire.flight.as_ref())?;
    let event = ActivityEvent {
        household_id: household_id.clone(),
        user_id: Cow::Borrowed(""),
        time_zone: None,
        activity: Activity::FlightUpdate(Box::new(update)),
    };
    Ok(Decoded { key: Some(household_id), internal: true, name: "flight_update", event })
}

/// Internal: nothing but the stamp of its record.
fn tick<'a>(text: &'a str) -> Result<Decoded<'a, ActivityEvent<'a>>, Failure> {
    let wire: TickWire<'a> = serde_json::from_str(text)?;
    if !is_word(wire.activity.as_ref(), "tick") {
        return Err(Failure::OtherActivity);
    }
    let event = ActivityEvent {
        household_id: Cow::Borrowed(""),
        user_id: Cow::Borrowed(""),
        time_zone: None,
        activity: Activity::Tick,
    };
    Ok(Decoded { key: None, internal: true, name: "tick", event })
}
