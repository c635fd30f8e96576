//! The quick reader of sensor records beside the one that reads everything.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;

use super::*;
use crate::event::decode::{any_activity, flat};

/// As text: a number comes out with all its bits.
fn by_flat(record: &Record<'_>) -> Option<String> {
    flat::sensor(record).map(|decoded| format!("{decoded:?}"))
}

fn by_any(record: &Record<'_>) -> Option<String> {
    any_activity(record).ok().map(|decoded| format!("{decoded:?}"))
}

#[test]
fn the_forms_that_programs_write_are_read_in_one_pass() {
    for value in [
        r#"{"user_id": 123, "activity": "sleep", "timestamp": 1731000000.5}"#,
        r#"{"user_id":123,"activity":"meal","timestamp":1731000000}"#,
        r#"{"user_id":"123","activity":"light_exposure","timestamp":1731000000.123456}"#,
        r#"{"user_id":"mia","household_id":"123","activity":"light_exposure","timestamp":1731000000,"lux":350,"source":"watch","event_id":"00ff"}"#,
        r#"{"activity":"light_exposure","start":"2026-03-01T11:00:00Z","end":"2026-03-01T11:30:00.25+00:00","user_id":"mia","lux":0.5,"context":"indoor"}"#,
        r#"{"activity":"light_exposure","timestamp":"2026-03-01 11:00:00Z","user_id":"mia","melanopic_edi_lx":120.25,"minutes":15,"time_zone":"Europe/London"}"#,
        r#"{"activity":"meal","start":"2026-03-01T10:00:00Z","end":"2026-03-01T10:20:00Z","user_id":"mia","kind":"bottle","note":"half"}"#,
        "{\n  \"activity\": \"sleep\",\n  \"user_id\": \"mia\",\n  \"start\": 1772300000,\n  \"kind\": \"night\"\n}\n",
    ] {
        let record = record(Some("123"), value.as_bytes());
        assert!(by_flat(&record).is_some(), "{value}");
        assert_eq!(by_flat(&record), by_any(&record), "{value}");
    }
}

#[test]
fn what_is_unusual_is_left_to_the_reader_of_everything() {
    for (value, is_an_event) in [
        (r#"{"user_id":"m\u0069a","activity":"meal","timestamp":1731000000}"#, true),
        (r#"{"user_id":"Zoë","activity":"meal","timestamp":1731000000}"#, true),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1.731e9}"#, true),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1731000000,"kind":null}"#, true),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1731000000,"at":{"lat":-3}}"#, true),
        (r#"{"user_id":"mia","activity":"sleep","start":1731000000,"deleted":true}"#, true),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1731000000,"timestamp":1731000000}"#, false),
        (r#"{"user_id":"mia","activity":"meal","timestamp":01731000000}"#, false),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1731000000,}"#, false),
        (r#"{"user_id":"mia","activity":"meal","timestamp":1731000000} x"#, false),
        (r#"{"user_id":"mia","activity":"meal","end":1731000000}"#, false),
        (r#"{"user_id":"mia","activity":"light_exposure","timestamp":1731000000,"lux":200000.5}"#, false),
        (r#"{"user_id":"mia","household_id":"h2","activity":"meal","timestamp":1731000000}"#, false),
        ("{\"user_id\":\"mi\ta\",\"activity\":\"meal\",\"timestamp\":1731000000}", false),
        ("{\"user_id\":\"mi\u{7f}\",\"activity\":\"meal\",\"timestamp\":1731000000}", false),
        ("{\"user_id\":\"mia", false),
        ("{}", false),
        ("", false),
    ] {
        let record = record(Some("h1"), value.as_bytes());
        assert_eq!(by_flat(&record), None, "{value}");
        assert_eq!(by_any(&record).is_some(), is_an_event, "{value}");
    }
}

fn named(names: Vec<&'static str>, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let white = || select(vec!["", "", "", " ", "\r\n\t"]);
    (select(names), value, white(), white())
        .prop_map(|(name, value, before, after)| format!("{before}\"{name}\"{after}:{before}{value}{after}"))
}

fn one_of(words: Vec<&'static str>) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// A field as a producer may write it, mostly well.
fn field() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        "1[67][0-6][0-9]{7}",
        r"17[0-6][0-9]{7}\.[0-9]{1,8}",
        r#""20[012][0-5]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|z|[+-][0-2][0-9]:[0-5][0-9])""#,
        // Close to one another, so that intervals come about.
        r#""2026-02-28T1[0-9]:[0-5][0-9]:00Z""#,
    ];
    let number = || {
        prop_oneof![
            6 => r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?",
            1 => r"[1-9][0-9]{12,24}(\.[0-9]{1,4})?",
            1 => r"-?0?[0-9]{1,3}([eE][+-]?[0-9]{1,2})?",
        ]
    };
    let word = one_of(vec![
        r#""nap""#,
        r#""night""#,
        r#""bottle""#,
        r#""outdoor""#,
        r#""dim""#,
        r#""""#,
        r#""his left wrist""#,
    ]);
    let id = one_of(vec![r#""h1""#, r#""mia""#, "17", r#""""#, "0", "1.0"]);
    let zone = one_of(vec![r#""Europe/London""#, r#""europe/london""#, r#""Mars/Olympus""#]);
    let anything = prop_oneof![
        one_of(vec!["null", "true", "[1,2]", r#"{"a":1}"#]),
        r#""[ -!#-\[\]-~]{0,24}""#,
        r#""(\\n|\\u00e9|é|a){0,9}""#,
        number(),
    ];
    let known =
        vec!["timestamp", "lux", "kind", "context", "samples", "deleted", "user_id", "household_id", "activity", "x"];
    prop_oneof![
        3 => named(vec!["timestamp", "start", "start", "end"], time),
        3 => named(vec!["lux", "lux", "melanopic_edi_lx", "minutes", "interval_s", "weight"], number()),
        4 => named(vec!["kind", "context", "source", "place", "event_id", "note"], word),
        1 => named(vec!["time_zone"], zone),
        1 => named(vec!["user_id", "household_id"], id),
        1 => named(known, anything),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let activity = select(vec!["light_exposure", "light_exposure", "meal", "sleep", "nap_skipped", "lunch"]);
    let user = select(vec![r#""user_id":"mia""#, r#""user_id": 123"#, r#""user_id":"mia""#, r#""user":1"#]);
    let time = select(vec![r#""timestamp":1731000000.25"#, r#""timestamp":"2026-02-28T11:00:00Z""#, r#""time":1"#]);
    (activity, user, time, proptest::collection::vec(field(), 0..4), any::<Index>()).prop_map(
        |(activity, user, time, mut fields, place)| {
            fields.insert(place.index(fields.len() + 1), format!(r#""activity":"{activity}""#));
            format!("{{{user},{time},{}}}", fields.join(","))
        },
    )
}

fn key() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, Some(""), Some("h1"), Some("mia"), Some("123"), Some("a\u{7f}"), Some("é")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_come_to_the_same_event(value in value(), key in key()) {
        let record = record(key, value.as_bytes());
        if let Some(event) = by_flat(&record) {
            prop_assert_eq!(Some(event), by_any(&record), "{}", value);
        }
    }

    #[test]
    fn no_damage_to_a_record_parts_the_readers(
        value in value(),
        key in key(),
        damages in proptest::collection::vec((any::<Index>(), any::<u8>(), 0u8..4), 1..4),
    ) {
        let mut bytes = value.into_bytes();
        for (place, byte, kind) in damages {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 if bytes.len() > 1 => drop(bytes.remove(place)),
                _ => bytes[place] = b"\"\\{}[],:0.e- \x1f\x7f\x80"[usize::from(byte) % 16],
            }
        }
        let record = record(key, &bytes);
        if let Some(event) = by_flat(&record) {
            prop_assert_eq!(Some(event), by_any(&record), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn numbers_are_read_with_every_bit(number in r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,14})?") {
        let value = format!(r#"{{"user_id":"mia","activity":"light_exposure","timestamp":1731000000,"lux":{number}}}"#);
        let record = record(Some("h1"), value.as_bytes());
        if let Some(event) = by_flat(&record) {
            prop_assert_eq!(Some(event), by_any(&record), "{}", value);
        }
    }
}

#[test]
fn enough_of_what_is_generated_is_read_by_both() {
    // Otherwise the properties above would say little.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut taken = 0;
    for _ in 0..1_000 {
        let value = value().new_tree(&mut runner).expect("a value").current();
        taken += usize::from(by_flat(&record(Some("h1"), value.as_bytes())).is_some());
    }
    assert!(taken >= 150, "{taken} of 1000");
}
