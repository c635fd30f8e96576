use proptest::prelude::*;

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

const PROFILE: &str = r#""activity":"profile","birth_month":"2025-04","home_time_zone":"Europe/London","sleep":{"bedtime":"19:30","wake":"07:00"}"#;

#[test]
fn a_profile_is_read_with_its_defaults() {
    let Ok(Activity::Profile(profile)) = event(PROFILE) else { panic!("{:?}", event(PROFILE)) };
    let plain = Profile {
        display_name: None,
        age: Age::Born { year: 2025, month: 4 },
        home_time_zone: chrono_tz::Europe::London,
        bedtime: 19 * 60 + 30,
        wake: 420,
        naps: None,
        chronotype: Chronotype::Neither,
        caregiver: false,
        melatonin: false,
        caffeine: false,
        weeks_premature: 0,
    };
    assert_eq!(*profile, plain);
    let full = format!(
        r#"{PROFILE},"display_name":"  Mía ","age_band":"adult","naps":[{{"start":"14:00","minutes":60}},
        {{"start":"09:30","minutes":75}}],"chronotype":"evening","caregiver":true,"options":{{"caffeine":true}},
        "weeks_premature":3"#
    );
    let Ok(Activity::Profile(profile)) = event(&full) else { panic!("{:?}", event(&full)) };
    let naps = Some(vec![UsualNap { start: 570, minutes: 75 }, UsualNap { start: 840, minutes: 60 }]);
    let display_name = Some("Mía".into());
    let chronotype = Chronotype::Late;
    assert_eq!(
        *profile,
        Profile { display_name, naps, chronotype, caregiver: true, caffeine: true, weeks_premature: 3, ..plain }
    );
}

#[test]
fn profiles_that_make_no_sense_are_refused() {
    for (from, to, code) in [
        (r#""birth_month":"2025-04","#, "", Code::MissingField),
        ("2025-04", "2026-04", Code::BadField),
        ("2025-04", "1899-12", Code::BadField),
        ("2025-04", "2025-4", Code::BadField),
        (r#""birth_month":"2025-04""#, r#""age_band":"teen""#, Code::BadField),
        ("Europe/London", "Mars/Olympus", Code::UnknownZone),
        (r#""home_time_zone":"Europe/London","#, "", Code::MissingField),
        ("19:30", "7:30", Code::BadField),
        ("19:30", "07:00", Code::BadInterval),
        (r#""bedtime":"19:30","#, "", Code::MissingField),
        (r#"{"bedtime":"19:30","wake":"07:00"}"#, r#"["19:30","07:00"]"#, Code::BadField),
        (r#""activity""#, r#""display_name":"a name of 25 characters..","activity""#, Code::BadField),
        (r#""activity""#, r#""display_name":"a\tb","activity""#, Code::BadField),
        (r#""activity""#, r#""weeks_premature":21,"activity""#, Code::BadField),
        (r#""activity""#, r#""caregiver":"yes","activity""#, Code::BadField),
        (r#""activity""#, r#""naps":[{"start":"09:00"}],"activity""#, Code::MissingField),
        (r#""activity""#, r#""naps":[{"start":"09:00","minutes":361}],"activity""#, Code::BadField),
        (r#""activity""#, r#""naps":[["09:00",60]],"activity""#, Code::BadField),
        (r#""activity""#, r#""options":{"melatonin":1},"activity""#, Code::BadField),
        (r#""activity""#, r#""time_zone":"Nowhere","activity""#, Code::UnknownZone),
        (r#""activity""#, r#""timestamp":"soon","activity""#, Code::BadField),
    ] {
        let fields = PROFILE.replacen(from, to, 1);
        assert_ne!(fields, PROFILE);
        assert_eq!(event_code(&fields), code, "{fields}");
    }
    assert!(event(&PROFILE.replace("2025-04", "2026-03")).is_ok(), "born this month");
}

const LEG: &str = r#"{"flight":"kl 0641","origin":"AMS","destination":"JFK","departs":"2026-12-03T23:30:00Z","arrives":"2026-12-04T08:00:00Z"}"#;

fn trip_of(more: &str, legs: &str) -> Result<Trip, Rejection> {
    match event(&format!(r#""activity":"trip","trip_id":"t1","revision":2,{more}"legs":[{legs}]"#))? {
        Activity::Trip(trip) => Ok(*trip),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trip_gets_flight_keys_and_travellers() {
    let later = LEG.replace("12-03T", "12-20T").replace("12-04T", "12-21T").replace("kl 0641", "KL642");
    let trip = trip_of(r#""travellers":["zoe","ana",7,"ana"],"#, &format!("{later},{LEG}")).expect("a trip");
    assert_eq!(trip.travellers.iter().map(|id| &**id).collect::<Vec<_>>(), ["7", "ana", "zoe"]);
    assert_eq!(trip.legs[0].flight_key.as_str(), "KL641|2026-12-04|AMS");
    assert_eq!(&*trip.legs[0].flight, "KL641");
    assert_eq!(trip.legs[1].flight_key.as_str(), "KL642|2026-12-21|AMS");
    assert_eq!(&*trip_of("", "").expect("called off").travellers[0], "mia");
    let keyed = LEG.replace(r#"{"flight""#, r#"{"flight_key":"DL9422|2026-12-04|AMS","flight""#);
    assert_eq!(trip_of("", &keyed).expect("a trip").legs[0].flight_key.as_str(), "DL9422|2026-12-04|AMS");
}

#[test]
fn trips_that_cannot_be_flown_are_refused() {
    let refused = |legs: &str| trip_of("", legs).expect_err(legs);
    for (from, to, code) in [
        ("\"AMS\"", "\"QQQ\"", Code::UnknownAirport),
        ("\"JFK\"", "\"New York\"", Code::BadField),
        ("kl 0641", "KLM", Code::BadField),
        ("2026-12-04T08:00:00Z", "2026-12-03T23:30:00Z", Code::BadInterval),
        (r#""destination":"JFK","#, "", Code::MissingField),
        (r#"{"flight""#, r#"{"flight_key":"KL0641|2026-12-04|AMS","flight""#, Code::BadField),
        (r#"{"flight""#, r#"{"flight_key":"KL641|2026-12-04|LHR","flight""#, Code::BadField),
    ] {
        let rejection = refused(&LEG.replace(from, to));
        assert_eq!(rejection.code, code, "{rejection}");
        assert!(rejection.message.starts_with("in `legs[0]`: `"), "{rejection}");
    }
    assert_eq!(refused(&format!("{LEG},{LEG}")).code, Code::BadInterval);
    assert_eq!(refused("7").code, Code::BadField);
    assert_eq!(refused(&[LEG; 33].join(",")).code, Code::BadField);
    assert_eq!(trip_of(r#""travellers":"all","#, LEG).expect_err("travellers").code, Code::BadField);
    assert_eq!(trip_of(r#""travellers":[null],"#, LEG).expect_err("travellers").code, Code::BadField);
    let trip = r#""activity":"trip","legs":[],"trip_id":"t""#;
    assert_eq!(event_code(trip), Code::MissingField);
    assert_eq!(event_code(&format!(r#"{trip},"revision":-1"#)), Code::BadField);
    assert_eq!(event_code(&format!(r#"{trip},"revision":4294967296"#)), Code::BadField);
    assert!(event(&format!(r#"{trip},"revision":4294967295"#)).is_ok());
}

fn flight(key: Option<&str>, value: &str) -> Result<(Option<String>, FlightEvent), Rejection> {
    flight_status(&record(key, value.as_bytes())).map(|decoded| (decoded.key.map(Cow::into_owned), decoded.event))
}

const STATUS: &str = r#"{"flight_key":"KL641|2026-03-01|AMS","state":"delayed","observed_at":"2026-03-01T11:59:00Z","times":{"out":{"scheduled":"2026-03-01T14:00:00Z","estimated":"2026-03-01T17:00:00+01:00","actual":null},"in":null}}"#;

#[test]
fn a_flight_status_is_read_by_its_key() {
    let key = Some("KL641|2026-03-01|AMS");
    let Ok((Some(read_key), FlightEvent::Status(status))) = flight(key, STATUS) else { panic!("no status") };
    assert_eq!(Some(read_key.as_str()), key);
    assert_eq!(status.state, FlightState::Delayed);
    assert_eq!(status.times.out.estimated, Some(UtcMillis(NOON.0 + 4 * 3_600_000)));
    assert_eq!(status.times.out.actual, None);
    assert_eq!(status.origin.map(|airport| airport.to_string()).as_deref(), Some("AMS"));
    assert_eq!(flight(None, STATUS).expect("derived").0.as_deref(), key);
    assert_eq!(flight(Some("KL642|2026-03-01|AMS"), STATUS).expect_err("mismatch").code, Code::KeyMismatch);
    let parts = STATUS.replace(r#""flight_key":"KL641|2026-03-01|AMS""#, r#""flight":"KL 0641","origin":"AMS""#);
    assert_eq!(flight(None, &parts).expect("derived").0.as_deref(), key);
    let nameless = parts.replace(r#""origin":"AMS","#, "");
    assert_eq!(flight(key, &nameless).expect_err("no key").code, Code::MissingField);
    assert_eq!(flight(None, &nameless).expect_err("no key").code, Code::NoKey);
}

#[test]
fn a_flight_status_that_cannot_be_is_refused() {
    for (from, to, code) in [
        ("|AMS", "|QQQ", Code::UnknownAirport),
        ("KL641", "KL0641", Code::BadField),
        (r#""state":"delayed","#, "", Code::MissingField),
        (r#""state":"delayed""#, r#""state":7"#, Code::BadField),
        (r#""observed_at":"2026-03-01T11:59:00Z","#, "", Code::MissingField),
        ("11:59:00Z", "12:05:01Z", Code::InFuture),
        (r#""actual":null"#, r#""actual":"2026-03-01T12:05:01Z""#, Code::InFuture),
        (r#""actual":null"#, r#""actual":"now""#, Code::BadField),
        (r#""in":null"#, r#""in":7"#, Code::BadField),
        (r#""times":{"#, r#""times":[{"#, Code::NotJson),
        (r#""state""#, r#""diverted_to":"QQQ","state""#, Code::UnknownAirport),
        (r#""state""#, r#""origin":"LHR","state""#, Code::BadField),
        (r#""state""#, r#""activity":"sleep","state""#, Code::UnknownActivity),
    ] {
        let value = STATUS.replacen(from, to, 1);
        assert_eq!(flight(None, &value).expect_err(&value).code, code, "{value}");
    }
    let odd = STATUS.replace("delayed", "boarding").replace(r#""state""#, r#""cancellation":"rumoured","state""#);
    let Ok((_, FlightEvent::Status(status))) = flight(None, &odd) else { panic!("no status") };
    assert_eq!((status.state, status.cancellation), (FlightState::Unknown, None));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), key in proptest::option::of(".{0,9}")) {
        let record = record(key.as_deref(), &bytes);
        let _ = (activity(&record), flight_status(&record));
    }

    #[test]
    fn no_json_panics(
        name in proptest::sample::select(Activity::NAMES.to_vec()),
        fields in proptest::collection::vec(
            (
                "timestamp|start|end|lux|minutes|samples|interval_s|kind|at|sd_minutes|marker|naps|sleep|legs|times|flight|flight_key|state|observed_at|revision|trip_id|travellers|birth_month|display_name|household_id|options",
                r#"null|true|-?[0-9]{1,20}(\.[0-9]{1,9})?(e[0-9]{1,3})?|"[ -!#-\[\]-~é]{0,30}"|\[\]|\{\}|\[[0-9]{1,3}\]|\["a",1\]|"[0-9]{2}:[0-9]{2}"|"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}Z""#,
            ),
            0..8,
        ),
    ) {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        let value = format!(r#"{{"user_id":"a","activity":"{name}",{}}}"#, fields.join(","));
        let value = value.replace(",}", "}");
        let record = record(Some("h"), value.as_bytes());
        let _ = (activity(&record), flight_status(&record));
    }
}
