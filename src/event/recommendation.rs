//! What people read: the records of `recommendations`. Field order here is the order on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::units::UtcMillis;

/// A published plan change, with its cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recommendation {
    /// Version of this contract: 1.
    pub schema: u32,
    /// `UUIDv5` over what caused it (not over where it stood in the log): a replay gives the same.
    pub recommendation_id: Uuid,
    /// The recommendation that this one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Uuid>,
    /// Whose plan it is: unique within the household.
    pub user_id: String,
    /// The record key.
    pub household_id: String,
    /// What it is about.
    pub reason: Reason,
    /// What made it necessary.
    pub cause: Cause,
    /// Stream time.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub issued_at: UtcMillis,
    /// Zone of where the person is then: the clock of a time in the headline that names no other.
    pub time_zone: String,
    /// From then on nothing in it helps any more.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub expires_at: UtcMillis,
    /// How loudly to say it.
    pub urgency: Urgency,
    /// One calm sentence of at most 90 characters.
    #[schemars(length(max = 90))]
    pub headline: String,
    /// The body clock as estimated.
    pub circadian: CircadianSummary,
    /// Sleep pressure and debt.
    pub sleep: SleepSummary,
    /// What to do, in order of time.
    pub actions: Vec<Action>,
    /// What moved against the plan before.
    pub changes: Vec<Change>,
    /// `None` where no clock has to move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NapMissed,
    NapShort,
    NapFound,
    FlightDelayed,
    FlightCancelled,
    FlightDiverted,
    ConnectionAtRisk,
    ConnectionMissed,
    TripPlanned,
    SleepLost,
    PlanRefreshed,
    AdviceSkipped,
}

impl Reason {
    pub const ALL: [Reason; 12] = [
        Reason::NapMissed,
        Reason::NapShort,
        Reason::NapFound,
        Reason::FlightDelayed,
        Reason::FlightCancelled,
        Reason::FlightDiverted,
        Reason::ConnectionAtRisk,
        Reason::ConnectionMissed,
        Reason::TripPlanned,
        Reason::SleepLost,
        Reason::PlanRefreshed,
        Reason::AdviceSkipped,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::NapMissed => "nap_missed",
            Reason::NapShort => "nap_short",
            Reason::NapFound => "nap_found",
            Reason::FlightDelayed => "flight_delayed",
            Reason::FlightCancelled => "flight_cancelled",
            Reason::FlightDiverted => "flight_diverted",
            Reason::ConnectionAtRisk => "connection_at_risk",
            Reason::ConnectionMissed => "connection_missed",
            Reason::TripPlanned => "trip_planned",
            Reason::SleepLost => "sleep_lost",
            Reason::PlanRefreshed => "plan_refreshed",
            Reason::AdviceSkipped => "advice_skipped",
        }
    }
}

/// The record that made this happen; for a timer, the record that moved time past it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// `user_activity` or `flight_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Partition of `topic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// Offset in that partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// An activity of `user_activity`, or `timer`.
    pub activity: String,
    /// Kind of the timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// When: the fact's time, or the timer's due time.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub at: UtcMillis,
}

/// Maps to the notification levels that phones know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    Passive,
    Active,
    TimeSensitive,
}

/// Where the body clock is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CircadianSummary {
    /// Next core body temperature minimum.
    #[schemars(with = "Option<rfc3339::Text>")]
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub cbt_min: Option<UtcMillis>,
    /// Dim-light melatonin onset before it.
    #[schemars(with = "Option<rfc3339::Text>")]
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub dlmo: Option<UtcMillis>,
    /// Standard deviation of `cbt_min`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sd_minutes: Option<i64>,
    /// The interval that holds `cbt_min` with a probability of 80 %.
    #[schemars(with = "Option<[rfc3339::Text; 2]>")]
    #[serde(with = "rfc3339::pair", skip_serializing_if = "Option::is_none", default)]
    pub interval_80: Option<[UtcMillis; 2]>,
    /// Strength of the clock, 0 to 1, two decimals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amplitude: Option<f64>,
    /// Positive: the body clock is late for the local clock. Two decimals. None without a profile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub misalignment_hours: Option<f64>,
    /// The stomach's own clock, where it is half an hour or more off the local clock.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stomach: Option<StomachSummary>,
    /// How far the estimate can be trusted.
    pub clock: ClockQuality,
    /// One sentence: what would narrow `interval_80`, where it is wide and something would.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_narrow: Option<String>,
}

/// The stomach's clock: meals and the body clock move it, and it moves neither.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StomachSummary {
    /// The hour that it takes this moment for, HH:MM.
    pub time: String,
    /// Positive: it is late for the local clock. Two decimals.
    pub delay_hours: f64,
    /// When to eat within the next 24 hours: local meal times outside the body's night. None for who eats on demand.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub meals: Vec<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    Estimated,
    Uncertain,
    /// Under three months of corrected age: no body clock to speak of yet.
    NotYet,
}

/// How much sleep is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SleepSummary {
    /// Two-process sleep pressure, 0 to 1, two decimals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pressure: Option<f64>,
    /// Sleep short of what is usual, lately.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sleep_debt_minutes: Option<i64>,
    /// When the next nap fits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_nap: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// From.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub start: UtcMillis,
    /// Until.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub end: UtcMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Named by `adherence` records.
    pub action_id: Uuid,
    /// What to do.
    pub kind: ActionKind,
    /// From.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub start: UtcMillis,
    /// Until.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub end: UtcMillis,
    /// IANA zone of where the person will be.
    pub time_zone: String,
    /// `18:45–06:30` in that zone.
    pub local: String,
    /// One calm sentence.
    pub message: String,
    /// One short reason.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    Sleep,
    Nap,
    Wake,
    BrightLight,
    DimLight,
    Dark,
    Meal,
    Feed,
    WindDown,
    CaffeineUntil,
    Melatonin,
}

impl ActionKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ActionKind::Sleep => "sleep",
            ActionKind::Nap => "nap",
            ActionKind::Wake => "wake",
            ActionKind::BrightLight => "bright_light",
            ActionKind::DimLight => "dim_light",
            ActionKind::Dark => "dark",
            ActionKind::Meal => "meal",
            ActionKind::Feed => "feed",
            ActionKind::WindDown => "wind_down",
            ActionKind::CaffeineUntil => "caffeine_until",
            ActionKind::Melatonin => "melatonin",
        }
    }
}

/// What moved against the plan published before; `before` or `after` is absent where the action is new or gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What moved.
    pub action: ActionKind,
    /// Local time before, HH:MM; with its day where that is not today for who reads it (`Thu 11 Jun 19:30`), with the place
    /// of its clock where that is another one than theirs (`19:30 (Tokyo)`). `HH:MM–HH:MM` where only the end moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Local time now, in the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// When the body clock will have arrived (local dates, YYYY-MM-DD).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// The likeliest date.
    pub adapted_on: String,
    /// Earliest and latest date to expect.
    pub range: [String; 2],
    /// The date without following the plan.
    pub unassisted_on: String,
}

/// A traveller's estimate and plan in force, as `replay --state`, `state dump` and HTTP give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The user id.
    pub estimate_of: String,
    /// The household that the person belongs to.
    pub household_id: String,
    /// Stream time for which all of this holds.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub at: UtcMillis,
    /// The body clock as estimated.
    pub circadian: CircadianSummary,
    /// Sleep pressure and debt.
    pub sleep: SleepSummary,
    /// The actions in force for the next three days.
    pub plan: Vec<Action>,
}

/// Times on the wire: RFC 3339, UTC, `Z`.
#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde calls them so")]
pub(crate) mod rfc3339 {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::units::UtcMillis;

    /// The JSON Schema of a time that we write.
    pub struct Text;

    impl JsonSchema for Text {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Time".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "string", "format": "date-time" })
        }
    }

    fn parse<E: serde::de::Error>(text: &str) -> Result<UtcMillis, E> {
        chrono::DateTime::parse_from_rfc3339(text).map(|time| UtcMillis(time.timestamp_millis())).map_err(E::custom)
    }

    pub fn serialize<S: Serializer>(time: &UtcMillis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.to_rfc3339())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcMillis, D::Error> {
        parse(&Cow::<'de, str>::deserialize(deserializer)?)
    }

    pub mod option {
        use serde::{Deserialize, Deserializer, Serializer};

        use crate::units::UtcMillis;

        pub fn serialize<S: Serializer>(time: &Option<UtcMillis>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => serializer.serialize_some(&time.to_rfc3339()),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UtcMillis>, D::Error> {
            Option::<String>::deserialize(deserializer)?.map(|text| super::parse(&text)).transpose()
        }
    }

    pub mod pair {
        use serde::{Deserialize, Deserializer, Serializer, ser::SerializeSeq};

        use crate::units::UtcMillis;

        pub fn serialize<S: Serializer>(pair: &Option<[UtcMillis; 2]>, serializer: S) -> Result<S::Ok, S::Error> {
            let Some(pair) = pair else { return serializer.serialize_none() };
            let mut sequence = serializer.serialize_seq(Some(2))?;
            for time in pair {
                sequence.serialize_element(&time.to_rfc3339())?;
            }
            sequence.end()
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[UtcMillis; 2]>, D::Error> {
            let Some([from, to]) = Option::<[String; 2]>::deserialize(deserializer)? else { return Ok(None) };
            Ok(Some([super::parse(&from)?, super::parse(&to)?]))
        }
    }
}
