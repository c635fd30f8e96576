use proptest::prelude::*;

use super::*;
use crate::event::decode;

fn record(line: &str) -> OwnedRecord {
    match parse_line(line.as_bytes(), 7, Some(UtcMillis(5))) {
        Ok(Line::Record(record)) => record,
        other => panic!("{line}: {other:?}"),
    }
}

fn text(bytes: Option<&Vec<u8>>) -> Option<&str> {
    bytes.map(|bytes| std::str::from_utf8(bytes).expect("a text"))
}

#[test]
fn a_line_is_a_record_with_where_it_stood() {
    let line = r#"{"topic":"demo.user_activity","key":"h1","timestamp":"2026-03-01T12:00:00Z","value":{"a": 1.50,"b":"\u0041"}}"#;
    let read = record(line);
    assert_eq!(read.position, Position { topic: Topic::UserActivity, partition: 0, offset: 7 });
    assert_eq!(read.stamp, UtcMillis(1_772_366_400_000));
    assert_eq!(text(read.key.as_ref()), Some("h1"));
    assert_eq!(text(read.value.as_ref()), Some(r#"{"a": 1.50,"b":"\u0041"}"#), "the payload as it is written");

    let line = r#"{"topic":"flight_status","partition":3,"offset":9,"key":null,"timestamp":1772366400001,"value":"{oops","headers":{"a":"b"}}"#;
    let read = record(line);
    assert_eq!(read.position, Position { topic: Topic::FlightStatus, partition: 3, offset: 9 });
    assert_eq!((read.stamp, read.key.as_ref()), (UtcMillis(1_772_366_400_001), None));
    assert_eq!(text(read.value.as_ref()), Some("{oops"), "a text is the payload itself");
    assert_eq!(read.headers, [("a".to_owned(), Some(b"b".to_vec()))]);

    let tombstone = r#"{"topic":"user_activity","key":"h1","timestamp":1772366400000,"value":null}"#;
    assert_eq!(record(tombstone).value, None);
    let array = r#"{"topic":"user_activity","key":"h1","timestamp":1772366400000,"value":[1]}"#;
    assert_eq!(text(record(array).value.as_ref()), Some("[1]"));
}

#[test]
fn a_bare_activity_gets_its_key_and_its_latest_time() {
    let noon = UtcMillis(1_772_366_400_000);
    for (line, key, stamp) in [
        (r#"{"user_id":7,"activity":"meal","timestamp":1772366400}"#, Some("7"), noon),
        (
            r#"{"user_id":"a","household_id":"h","activity":"sleep","start":1772360000,"end":"2026-03-01T12:00:00Z"}"#,
            Some("h"),
            noon,
        ),
        (r#"{"user_id":"a","activity":"sleep","start":1772360000,"timestamp":1772366400}"#, Some("a"), noon),
        (r#"{"user_id":"a","activity":"light_exposure","timestamp":1772365800,"minutes":10}"#, Some("a"), noon),
        (
            r#"{"user_id":"a","activity":"light_exposure","start":1772365800,"interval_s":300,"samples":[1,2]}"#,
            Some("a"),
            noon,
        ),
        (r#"{"user_id":"a","activity":"phase_measurement","at":1772366400}"#, Some("a"), noon),
        (r#"{"user_id":"a","activity":"profile"}"#, Some("a"), UtcMillis(5)),
        (r#"{"user_id":"a","activity":"meal","timestamp":"yesterday"}"#, Some("a"), UtcMillis(5)),
        (r#"{"activity":"meal","timestamp":1772366400}"#, None, noon),
        (r#"{"activity":"meal","user_id":[],"timestamp":1772366400}"#, None, noon),
    ] {
        let read = record(line);
        assert_eq!((read.position.topic, text(read.key.as_ref()), read.stamp), (Topic::UserActivity, key, stamp));
        assert_eq!(text(read.value.as_ref()), Some(line));
    }
    let first = parse_line(br#"{"user_id":"a","activity":"profile"}"#, 1, None);
    assert!(matches!(first, Ok(Line::Record(OwnedRecord { stamp: UNTIMED, .. }))));
}

#[test]
fn a_flight_key_or_a_flight_with_a_state_is_a_flight_status() {
    for line in [
        r#"{"flight_key":"KL641|2026-03-01|AMS","state":"off","observed_at":1772366400}"#,
        r#"{"flight":"KL 0641","origin":"AMS","state":"off","observed_at":1772366400,"times":{"out":{"scheduled":"2026-03-01T14:00:00Z"}}}"#,
    ] {
        let read = record(line);
        assert_eq!(read.position.topic, Topic::FlightStatus);
        assert_eq!(text(read.key.as_ref()), Some("KL641|2026-03-01|AMS"));
        assert_eq!(read.stamp, UtcMillis(1_772_366_400_000));
        assert!(decode::flight_status(&read.as_record()).is_ok());
    }
    let trip = r#"{"user_id":"a","activity":"trip","trip_id":"t","revision":1,"legs":[{"flight":"KL641","state":1}]}"#;
    assert_eq!(record(trip).position.topic, Topic::UserActivity);
}

#[test]
fn what_is_no_record_becomes_a_bad_one() {
    for line in [&b"{oops"[..], b"hello", b"[1,2]", b"\xff\xfe", b"{\"a\":\"\xff\"}"] {
        let Ok(Line::Record(read)) = parse_line(line, 7, Some(UtcMillis(5))) else { panic!("no record") };
        assert_eq!((read.position.offset, read.stamp, read.key.as_ref()), (7, UtcMillis(5), None));
        assert_eq!(read.value.as_deref(), Some(line));
        assert!(decode::activity(&read.as_record()).is_err());
    }
}

#[test]
fn a_broken_record_line_is_named_with_what_is_expected() {
    let good = r#"{"topic":"user_activity","key":"h1","timestamp":1772366400000,"value":{}}"#;
    for (from, to, word) in [
        ("user_activity", "recommendations", "flight_status"),
        ("1772366400000", "1772366400", "milliseconds"),
        ("1772366400000", "\"noon\"", "RFC 3339"),
        (r#","timestamp":1772366400000"#, "", "`timestamp`"),
        ("\"h1\"", "7", "`key`"),
        (r#""key""#, r#""partition":-1,"key""#, "`partition`"),
        (r#""key""#, r#""headers":7,"key""#, "`headers`"),
        (r#""value":{}"#, r#""value_base64":"?""#, "Base64"),
        (r#""value":{}"#, r#""value":{},"value_base64":"""#, "`value_base64`"),
        ("{}}", "{", "`topic`"),
    ] {
        let line = good.replace(from, to);
        let error = parse_line(line.as_bytes(), 12, None).expect_err(&line).to_string();
        assert!(error.starts_with("line 12: ") && error.contains(word), "{error}");
    }
}

#[test]
fn the_head_of_a_recording_comes_back() {
    for placement in [Placement::Murmur2, Placement::Crc32] {
        let header = RecordingHeader { partitions: 16, placement };
        assert_eq!(parse_line(header.to_line().as_bytes(), 1, None), Ok(Line::Recording(header)));
    }
    for line in
        [r#"{"recording":{"partitions":0,"placement":"crc32"}}"#, r#"{"recording":{"partitions":1,"placement":"md5"}}"#]
    {
        assert!(parse_line(line.as_bytes(), 1, None).is_err());
    }
}

#[test]
fn a_forwarded_record_knows_where_it_came_from() {
    let forwarded = |value: &str| {
        let mut read = record(r#"{"user_id":"a","activity":"erase"}"#);
        read.headers = vec![(FORWARDED_HEADER.to_owned(), Some(value.as_bytes().to_vec()))];
        read.as_record().origin
    };
    let origin = Origin { partition: 3, offset: 8812, stamp: UtcMillis(1_772_366_400_000) };
    assert_eq!(forwarded("user_activity/3/8812/1772366400000"), Some(origin));
    assert_eq!(forwarded("user_activity/3/8812"), None);
    assert_eq!(forwarded(""), None);
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        ".{0,40}".prop_map(String::into_bytes),
        Just(br#"{"user_id":"a"}"#.to_vec()),
    ]
}

proptest! {
    #[test]
    fn every_record_comes_back_to_the_byte(
        flight in any::<bool>(),
        partition in 0..i32::MAX,
        offset in 0..i64::MAX,
        stamp in decode::time::EARLIEST.0..decode::time::TOO_LATE.0,
        key in proptest::option::of(bytes()),
        value in proptest::option::of(bytes()),
        headers in proptest::collection::vec((".{0,8}", proptest::option::of(bytes())), 0..4),
    ) {
        let topic = if flight { Topic::FlightStatus } else { Topic::UserActivity };
        let position = Position { topic, partition, offset };
        let written = OwnedRecord { position, stamp: UtcMillis(stamp), key, value, headers };
        let line = written.to_line();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(parse_line(line.as_bytes(), 1, None), Ok(Line::Record(written)));
    }

    #[test]
    fn no_line_panics(line in bytes(), fields in r#"[a-z]{0,9}":(null|7|"[a-z]{0,4}"|\{\}|\[\])"#) {
        let _ = parse_line(&line, 1, None);
        for known in ["topic\":\"user_activity\",\"value\":{},\"", "recording\":{},\"", "flight_key\":7,\""] {
            let _ = parse_line(format!("{{\"{known}{fields}}}").as_bytes(), u64::MAX, None);
        }
    }
}
