mod flat;
mod fuzz;
mod plans;

use super::*;
use crate::engine::Topic;
use crate::engine::record::{Origin, Position};
use crate::event::activity::*;
use crate::event::flight::{FlightEvent, FlightState};
use crate::event::rejection::{Code, Stage};
use crate::units::{Lux, UtcMillis};

/// 2026-03-01T12:00:00Z.
const NOON: UtcMillis = UtcMillis(1_772_366_400_000);

fn record<'a>(key: Option<&'a str>, value: &'a [u8]) -> Record<'a> {
    let position = Position { topic: Topic::UserActivity, partition: 0, offset: 0 };
    Record { position, stamp: NOON, key: key.map(str::as_bytes), value: Some(value), origin: None }
}

fn read(value: &str) -> Result<ActivityEvent<'_>, Rejection> {
    activity(&record(Some("h1"), value.as_bytes())).map(|decoded| decoded.event)
}

fn refused(value: &str) -> (Code, String) {
    let rejection = read(value).expect_err(value);
    assert!(rejection.message.len() > 10, "{rejection}");
    assert!(!rejection.message.ends_with('.') && !rejection.message.starts_with(char::is_uppercase), "{rejection}");
    (rejection.code, rejection.message)
}

fn code(value: &str) -> Code {
    refused(value).0
}

fn event(fields: &str) -> Result<Activity, Rejection> {
    let value = format!(r#"{{"user_id":"mia",{fields}}}"#);
    read(&value).map(|event| event.activity)
}

fn event_code(fields: &str) -> Code {
    event(fields).expect_err(fields).code
}

#[test]
fn the_first_producers_form_is_read_unchanged() {
    for (name, activity) in [
        ("sleep", Activity::Sleep(Sleep::SeenAsleep { at: UtcMillis(1_731_000_000_500) })),
        (
            "meal",
            Activity::Meal(Meal {
                start: UtcMillis(1_731_000_000_500),
                end: UtcMillis(1_731_000_000_500),
                kind: MealKind::Unknown,
            }),
        ),
        (
            "light_exposure",
            Activity::Light(LightExposure {
                start: UtcMillis(1_731_000_000_500),
                end: UtcMillis(1_731_000_000_500),
                level: LightLevel::Usual,
            }),
        ),
    ] {
        let value = format!(r#"{{"user_id": 123, "activity": "{name}", "timestamp": 1731000000.5}}"#);
        let decoded = super::activity(&record(Some("123"), value.as_bytes())).expect("an event");
        assert_eq!(decoded.key.as_deref(), Some("123"));
        assert_eq!((decoded.internal, decoded.name), (false, name));
        assert_eq!((&*decoded.event.household_id, &*decoded.event.user_id), ("123", "123"));
        assert_eq!(decoded.event.activity, activity);
    }
}

#[test]
fn a_record_without_a_usable_value_is_refused_before_it_is_parsed() {
    let with = |value: &[u8]| activity(&record(Some("h1"), value)).expect_err("refused").code;
    assert_eq!(with(b""), Code::NotJson);
    assert_eq!(with(b"  "), Code::NotJson);
    assert_eq!(with(b"[]"), Code::NotJson);
    assert_eq!(with(b"17"), Code::NotJson);
    assert_eq!(with(b"{oops"), Code::NotJson);
    assert_eq!(with(br#"{"activity":"tick"} x"#), Code::NotJson);
    assert_eq!(with(b"{\"a\":\"\xff\"}"), Code::NotUtf8);
    assert_eq!(with(&vec![b' '; MAX_VALUE_BYTES + 1]), Code::TooLarge);
    let full = format!(r#"{{"activity":"tick","source":"{}"}}"#, "x".repeat(MAX_VALUE_BYTES - 32));
    assert!(full.len() <= MAX_VALUE_BYTES && activity(&record(None, full.as_bytes())).is_ok());
    let tombstone = Record { value: None, ..record(Some("h1"), b"") };
    assert_eq!(activity(&tombstone).expect_err("refused").code, Code::NotJson);
}

#[test]
fn the_activity_is_found_wherever_it_stands() {
    for value in [
        r#"{"activity":"meal","user_id":"a","timestamp":1731000000}"#,
        r#"{"user_id":"a","timestamp":1731000000,"activity":"meal"}"#,
        r#"{"note":"\"activity\": \"sleep\"","user_id":"a","timestamp":1731000000,"activity":"meal"}"#,
        r#"{"x":{"activity":"sleep"},"user_id":"a","timestamp":1731000000,"activity":"meal"}"#,
        r#"{"x":["activity","sleep"],"user_id":"a","timestamp":1731000000,"activity":"meal"}"#,
        r#"{"user_id":"a","timestamp":1731000000,"\u0061ctivity":"me\u0061l"}"#,
    ] {
        assert!(matches!(read(value).expect(value).activity, Activity::Meal(_)), "{value}");
    }
    assert_eq!(code(r#"{"user_id":"a","timestamp":1731000000,"x":{"activity":"meal"}}"#), Code::MissingField);
    assert_eq!(code(r#"{"user_id":"a","activity":null}"#), Code::MissingField);
    assert_eq!(code(r#"{"user_id":"a","activity":7}"#), Code::BadField);
    let (code, message) = refused(r#"{"user_id":"a","activity":"dance"}"#);
    assert_eq!(code, Code::UnknownActivity);
    assert!(message.contains("light_exposure") && !message.contains("dance") && !message.contains("tick"), "{message}");
}

#[test]
fn what_json_allows_and_we_cannot_hold_is_a_bad_field() {
    let (code, message) = refused(r#"{"user_id":"a","user_id":"b","activity":"erase"}"#);
    assert_eq!((code, message.as_str()), (Code::BadField, "`user_id` must be given once"));
    assert_eq!(refused(r#"{"user_id":"a","activity":"meal","timestamp":1e999}"#).0, Code::BadField);
    assert_eq!(refused(r#"{"user_id":"\ud800","activity":"erase"}"#).0, Code::BadField);
}

#[test]
fn the_record_key_is_the_authority_for_the_household() {
    let value = r#"{"user_id":7,"household_id":12,"activity":"erase"}"#;
    let with = |key: Option<&'static str>| activity(&record(key, value.as_bytes())).map(|decoded| decoded.key);
    assert_eq!(with(Some("12")).expect("its key").as_deref(), Some("12"));
    assert_eq!(with(None).expect("derived").as_deref(), Some("12"));
    assert_eq!(with(Some("")).expect("derived").as_deref(), Some("12"));
    assert_eq!(with(Some("13")).expect_err("mismatch").code, Code::KeyMismatch);
    assert_eq!(with(Some("a\nb")).expect_err("control character").code, Code::BadField);
    let alone = br#"{"user_id":7,"activity":"erase"}"#;
    assert_eq!(activity(&record(None, alone)).expect("derived").key.as_deref(), Some("7"));
    let nobody = br#"{"activity":"erase"}"#;
    assert_eq!(activity(&record(None, nobody)).expect_err("nobody").code, Code::NoKey);
    assert_eq!(activity(&record(Some("h1"), nobody)).expect_err("nobody").code, Code::MissingField);
    let binary = Record { key: Some(&[0xff]), ..record(None, alone) };
    assert_eq!(activity(&binary).expect_err("binary key").code, Code::NotUtf8);
}

#[test]
fn ids_are_texts_or_integers_within_bounds() {
    let user = |id: &str| {
        let value = format!(r#"{{"user_id":{id},"activity":"erase"}}"#);
        read(&value).map(|event| event.user_id.into_owned())
    };
    assert_eq!(user("18446744073709551615").as_deref(), Ok("18446744073709551615"));
    assert_eq!(user("-5").as_deref(), Ok("-5"));
    assert_eq!(user("7.0").as_deref(), Ok("7"));
    assert_eq!(user(r#""m\u00eda \"x\"""#).as_deref(), Ok("mía \"x\""));
    for bad in ["\"\"", "1.5", "true", "[]", "1e20", "\"a\\u0000\"", &format!("\"{}\"", "x".repeat(129))] {
        assert_eq!(user(bad).expect_err(bad).code, Code::BadField);
    }
}

#[test]
fn sleeps_are_intervals_in_progress_or_seen() {
    let start = UtcMillis(NOON.0 - 36_000_000);
    let sleep = |end, kind, deleted| Ok(Activity::Sleep(Sleep::Interval { start, end, kind, deleted }));
    let end = Some(UtcMillis(NOON.0 - 3_600_000));
    assert_eq!(event(r#""activity":"sleep","start":"2026-03-01T02:00:00Z""#), sleep(None, None, false));
    let closed = r#""activity":"sleep","start":"2026-03-01T02:00:00Z","end":"2026-03-01T11:00:00Z""#;
    assert_eq!(event(closed), sleep(end, None, false));
    assert_eq!(event(&format!(r#"{closed},"kind":"night","deleted":true"#)), sleep(end, Some(SleepKind::Night), true));
    assert_eq!(event(&format!(r#"{closed},"kind":"siesta","place":7"#)), sleep(end, None, false));
    assert_eq!(event_code(&format!(r#"{closed},"kind":7"#)), Code::BadField);
    assert_eq!(event_code(r#""activity":"sleep""#), Code::MissingField);
    assert_eq!(event_code(r#""activity":"sleep","timestamp":1772366400,"end":1772366400"#), Code::MissingField);
    assert_eq!(event_code(r#""activity":"sleep","start":1772366400,"end":1772366400"#), Code::BadInterval);
    assert_eq!(event_code(r#""activity":"sleep","start":1772279999,"end":1772366400"#), Code::BadInterval);
    assert!(event(r#""activity":"sleep","start":1772280000,"end":1772366400"#).is_ok());
}

#[test]
fn observations_are_not_ahead_of_their_record() {
    let at = |seconds: i64| NOON.0 / 1_000 + seconds;
    for (fields, name) in [
        (r#""activity":"meal","timestamp":T"#, "`timestamp`"),
        (r#""activity":"sleep","timestamp":T"#, "`timestamp`"),
        (r#""activity":"sleep","start":T"#, "`start`"),
        (r#""activity":"sleep","start":1772360000,"end":T"#, "`end`"),
        (r#""activity":"light_exposure","lux":5,"timestamp":T"#, "`timestamp`"),
        (r#""activity":"nap_skipped","timestamp":T"#, "`timestamp`"),
        (r#""activity":"adherence","action_id":"a","outcome":"done","timestamp":T"#, "`timestamp`"),
        (r#""activity":"adherence","action_id":"a","outcome":"done","timestamp":1772366400,"start":T"#, "`start`"),
        (r#""activity":"phase_measurement","marker":"dlmo","sd_minutes":20,"at":T"#, "`at`"),
    ] {
        assert!(event(&fields.replace('T', &at(300).to_string())).is_ok(), "{fields}");
        let rejection = event(&fields.replace('T', &at(301).to_string())).expect_err(fields);
        assert_eq!((rejection.code, rejection.stage), (Code::InFuture, Stage::Validate), "{fields}");
        assert!(rejection.message.starts_with(name), "{rejection}");
    }
    let value = format!(r#"{{"user_id":"a","activity":"meal","timestamp":{}}}"#, at(301));
    let origin = Some(Origin { partition: 0, offset: 0, stamp: NOON });
    let forwarded = Record { stamp: UtcMillis(NOON.0 + 60_000), origin, ..record(Some("h"), value.as_bytes()) };
    assert_eq!(activity(&forwarded).expect_err("judged by the original").code, Code::InFuture);
}

#[test]
fn light_is_measured_or_described() {
    let light = |fields: &str| match event(&format!(r#""activity":"light_exposure",{fields}"#)) {
        Ok(Activity::Light(light)) => Ok((light.end - light.start, light.level)),
        Ok(other) => panic!("{other:?}"),
        Err(rejection) => Err(rejection.code),
    };
    let at = r#""timestamp":"2026-03-01T11:00:00Z""#;
    let from = r#""start":"2026-03-01T11:00:00Z""#;
    let none = Span::ZERO;
    assert_eq!(light(&format!(r#"{at},"lux":250"#)), Ok((none, LightLevel::Lux(Lux(250.0)))));
    assert_eq!(light(&format!(r#"{at},"lux":0.5,"minutes":10"#)), Ok((Span::minutes(10), LightLevel::Lux(Lux(0.5)))));
    assert_eq!(
        light(&format!(r#"{from},"end":"2026-03-01T11:30:00Z","melanopic_edi_lx":90,"lux":100,"context":"indoor""#)),
        Ok((Span::minutes(30), LightLevel::MelanopicEdi(Lux(90.0), LightContext::Indoor)))
    );
    assert_eq!(
        light(&format!(r#"{at},"context":"aircraft""#)),
        Ok((none, LightLevel::Context(LightContext::Aircraft)))
    );
    assert_eq!(light(&format!(r#"{at},"context":"submarine""#)), Ok((none, LightLevel::Usual)));
    assert_eq!(
        light(&format!(r#"{from},"interval_s":600,"samples":[1,2.5,200000]"#)),
        Ok((Span::minutes(30), LightLevel::Samples { interval: Span::minutes(10), lux: vec![1.0, 2.5, 200_000.0] }))
    );
    for bad in ["-5", "-0.001", "200001", "\"5\"", "true", "[5]"] {
        assert_eq!(light(&format!(r#"{at},"lux":{bad}"#)), Err(Code::BadField), "{bad}");
        assert_eq!(light(&format!(r#"{from},"interval_s":60,"samples":[{bad}]"#)), Err(Code::BadField), "{bad}");
    }
    assert_eq!(light(&format!(r#"{from},"interval_s":60,"samples":[]"#)), Err(Code::BadField));
    assert_eq!(light(&format!(r#"{from},"interval_s":0,"samples":[1]"#)), Err(Code::BadField));
    assert_eq!(light(&format!(r#"{from},"interval_s":1.5,"samples":[1]"#)), Err(Code::BadField));
    assert_eq!(light(&format!(r#"{from},"samples":[1]"#)), Err(Code::MissingField));
    assert_eq!(light(&format!(r#"{at},"interval_s":60,"samples":[1]"#)), Err(Code::MissingField));
    assert_eq!(light(&format!(r#"{from},"interval_s":600,"samples":[{}1]"#, "1,".repeat(8))), Err(Code::InFuture));
    assert_eq!(light(&format!(r#"{from},"interval_s":3600,"samples":[{}1]"#, "1,".repeat(24))), Err(Code::BadInterval));
    assert_eq!(light(&format!(r#"{from},"interval_s":1,"samples":[{}1]"#, "1,".repeat(1440))), Err(Code::BadField));
    assert_eq!(light(&format!(r#"{at},"minutes":0,"lux":1"#)), Err(Code::BadInterval));
    assert_eq!(light(r#""lux":5"#), Err(Code::MissingField));
}

#[test]
fn meals_and_reports_are_read() {
    let meal = r#""activity":"meal","start":"2026-03-01T05:00:00Z","end":"END","kind":"bottle""#;
    assert!(event(&meal.replace("END", "2026-03-01T11:00:00Z")).is_ok());
    assert_eq!(event_code(&meal.replace("END", "2026-03-01T11:00:01Z")), Code::BadInterval);
    assert_eq!(
        event(r#""activity":"nap_skipped","timestamp":1772366400,"reason":"would not settle""#),
        Ok(Activity::NapSkipped(NapSkipped { at: NOON, reason: Some("would not settle".to_owned()) }))
    );
    assert_eq!(event_code(r#""activity":"nap_skipped","start":1772366400"#), Code::MissingField);
    let adherence = r#""activity":"adherence","action_id":"x","timestamp":1772366400"#;
    assert!(event(&format!(r#"{adherence},"outcome":"modified","start":1772360000,"end":1772361000"#)).is_ok());
    assert_eq!(event_code(&format!(r#"{adherence},"outcome":"perhaps""#)), Code::BadField);
    assert_eq!(event_code(adherence), Code::MissingField);
    let backwards = format!(r#"{adherence},"outcome":"done","start":1772360000,"end":1772360000"#);
    assert_eq!(event_code(&backwards), Code::BadInterval);
    assert_eq!(
        event(r#""activity":"phase_measurement","marker":"cbtmin","at":1772366400,"sd_minutes":22.5"#),
        Ok(Activity::PhaseMeasurement(PhaseMeasurement { marker: Marker::Cbtmin, at: NOON, sd: Span::seconds(1_350) }))
    );
    let measured = r#""activity":"phase_measurement","at":1772366400"#;
    assert_eq!(event_code(&format!(r#"{measured},"marker":"cbtmin","sd_minutes":0"#)), Code::BadField);
    assert_eq!(event_code(&format!(r#"{measured},"marker":"cortisol","sd_minutes":9"#)), Code::BadField);
    assert_eq!(event_code(&format!(r#"{measured},"marker":"dlmo""#)), Code::MissingField);
}
