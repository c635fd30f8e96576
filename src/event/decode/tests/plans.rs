use super::*;
use crate::event::flight::Cancellation;

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
        conditions: Conditions::default(),
    };
    assert_eq!(*profile, plain);
    let full = format!(
        r#"{PROFILE},"display_name":"  Mía ","age_band":"adult","naps":[{{"start":"14:00","minutes":60}},
        {{"start":"09:30","minutes":75}}],"chronotype":"evening","caregiver":true,"options":{{"caffeine":true}},
        "weeks_premature":3,"conditions":["bipolar","epilepsy"]"#
    );
    let Ok(Activity::Profile(profile)) = event(&full) else { panic!("{:?}", event(&full)) };
    let naps = Some(Box::from([UsualNap { start: 570, minutes: 75 }, UsualNap { start: 840, minutes: 60 }]));
    let display_name = Some("Mía".into());
    let chronotype = Chronotype::Late;
    let conditions = Conditions { bipolar: true, epilepsy: true, photosensitive: false };
    assert_eq!(
        *profile,
        Profile {
            display_name,
            naps,
            chronotype,
            caregiver: true,
            caffeine: true,
            weeks_premature: 3,
            conditions,
            ..plain
        }
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
        (r#""activity""#, r#""conditions":["epilepsie"],"activity""#, Code::BadField),
        (r#""activity""#, r#""conditions":["epilepsy",1],"activity""#, Code::BadField),
        (r#""activity""#, r#""conditions":"epilepsy","activity""#, Code::BadField),
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
        ("2026-12-04T08:00:00Z", "2026-12-04T23:30:01Z", Code::BadInterval),
        ("\"JFK\"", "\"AMS\"", Code::BadField),
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
    assert_eq!((status.state, status.cancellation), (FlightState::Unknown, Some(Cancellation::Suspected)));
}
