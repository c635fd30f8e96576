//! The JSON that families and feeds write: the contract's forms, and only fields that outsiders would send.

use chrono::FixedOffset;
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use crate::event::activity::{Chronotype, MealKind, UsualNap};
use crate::event::flight::{Cancellation, FlightState, Iata};
use crate::flight::zones;
use crate::units::UtcMillis;

/// The fields that every activity has.
#[derive(Serialize)]
pub struct Head<'a> {
    pub user_id: &'a str,
    pub household_id: &'a str,
    pub activity: &'static str,
}

#[derive(Serialize)]
pub struct SleepLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    #[serde(serialize_with = "utc")]
    pub start: UtcMillis,
    #[serde(serialize_with = "maybe_utc", skip_serializing_if = "Option::is_none")]
    pub end: Option<UtcMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<&'static str>,
}

#[derive(Serialize)]
pub struct MealLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    #[serde(serialize_with = "utc")]
    pub timestamp: UtcMillis,
    pub kind: MealKind,
}

#[derive(Serialize)]
pub struct OutdoorLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub context: &'static str,
    #[serde(serialize_with = "utc")]
    pub start: UtcMillis,
    #[serde(serialize_with = "utc")]
    pub end: UtcMillis,
}

#[derive(Serialize)]
pub struct ReadingLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub lux: u32,
    #[serde(serialize_with = "utc")]
    pub timestamp: UtcMillis,
    pub source: &'static str,
}

#[derive(Serialize)]
pub struct SkippedLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    #[serde(serialize_with = "utc")]
    pub timestamp: UtcMillis,
    pub reason: &'static str,
}

#[derive(Serialize)]
pub struct ProfileLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub display_name: &'a str,
    pub birth_month: String,
    pub home_time_zone: &'static str,
    pub sleep: NightLine,
    /// Children only; empty for those who no longer nap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naps: Option<Vec<NapLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chronotype: Option<Chronotype>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub caregiver: bool,
}

#[derive(Serialize)]
pub struct NightLine {
    pub bedtime: String,
    pub wake: String,
}

#[derive(Serialize)]
pub struct NapLine {
    pub start: String,
    pub minutes: u16,
}

impl From<UsualNap> for NapLine {
    fn from(nap: UsualNap) -> NapLine {
        NapLine { start: clock(nap.start), minutes: nap.minutes }
    }
}

/// `HH:MM` of minutes after midnight.
pub fn clock(minute_of_day: u16) -> String {
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

#[derive(Serialize)]
pub struct TripLine<'a> {
    #[serde(flatten)]
    pub head: Head<'a>,
    pub trip_id: &'a str,
    pub revision: u32,
    pub travellers: Vec<&'a str>,
    pub legs: Vec<LegLine<'a>>,
    #[serde(serialize_with = "maybe_utc", skip_serializing_if = "Option::is_none")]
    pub stay_until: Option<UtcMillis>,
}

/// Times as tickets have them: with the offset of the place.
#[derive(Serialize)]
pub struct LegLine<'a> {
    pub flight: &'a str,
    pub origin: Iata,
    pub destination: Iata,
    pub departs: String,
    pub arrives: String,
}

#[derive(Serialize)]
pub struct StatusLine<'a> {
    pub flight_key: &'a str,
    pub state: FlightState,
    #[serde(serialize_with = "utc")]
    pub observed_at: UtcMillis,
    pub provider: &'static str,
    pub origin: Iata,
    pub destination: Iata,
    pub times: TimesLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverted_to: Option<Iata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
}

#[derive(Clone, Copy, Serialize)]
pub struct TimesLine {
    pub out: SlotLine,
    #[serde(skip_serializing_if = "SlotLine::is_empty")]
    pub off: SlotLine,
    #[serde(skip_serializing_if = "SlotLine::is_empty")]
    pub on: SlotLine,
    pub r#in: SlotLine,
}

#[derive(Clone, Copy, Default, Serialize)]
pub struct SlotLine {
    #[serde(serialize_with = "maybe_utc", skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<UtcMillis>,
    #[serde(serialize_with = "maybe_utc", skip_serializing_if = "Option::is_none")]
    pub estimated: Option<UtcMillis>,
    #[serde(serialize_with = "maybe_utc", skip_serializing_if = "Option::is_none")]
    pub actual: Option<UtcMillis>,
}

impl SlotLine {
    // serde hands out a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_empty(&self) -> bool {
        self.scheduled.is_none() && self.estimated.is_none() && self.actual.is_none()
    }
}

/// JSON of one of the lines above. None of them can fail: their keys are texts and their numbers finite.
pub fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

/// RFC 3339 with the offset that the zone has then.
pub fn with_offset(zone: Tz, at: UtcMillis) -> String {
    let seconds = i32::try_from(zones::offset_at(zone, at).0 / 1_000).unwrap_or(0);
    match FixedOffset::east_opt(seconds) {
        Some(offset) if seconds % 60 == 0 => at.to_datetime().with_timezone(&offset).to_rfc3339(),
        _ => at.to_rfc3339(),
    }
}

// serde hands out a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub fn utc<S: Serializer>(at: &UtcMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339())
}

// serde hands out a reference.
#[allow(clippy::ref_option)]
fn maybe_utc<S: Serializer>(at: &Option<UtcMillis>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => utc(at, serializer),
        None => serializer.serialize_none(),
    }
}
