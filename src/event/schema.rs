//! JSON Schemas (2020-12) of everything on the wire, generated from the types that read and write it.
//!
//! A schema cannot say everything that [`super::decode`] checks: that an airport or a zone exists, that an interval
//! ends after its start, that an observation is not ahead of its record.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::activity::Activity;
use super::dead_letter::DeadLetter;
use super::recommendation::{Estimate, Recommendation};
use super::wire::activity::{
    AdherenceWire, EraseWire, FlightUpdateWire, LightWire, MealWire, NapSkippedWire, PhaseMeasurementWire, ProfileWire,
    SleepWire, TickWire, TripWire,
};
use super::wire::flight::{StatusWire, WatchWire};

/// Every name that [`schema`] knows.
pub const NAMES: &[&str] = &[
    "user_activity",
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
    "flight_status",
    "watch",
    "recommendation",
    "estimate",
    "dead_letter",
];

/// The JSON Schema of that name.
#[must_use]
pub fn schema(name: &str) -> Option<Value> {
    let schema = match name {
        "user_activity" => user_activity(),
        "sleep" => activity::<SleepWire<'_>>(name),
        "meal" => activity::<MealWire<'_>>(name),
        "light_exposure" => activity::<LightWire<'_>>(name),
        "nap_skipped" => activity::<NapSkippedWire<'_>>(name),
        "adherence" => activity::<AdherenceWire<'_>>(name),
        "phase_measurement" => activity::<PhaseMeasurementWire<'_>>(name),
        "profile" => activity::<ProfileWire<'_>>(name),
        "trip" => activity::<TripWire<'_>>(name),
        "erase" => activity::<EraseWire<'_>>(name),
        "flight_update" => activity::<FlightUpdateWire<'_>>(name),
        "tick" => activity::<TickWire<'_>>(name),
        "watch" => activity::<WatchWire<'_>>(name),
        "flight_status" => titled::<StatusWire<'_>>(name, Direction::Read),
        "recommendation" => titled::<Recommendation>(name, Direction::Written),
        "estimate" => titled::<Estimate>(name, Direction::Written),
        "dead_letter" => titled::<DeadLetter>(name, Direction::Written),
        _ => return None,
    };
    Some(schema)
}

/// Whether we read the records or write them: what may be absent differs.
#[derive(Clone, Copy)]
enum Direction {
    Read,
    Written,
}

fn titled<T: JsonSchema>(name: &str, direction: Direction) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = match direction {
        Direction::Read => settings.for_deserialize(),
        Direction::Written => settings.for_serialize(),
    };
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), name.into());
    schema.to_value()
}

/// The schema of an activity says which one it is.
fn activity<T: JsonSchema>(name: &str) -> Value {
    let mut schema = titled::<T>(name, Direction::Read);
    schema["properties"]["activity"]["const"] = name.into();
    schema
}

/// Everything that producers may send to `user_activity`. The activity tells which schema applies.
fn user_activity() -> Value {
    let alternatives: Vec<Value> = Activity::PUBLIC
        .iter()
        .filter_map(|name| schema(name))
        .map(|mut alternative| {
            if let Some(object) = alternative.as_object_mut() {
                object.shift_remove("$schema");
            }
            alternative
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "user_activity",
        "description": "What people do and plan, one activity a record. The record key is the household.",
        "oneOf": alternatives,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_schema_and_every_activity_a_name() {
        for name in NAMES {
            let schema = schema(name).expect("a schema");
            assert_eq!(schema["title"], *name);
            assert!(schema["description"].as_str().is_some_and(|text| text.len() > 20), "{name} has no description");
            assert!(schema["$schema"].is_string(), "{name}");
        }
        assert!(Activity::NAMES.iter().all(|name| NAMES.contains(name)));
        assert_eq!(schema("nothing"), None);
    }

    #[test]
    fn every_field_is_described() {
        fn check(path: &str, schema: &Value) {
            let properties = schema["properties"].as_object();
            for (name, property) in properties.into_iter().flatten() {
                let path = format!("{path}.{name}");
                let described = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(described, "{path} has no description");
                check(&path, property);
                check(&path, &property["items"]);
            }
            for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
                check(name, definition);
            }
        }
        for name in NAMES {
            check(name, &schema(name).expect("a schema"));
        }
    }

    #[test]
    fn schemas_have_no_loose_references() {
        let text = schema("user_activity").expect("a schema").to_string();
        assert!(!text.contains("$ref"), "alternatives must be self-contained");
    }
}
