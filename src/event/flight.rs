//! Flight status as its feeds report it (`flight_status`), and who watches which flight.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::UtcMillis;

/// `OPERATOR+NUMBER|LOCAL SCHEDULED DEPARTURE DATE|ORIGIN`, e.g. `KL641|2026-12-04|AMS`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlightKey(pub Box<str>);

impl FlightKey {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `KL641` of `KL641|2026-12-04|AMS`.
    #[must_use]
    pub fn designator(&self) -> &str {
        self.0.split('|').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for FlightKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A three-letter IATA airport code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iata(pub [u8; 3]);

impl Iata {
    /// Three ASCII letters or digits, any case; `None` otherwise. Does not say that the airport exists.
    #[must_use]
    pub fn parse(text: &str) -> Option<Iata> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then(|| Iata(bytes.map(|b| b.to_ascii_uppercase())))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always ASCII: `parse` and the airport table let nothing else in.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Debug for Iata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Iata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Iata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Iata {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Iata::parse(&text).ok_or_else(|| serde::de::Error::custom("expected a three-letter IATA code"))
    }
}

/// One record of `flight_status`, decoded and validated.
#[derive(Clone, Debug, PartialEq)]
pub enum FlightEvent {
    Status(Box<FlightStatus>),
    /// Internal: a household's trip contains this flight, or no longer does.
    Watch(Watch),
    /// Internal: nothing but the time that its record stamp carries.
    Tick,
}

impl FlightEvent {
    /// The metric label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            FlightEvent::Status(_) => "flight_status",
            FlightEvent::Watch(_) => "watch",
            FlightEvent::Tick => "tick",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    pub flight_key: FlightKey,
    pub household_id: Box<str>,
    pub watch: WatchChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchChange {
    Start,
    Stop,
}

/// What a feed says of a flight; also, merged over all feeds, what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightStatus {
    pub flight_key: FlightKey,
    pub state: FlightState,
    pub observed_at: UtcMillis,
    pub provider: Option<Box<str>>,
    pub times: FlightTimes,
    pub diverted_to: Option<Iata>,
    pub cancellation: Option<Cancellation>,
    pub origin: Option<Iata>,
    pub destination: Option<Iata>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlightState {
    Scheduled,
    Delayed,
    Out,
    Off,
    On,
    In,
    Cancelled,
    Diverted,
    #[default]
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancellation {
    Suspected,
    Confirmed,
}

/// Gate departure (out), take-off (off), landing (on), gate arrival (in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlightTimes {
    pub out: SlotTimes,
    pub off: SlotTimes,
    pub on: SlotTimes,
    #[serde(rename = "in")]
    pub in_: SlotTimes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotTimes {
    pub scheduled: Option<UtcMillis>,
    pub estimated: Option<UtcMillis>,
    pub predicted: Option<UtcMillis>,
    pub actual: Option<UtcMillis>,
}

impl SlotTimes {
    /// The best that is known: actual, else estimated, else predicted, else scheduled.
    #[must_use]
    pub fn best(&self) -> Option<UtcMillis> {
        self.actual.or(self.estimated).or(self.predicted).or(self.scheduled)
    }
}
