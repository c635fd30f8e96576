//! The contract by its examples: what tests/data/contract shows is what the program reads, writes and refuses.
#![allow(clippy::expect_used, reason = "a test that cannot read its examples should fail there")]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;
use zoner::engine::{Position, Record, Topic};
use zoner::event::activity::Activity;
use zoner::event::decode;
use zoner::event::recommendation::{Estimate, Recommendation};
use zoner::event::rejection::{Code, Rejection};
use zoner::event::schema;
use zoner::units::UtcMillis;

/// 2026-12-04T12:00:00Z: when the examples arrive.
const ARRIVAL: UtcMillis = UtcMillis(1_796_385_600_000);
const FLIGHT_KEY: &str = "KL641|2026-12-04|AMS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/contract")
}

/// Names without `.json`, and contents, sorted.
fn examples(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder of examples").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file());
    let mut examples: Vec<(String, Vec<u8>)> = files
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            (name.strip_suffix(".json").expect(name).to_owned(), fs::read(&path).expect(name))
        })
        .collect();
    examples.sort();
    examples
}

fn validator(name: &str) -> Validator {
    let schema = schema::schema(name).unwrap_or_else(|| panic!("no schema {name}"));
    jsonschema::options().should_validate_formats(true).build(&schema).expect(name)
}

/// The schema that an example's name begins with.
fn kind(example: &str) -> &str {
    example.split('.').next().unwrap_or(example)
}

fn is_flight_status(name: &str) -> bool {
    matches!(kind(name), "flight_status" | "watch")
}

/// The metric label of the record, if it can be used.
fn read(topic: Topic, key: Option<&str>, value: &[u8]) -> Result<&'static str, Rejection> {
    let position = Position { topic, partition: 0, offset: 0 };
    let key = key.map(str::as_bytes);
    let record = Record { position, stamp: ARRIVAL, key, value: Some(value), origin: None };
    match topic {
        Topic::UserActivity => decode::activity(&record).map(|decoded| decoded.name),
        Topic::FlightStatus => decode::flight_status(&record).map(|decoded| decoded.name),
    }
}

#[test]
fn every_kind_of_record_has_an_example() {
    let examples = examples(&folder());
    for name in schema::NAMES.iter().filter(|name| **name != "user_activity") {
        assert!(examples.iter().any(|(example, _)| kind(example) == *name), "no example of {name}");
    }
}

#[test]
fn examples_validate_against_their_schemas() {
    let any_activity = validator("user_activity");
    for (name, bytes) in examples(&folder()) {
        let value: Value = serde_json::from_slice(&bytes).expect(&name);
        let errors: Vec<String> = validator(kind(&name)).iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let public = Activity::PUBLIC.contains(&kind(&name));
        assert_eq!(any_activity.is_valid(&value), public, "{name} as a user_activity");
    }
}

#[test]
fn examples_of_input_are_read() {
    for (name, bytes) in examples(&folder()) {
        let kind = kind(&name);
        let is_input = is_flight_status(&name) || Activity::NAMES.contains(&kind);
        if !is_input {
            continue;
        }
        let (topic, key) =
            if is_flight_status(&name) { (Topic::FlightStatus, FLIGHT_KEY) } else { (Topic::UserActivity, "h1") };
        // First producers: no household, so their own id is the key.
        let key = if name.ends_with("first_producers") { "123" } else { key };
        for key in [Some(key), None] {
            assert_eq!(read(topic, key, &bytes).map_err(|rejection| rejection.to_string()), Ok(kind), "{name}");
        }
    }
}

#[test]
fn examples_of_output_are_what_the_types_write() {
    for (name, bytes) in examples(&folder()) {
        let value: Value = serde_json::from_slice(&bytes).expect(&name);
        let written = match kind(&name) {
            "recommendation" => serde_json::from_slice::<Recommendation>(&bytes).map(serde_json::to_value),
            "estimate" => serde_json::from_slice::<Estimate>(&bytes).map(serde_json::to_value),
            _ => continue,
        };
        assert_eq!(written.expect(&name).expect(&name), value, "{name}");
    }
}

#[test]
fn bad_examples_get_the_code_that_they_are_named_after() {
    let mut seen = Vec::new();
    for (name, bytes) in examples(&folder().join("bad")) {
        let (topic, key) = if name.contains("flight_status") {
            (Topic::FlightStatus, FLIGHT_KEY)
        } else {
            (Topic::UserActivity, "h1")
        };
        // Only a mismatch needs a key that is not the record's own; a flight's key is in its payload.
        let key = match (kind(&name), topic) {
            ("no_key", _) => None,
            ("key_mismatch" | "missing_field", _) | (_, Topic::UserActivity) => Some(key),
            (_, Topic::FlightStatus) => None,
        };
        let rejection = read(topic, key, &bytes).expect_err(&name);
        assert_eq!(rejection.code.as_str(), kind(&name), "{name}: {rejection}");
        assert!(rejection.message.len() > 10 && !rejection.message.ends_with('.'), "{name}: {rejection}");
        seen.push(rejection.code);
    }
    // Too large for a file; the last two say something of a partition and of a state, not of a record.
    let elsewhere = [Code::TooLarge, Code::Misplaced, Code::BadState];
    for code in Code::ALL.into_iter().filter(|code| !elsewhere.contains(code)) {
        assert!(seen.contains(&code), "no example of {code}");
    }
}

#[test]
fn schemas_refuse_what_a_schema_can_see() {
    // What needs a table, a comparison, a clock or the record key passes.
    let beyond_schemas = |name: &str| {
        let kind = kind(name);
        matches!(kind, "unknown_zone" | "unknown_airport" | "bad_interval" | "in_future" | "key_mismatch")
            || name == "bad_field.birth_month"
    };
    for (name, bytes) in examples(&folder().join("bad")) {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let schema = if name.contains("flight_status") { "flight_status" } else { "user_activity" };
        assert_eq!(validator(schema).is_valid(&value), beyond_schemas(&name), "{name}");
    }
}

#[test]
fn messages_do_not_quote_personal_values() {
    let value = r#"{"user_id":"secret-person","household_id":"secret-home","activity":"ACTIVITY","timestamp":"secret-time","display_name":"secret name that is much too long","home_time_zone":"secret/zone","sleep":{"bedtime":"secret","wake":"secret"},"birth_month":"secret","naps":"secret","trip_id":"","revision":"secret","legs":["secret"],"outcome":"secret","action_id":"secret","marker":"secret","at":"secret","lux":"secret","reason":["secret"]}"#;
    for name in Activity::PUBLIC.iter().copied().chain(["secret"]) {
        for key in [Some("h1"), Some("secret-home"), None] {
            let value = value.replace("ACTIVITY", name);
            if let Err(rejection) = read(Topic::UserActivity, key, value.as_bytes()) {
                assert!(!rejection.message.contains("secret"), "{name}: {rejection}");
            }
        }
    }
}
