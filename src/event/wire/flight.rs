//! The JSON forms of `flight_status`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::field::{Airport, Flight, Id, Key, Nested, Text, Time};

/// What a feed says of a flight. A time slot that is absent or null says nothing; it never erases what is known.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [{ "required": ["flight_key"] }, { "required": ["flight", "origin", "times"] }]))]
pub struct StatusWire<'a> {
    /// `OPERATOR+NUMBER|LOCAL SCHEDULED DEPARTURE DATE|ORIGIN`: also the record key. Without it, it follows from
    /// `flight`, `origin` and `times.out.scheduled`.
    #[serde(borrow)]
    pub flight_key: Option<Key<'a>>,
    /// Operating airline and number, where there is no `flight_key`.
    #[serde(borrow)]
    pub flight: Option<Flight<'a>>,
    /// `scheduled`, `delayed`, `out`, `off`, `on`, `in`, `cancelled`, `diverted` or `unknown`; another word is
    /// `unknown`.
    #[serde(borrow)]
    #[schemars(required, extend("examples" = ["scheduled", "delayed", "out", "off", "on", "in", "cancelled", "diverted", "unknown"]))]
    pub state: Option<Text<'a>>,
    /// When the feed knew it.
    #[serde(borrow)]
    #[schemars(required)]
    pub observed_at: Option<Time<'a>>,
    /// Which feed.
    #[serde(borrow)]
    pub provider: Option<Text<'a>>,
    /// The four moments of a flight.
    #[serde(borrow)]
    pub times: Option<Nested<'a, TimesWire<'a>>>,
    /// IATA code of where it lands instead.
    #[serde(borrow)]
    pub diverted_to: Option<Airport<'a>>,
    /// `suspected` or `confirmed`.
    #[serde(borrow)]
    #[schemars(extend("examples" = ["suspected", "confirmed"]))]
    pub cancellation: Option<Text<'a>>,
    /// IATA code.
    #[serde(borrow)]
    pub origin: Option<Airport<'a>>,
    /// IATA code, as booked.
    #[serde(borrow)]
    pub destination: Option<Airport<'a>>,
}

/// The four moments of a flight.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct TimesWire<'a> {
    /// Gate departure.
    #[serde(borrow)]
    pub out: Option<Nested<'a, SlotWire<'a>>>,
    /// Take-off.
    #[serde(borrow)]
    pub off: Option<Nested<'a, SlotWire<'a>>>,
    /// Landing.
    #[serde(borrow)]
    pub on: Option<Nested<'a, SlotWire<'a>>>,
    /// Gate arrival.
    #[serde(borrow)]
    pub r#in: Option<Nested<'a, SlotWire<'a>>>,
}

/// What is said of one moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SlotWire<'a> {
    /// As published in the timetable or booked.
    #[serde(borrow)]
    pub scheduled: Option<Time<'a>>,
    /// The airline's or the feed's estimate.
    #[serde(borrow)]
    pub estimated: Option<Time<'a>>,
    /// A model's prediction.
    #[serde(borrow)]
    pub predicted: Option<Time<'a>>,
    /// When it happened.
    #[serde(borrow)]
    pub actual: Option<Time<'a>>,
}

/// Internal: a household's trip contains this flight, or no longer does. Written by the engine only.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WatchWire<'a> {
    /// Always `watch`.
    #[serde(borrow)]
    #[schemars(required)]
    pub activity: Option<Text<'a>>,
    /// The flight: also the record key.
    #[serde(borrow)]
    #[schemars(required)]
    pub flight_key: Option<Key<'a>>,
    /// Who watches.
    #[serde(borrow)]
    #[schemars(required)]
    pub household_id: Option<Id<'a>>,
    /// `start` or `stop`.
    #[serde(borrow)]
    #[schemars(required, extend("enum" = ["start", "stop"]))]
    pub watch: Option<Text<'a>>,
}
