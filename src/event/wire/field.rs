//! Kinds of fields: what each may hold, as a JSON Schema and as a reader that names the field it refuses.

use std::borrow::Cow;
use std::marker::PhantomData;

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use super::{Scalar, bad_field};
use crate::event::decode::time;
use crate::event::flight::Iata;
use crate::event::rejection::{Code, Rejection};
use crate::flight::{airports, zones};
use crate::units::UtcMillis;

/// The longest user, household, trip or action id, bytes.
pub const MAX_ID_BYTES: usize = 128;

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<'a>(pub Scalar<'a>);

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Scalar::deserialize(deserializer).map($name)
            }
        }

        impl JsonSchema for $name<'_> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

field!(
    /// RFC 3339 with an offset, or Unix seconds, whole or fraction.
    Time, { "anyOf": [
        { "type": "string", "format": "date-time", "description": "RFC 3339 with an offset" },
        { "type": "number", "minimum": 946_684_800, "exclusiveMaximum": 7_258_118_400_u64, "description": "Unix seconds" }
    ] }
);
field!(
    /// A user or household: a text, or an integer, which stands for its decimal digits.
    Id, { "anyOf": [{ "type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES }, { "type": "integer" }] }
);
field!(
    /// A trip or an action.
    Name, { "type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES }
);
field!(
    /// Free text, or a word of a list that may grow.
    Text, { "type": "string" }
);
field!(
    /// A number.
    Amount, { "type": "number" }
);
field!(
    /// A whole number.
    Whole, { "type": "integer" }
);
field!(
    /// `true` or `false`.
    Flag, { "type": "boolean" }
);
field!(
    /// A wall-clock time, HH:MM.
    Clock, { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" }
);
field!(
    /// A calendar month, YYYY-MM.
    Month, { "type": "string", "pattern": "^(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])$" }
);
field!(
    /// A name from the IANA time-zone database.
    Zone, { "type": "string", "minLength": 1 }
);
field!(
    /// A three-letter IATA airport code.
    Airport, { "type": "string", "pattern": "^[A-Za-z]{3}$" }
);
field!(
    /// Airline and flight number, `BA117`.
    Flight, { "type": "string", "minLength": 3, "pattern": "[0-9]" }
);
field!(
    /// `OPERATOR+NUMBER|LOCAL SCHEDULED DEPARTURE DATE|ORIGIN`.
    Key, { "type": "string", "pattern":
        "^([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z])[1-9][0-9]{0,3}[A-Z]?\\|[0-9]{4}-[0-9]{2}-[0-9]{2}\\|[A-Z]{3}$" }
);

impl Time<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<UtcMillis, Rejection> {
        time::read(&self.0).map_err(|problem| bad_field(name, problem.allowed()))
    }
}

impl<'a> Id<'a> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<Cow<'a, str>, Rejection> {
        const ALLOWED: &str = "a text of 1 to 128 bytes without control characters, or an integer";
        match &self.0 {
            Scalar::Text(text) if is_id(text) => Ok(text.clone()),
            other => {
                let digits = other.as_whole().map(|number| Cow::Owned(number.to_string()));
                digits.ok_or_else(|| bad_field(name, ALLOWED))
            }
        }
    }
}

impl Name<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<&str, Rejection> {
        const ALLOWED: &str = "a text of 1 to 128 bytes without control characters";
        self.0.as_text().filter(|text| is_id(text)).ok_or_else(|| bad_field(name, ALLOWED))
    }
}

/// Control characters are refused in ids because some keys of our own begin with one.
pub(in crate::event) fn is_id(text: &str) -> bool {
    // Every byte is looked at, whatever the ones before were: many at a time.
    let is_control = |byte: &u8| u8::from(*byte < 0x20) | u8::from(*byte == 0x7f);
    let controls = text.bytes().fold(0, |found, byte| found | is_control(&byte));
    (1..=MAX_ID_BYTES).contains(&text.len()) && controls == 0
}

impl Text<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<&str, Rejection> {
        self.0.as_text().ok_or_else(|| bad_field(name, "a text"))
    }
}

impl Amount<'_> {
    pub(in crate::event) fn read(&self, name: &str, from: f64, to: f64) -> Result<f64, Rejection> {
        let in_range = self.0.as_number().filter(|value| (from..=to).contains(value));
        in_range.ok_or_else(|| bad_field(name, &format!("a number from {from} to {to}")))
    }
}

impl Whole<'_> {
    pub(in crate::event) fn read(&self, name: &str, from: u32, to: u32) -> Result<u32, Rejection> {
        let in_range = self.0.as_whole().and_then(|value| u32::try_from(value).ok());
        let in_range = in_range.filter(|value| (from..=to).contains(value));
        in_range.ok_or_else(|| bad_field(name, &format!("a whole number from {from} to {to}")))
    }
}

impl Flag<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<bool, Rejection> {
        self.0.as_flag().ok_or_else(|| bad_field(name, "true or false"))
    }
}

impl Clock<'_> {
    /// Minutes after midnight.
    pub(in crate::event) fn read(&self, name: &str) -> Result<u16, Rejection> {
        let minutes = self.0.as_text().and_then(time::clock);
        minutes.ok_or_else(|| bad_field(name, "a time of day as HH:MM, 00:00 to 23:59"))
    }
}

impl Zone<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<Tz, Rejection> {
        let text = self.0.as_text().ok_or_else(|| bad_field(name, "the name of an IANA time zone"))?;
        zones::parse(text).ok_or_else(|| {
            let message = format!("`{name}` must be the name of an IANA time zone, such as Europe/London");
            Rejection::validate(Code::UnknownZone, message)
        })
    }
}

impl Airport<'_> {
    pub(in crate::event) fn read(&self, name: &str) -> Result<Iata, Rejection> {
        let code = self.0.as_text().and_then(Iata::parse);
        let code = code.ok_or_else(|| bad_field(name, "a three-letter IATA airport code"))?;
        known_airport(name, code)
    }
}

/// Refuses codes that no airport has.
pub(in crate::event) fn known_airport(name: &str, code: Iata) -> Result<Iata, Rejection> {
    let airport = airports::lookup(code).ok_or_else(|| {
        let message = format!("`{name}` must be the IATA code of a known airport, such as AMS");
        Rejection::validate(Code::UnknownAirport, message)
    })?;
    Ok(airport.iata)
}

/// An object or an array, read in a second step so that what is wrong in it can be named.
#[derive(Clone, Copy, Debug)]
pub struct Nested<'a, T> {
    raw: &'a RawValue,
    content: PhantomData<fn() -> T>,
}

impl<'de: 'a, 'a, T> Deserialize<'de> for Nested<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Nested { raw, content: PhantomData })
    }
}

impl<'a, T: Deserialize<'a>> Nested<'a, T> {
    /// `allowed` says what the object must hold.
    pub(in crate::event) fn object(&self, name: &str, allowed: &str) -> Result<T, Rejection> {
        self.read(name, allowed, '{')
    }

    /// `allowed` says what the array must hold.
    pub(in crate::event) fn array(&self, name: &str, allowed: &str) -> Result<T, Rejection> {
        self.read(name, allowed, '[')
    }

    /// The bracket is checked here because serde would take an array for a struct.
    fn read(&self, name: &str, allowed: &str, bracket: char) -> Result<T, Rejection> {
        let text = self.raw.get();
        let value = if text.starts_with(bracket) { serde_json::from_str(text).ok() } else { None };
        value.ok_or_else(|| bad_field(name, allowed))
    }
}

impl<T: JsonSchema> JsonSchema for Nested<'_, T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A text that this version does not use: whatever it holds is read over.
#[derive(Clone, Copy, Debug)]
pub struct Unread<'a>(PhantomData<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Unread<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Unread(PhantomData))
    }
}

impl JsonSchema for Unread<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Unread".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
