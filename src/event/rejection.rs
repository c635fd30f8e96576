//! Why a record cannot be used. Every code is part of the contract (docs/contract.md, "Bad input").

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// The codes that dead letters carry and HTTP answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    NotJson,
    NotUtf8,
    TooLarge,
    MissingField,
    BadField,
    UnknownActivity,
    UnknownZone,
    UnknownAirport,
    BadInterval,
    InFuture,
    NoKey,
    KeyMismatch,
    Misplaced,
    BadState,
}

impl Code {
    pub const ALL: [Code; 14] = [
        Code::NotJson,
        Code::NotUtf8,
        Code::TooLarge,
        Code::MissingField,
        Code::BadField,
        Code::UnknownActivity,
        Code::UnknownZone,
        Code::UnknownAirport,
        Code::BadInterval,
        Code::InFuture,
        Code::NoKey,
        Code::KeyMismatch,
        Code::Misplaced,
        Code::BadState,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::NotJson => "not_json",
            Code::NotUtf8 => "not_utf8",
            Code::TooLarge => "too_large",
            Code::MissingField => "missing_field",
            Code::BadField => "bad_field",
            Code::UnknownActivity => "unknown_activity",
            Code::UnknownZone => "unknown_zone",
            Code::UnknownAirport => "unknown_airport",
            Code::BadInterval => "bad_interval",
            Code::InFuture => "in_future",
            Code::NoKey => "no_key",
            Code::KeyMismatch => "key_mismatch",
            Code::Misplaced => "misplaced",
            Code::BadState => "bad_state",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a record got before it was refused (`error.stage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes to an event.
    Decode,
    /// An event that contradicts itself or its record.
    Validate,
    /// A record in a partition that is not its own.
    Route,
    /// An event that its state cannot take.
    Apply,
}

impl Stage {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Validate => "validate",
            Stage::Route => "route",
            Stage::Apply => "apply",
        }
    }
}

/// A record that goes to the dead letters. The message names the field and what is allowed, never a personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    pub code: Code,
    pub message: String,
    pub stage: Stage,
}

impl Rejection {
    #[must_use]
    pub fn decode(code: Code, message: impl Into<String>) -> Rejection {
        Rejection { code, message: message.into(), stage: Stage::Decode }
    }

    #[must_use]
    pub fn validate(code: Code, message: impl Into<String>) -> Rejection {
        Rejection { code, message: message.into(), stage: Stage::Validate }
    }
}
