//! What people do and plan: the events of `user_activity`, checked and with every time in UTC.
//!
//! These are the types that the core works on. Their JSON forms, the first producers' included, are read in
//! [`super::decode`].

use std::borrow::Cow;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::flight::{FlightKey, FlightStatus, Iata};
use crate::units::{Hours, Lux, Span, UtcMillis};

/// One record of `user_activity`, decoded and validated.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityEvent<'a> {
    /// The record key, or what it follows from: `household_id`, else `user_id`.
    pub household_id: Cow<'a, str>,
    /// Unique within the household. Empty for internal activities that concern the whole household.
    pub user_id: Cow<'a, str>,
    /// Where the person's local clock is said to be at the event, if the producer said.
    pub time_zone: Option<Tz>,
    pub activity: Activity,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Activity {
    Sleep(Sleep),
    Meal(Meal),
    Light(LightExposure),
    NapSkipped(NapSkipped),
    Adherence(Adherence),
    PhaseMeasurement(PhaseMeasurement),
    Profile(Box<Profile>),
    Trip(Box<Trip>),
    Erase,
    /// Internal: a flight that this household watches has news.
    FlightUpdate(Box<FlightUpdate>),
    /// Internal: nothing but the time that its record stamp carries.
    Tick,
}

impl Activity {
    /// The `activity` value on the wire; also the metric label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Activity::Sleep(_) => "sleep",
            Activity::Meal(_) => "meal",
            Activity::Light(_) => "light_exposure",
            Activity::NapSkipped(_) => "nap_skipped",
            Activity::Adherence(_) => "adherence",
            Activity::PhaseMeasurement(_) => "phase_measurement",
            Activity::Profile(_) => "profile",
            Activity::Trip(_) => "trip",
            Activity::Erase => "erase",
            Activity::FlightUpdate(_) => "flight_update",
            Activity::Tick => "tick",
        }
    }

    /// Every wire name, in the order of [`Activity`].
    pub const NAMES: [&'static str; 11] = [
        "sleep",
        "meal",
        "light_exposure",
        "nap_skipped",
        "adherence",
        "phase_measurement",
        "profile",
        "trip",
        "erase",
        "flight_update",
        "tick",
    ];

    /// The names that producers may send: all but the internal ones.
    pub const PUBLIC: &'static [&'static str] = Self::NAMES.split_at(9).0;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// `start` with or without `end`. Without: in progress; a record with the same start closes it.
    Interval { start: UtcMillis, end: Option<UtcMillis>, kind: Option<SleepKind>, deleted: bool },
    /// The first producers' form: seen asleep at that time, nothing known of start and end.
    SeenAsleep { at: UtcMillis },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SleepKind {
    Night,
    Nap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meal {
    pub start: UtcMillis,
    /// Equal to `start` where only a time was given.
    pub end: UtcMillis,
    pub kind: MealKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MealKind {
    Meal,
    Snack,
    Breast,
    Bottle,
    Solid,
    /// Absent, or a word that this version does not know.
    Unknown,
}

/// Light at the eye.
#[derive(Clone, Debug, PartialEq)]
pub struct LightExposure {
    pub start: UtcMillis,
    /// Equal to `start` for a reading at one moment.
    pub end: UtcMillis,
    pub level: LightLevel,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LightLevel {
    /// Photopic illuminance; 0 ..= 200,000.
    Lux(Lux),
    /// Melanopic equivalent daylight illuminance (CIE S 026), lux; made photopic by the ratio of `context`.
    MelanopicEdi(Lux, LightContext),
    /// Readings `interval` apart, the first at `start`.
    Samples {
        interval: Span,
        lux: Vec<f32>,
    },
    Context(LightContext),
    /// A moment without a level (the first producers): what is usual at that local hour.
    Usual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LightContext {
    Outdoor,
    Indoor,
    Dim,
    Dark,
    Aircraft,
    /// Absent, or a word that this version does not know.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NapSkipped {
    pub at: UtcMillis,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adherence {
    /// When it was said (`timestamp`).
    pub at: UtcMillis,
    pub action_id: String,
    pub outcome: Outcome,
    pub start: Option<UtcMillis>,
    pub end: Option<UtcMillis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Modified,
    Skipped,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PhaseMeasurement {
    pub marker: Marker,
    pub at: UtcMillis,
    /// Standard deviation of the marker's time.
    pub sd: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    Dlmo,
    Cbtmin,
}

/// Who somebody is and how they usually live. Replaces the previous profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// At most 24 characters.
    pub display_name: Option<Box<str>>,
    pub age: Age,
    pub home_time_zone: Tz,
    /// Usual bedtime and wake-up, minutes after local midnight (0 ..= 1439).
    pub bedtime: u16,
    pub wake: u16,
    /// Usual naps, sorted by start. `None` where the profile does not speak of naps: the age decides.
    pub naps: Option<Box<[UsualNap]>>,
    pub chronotype: Chronotype,
    pub caregiver: bool,
    pub melatonin: bool,
    pub caffeine: bool,
    pub weeks_premature: u8,
    pub conditions: Conditions,
}

/// What speaks against advice of bright light. Nothing else follows from it, and no sentence names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    pub photosensitive: bool,
    pub bipolar: bool,
    pub epilepsy: bool,
}

impl Conditions {
    #[must_use]
    pub fn forbid_bright_light(self) -> bool {
        self.photosensitive || self.bipolar || self.epilepsy
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsualNap {
    /// Minutes after local midnight (0 ..= 1439).
    pub start: u16,
    pub minutes: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Age {
    /// Calendar month of birth; the day is not asked for.
    Born {
        year: i16,
        month: u8,
    },
    Band(AgeBand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeBand {
    /// Under 1 year.
    Infant,
    /// 1 and 2 years.
    Toddler,
    /// 3 to 17 years.
    Child,
    Adult,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chronotype {
    Early,
    #[default]
    Neither,
    Late,
}

/// A journey of some of the household, by its legs. Upsert by `trip_id`: the higher revision wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    pub trip_id: Box<str>,
    pub revision: u32,
    /// In order of departure. Empty: the trip is called off.
    pub legs: Vec<Leg>,
    /// User ids, sorted, without repeats; never empty (default: who sent it).
    pub travellers: Vec<Box<str>>,
    pub stay_until: Option<UtcMillis>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// As written, in upper case without spaces: `KL641`.
    pub flight: Box<str>,
    pub flight_key: FlightKey,
    pub origin: Iata,
    pub destination: Iata,
    /// As booked.
    pub departs: UtcMillis,
    pub arrives: UtcMillis,
}

/// Internal: the merged status of a flight, sent to a household that watches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightUpdate {
    pub status: FlightStatus,
}

impl Sleep {
    /// Length of a closed sleep.
    #[must_use]
    pub fn length(&self) -> Option<Hours> {
        match self {
            Sleep::Interval { start, end: Some(end), .. } => Some((*end - *start).as_hours()),
            _ => None,
        }
    }
}
