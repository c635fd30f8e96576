//! `zoner dead-letters`: what could not be used is shown, and goes back once.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value, json};
use zoner::engine::clock::{Clock as _, SystemClock};
use zoner::units::{Span, UtcMillis};

use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use crate::common::program::{Said, zoner};
use crate::common::records::{Child, MONDAY, activity};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

fn producer(installation: &Installation) -> ThreadedProducer<DefaultProducerContext> {
    ThreadedProducer::from_config(&installation.cluster.plain_producer("letters")).expect("a producer")
}

/// Writes letters as the first versions did, with the topic's name without a prefix, of records that this one can use.
fn write_letters(installation: &Installation, letters: &[(String, Value, UtcMillis)]) {
    let producer = producer(installation);
    let topic = installation.topic("zoner.dead_letters");
    for (number, (key, value, stamp)) in letters.iter().enumerate() {
        let (offset, stamp) = (number.to_string(), stamp.to_rfc3339());
        let mut headers = OwnedHeaders::new();
        for (key, value) in [
            ("trace", "abc"),
            ("error.code", "unknown_zone"),
            ("error.message", "`home_time_zone` must be known"),
            ("error.topic", "user_activity"),
            ("error.partition", "0"),
            ("error.offset", &offset),
            ("error.timestamp", &stamp),
            ("error.stage", "validate"),
        ] {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let value = value.to_string();
        producer
            .send(BaseRecord::to(&topic).key(key.as_str()).payload(value.as_str()).headers(headers))
            .map_err(|(error, _)| error)
            .expect("a queued letter");
    }
    producer.flush(LIMIT).expect("everything written");
}

fn listed(installation: &Installation, filter: &[&str]) -> (Vec<Value>, String) {
    let Said { code, out, err } = installation.run(&[&["dead-letters", "list"], filter].concat());
    assert_eq!(code, Some(0), "{err}");
    (out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), err)
}

fn redriven(installation: &Installation, options: &[&str]) -> String {
    let said = installation.run(&[&["dead-letters", "redrive"], options].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.err
}

#[test]
fn what_is_refused_again_is_marked_and_does_not_go_round_in_circles() {
    let installation = Installation::create("letters", 4, Stamps::Broker);
    let flying = |household: &str| activity(household, MONDAY, json!({"user_id": "a", "activity": "flying"}));
    let mut records = vec![flying("h1"), flying("h2")];
    records.push(activity("h3", MONDAY, json!({"user_id": "x".repeat(70_000), "activity": "meal"})));
    installation.send(&records);
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);

    let (lines, counts) = listed(&installation, &[]);
    assert_eq!(lines.len(), 3);
    assert!(counts.contains("3 dead letters: 2 unknown_activity, 1 too_large"), "{counts}");
    let (lines, _) = listed(&installation, &["--code", "unknown_activity", "--key", "h2"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["error"]["topic"], installation.topic("user_activity"));
    assert_eq!(lines[0]["value"].as_str(), Some(records[1].value.to_string().as_str()));
    let (last, counts) = listed(&installation, &["--limit", "1"]);
    assert_eq!((last.len(), counts.contains("3 dead letters")), (1, true), "{counts}");

    let dry = installation.run(&["dead-letters", "redrive", "--dry-run"]);
    assert!(dry.err.contains("2 would be written back: 2 unknown_activity"), "{}", dry.err);
    assert!(dry.err.contains("1 not: too large"), "{}", dry.err);
    assert_eq!(dry.out.matches("\"to\"").count(), 2, "{}", dry.out);
    assert_eq!(installation.read("user_activity").len(), 3, "nothing was done");

    assert!(redriven(&installation, &[]).contains("2 written back: 2 unknown_activity"));
    let in_all = |records, letters| {
        installation.settle(LIMIT);
        let visible = installation.read("zoner.dead_letters");
        // Receipts have no key.
        let visible = visible.iter().filter(|letter| letter.key.is_some()).count();
        assert_eq!((installation.read("user_activity").len(), visible), (records, letters));
    };
    in_all(5, 5);
    for record in installation.read("user_activity").iter().filter(|record| record.header("zoner.redriven").is_some()) {
        let key = String::from_utf8_lossy(record.key.as_deref().expect("a key")).into_owned();
        assert_eq!(record.partition, installation.partition_of(&key));
        let mark = String::from_utf8_lossy(record.header("zoner.redriven").expect("a mark")).into_owned();
        assert!(mark.starts_with(&installation.topic("zoner.dead_letters/0/")), "{mark}");
    }
    // Both were refused again. Neither the old letters nor the new ones go back by themselves.
    let said = redriven(&installation, &[]);
    assert!(said.contains("nothing to write back"), "{said}");
    assert!(said.contains("2 not: written back before") && said.contains("2 not: written back once"), "{said}");
    in_all(5, 5);
    let (lines, _) = listed(&installation, &["--code", "unknown_activity"]);
    assert_eq!(lines.iter().filter(|line| line["written_back"] == true).count(), 2);
    assert_eq!(lines.iter().filter(|line| line["refused_again"] == true).count(), 2);

    assert!(redriven(&installation, &["--again", "--limit", "1"]).contains("1 written back"));
    in_all(6, 6);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn a_letter_that_can_be_used_now_is_used_as_if_it_had_been_at_its_time() {
    let installation = Installation::create("usable", 4, Stamps::Broker);
    let member = Member::start(&installation, &[]);
    let earlier = SystemClock.now() - Span::hours(2);
    let profile = |household: &str| {
        let child = Child::toddler(household, "mia");
        (household.to_owned(), child.profile(earlier).value, earlier)
    };
    // After she was refused she was erased: that is the last word.
    installation.send(&[activity("gone", MONDAY, json!({"user_id": "mia", "activity": "erase"}))]);
    write_letters(&installation, &[profile("gone"), profile("here")]);
    assert!(redriven(&installation, &["--code", "unknown_zone"]).contains("2 written back"));
    installation.settle(LIMIT);

    let records = installation.read("user_activity");
    let back = records.iter().find(|record| record.key.as_deref() == Some(b"here")).expect("it is back");
    assert_eq!(back.partition, installation.partition_of("here"));
    assert_eq!(back.value.as_deref(), Some(profile("here").1.to_string().as_bytes()));
    let names: Vec<&str> = back.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["trace", "zoner.redriven", "zoner.forwarded"]);
    let known = states(&[&member]);
    assert!(known.iter().any(|state| state.contains("\"here\"")), "{known:?}");
    assert!(!known.iter().any(|state| state.contains("\"gone\"")), "{known:?}");
    assert_eq!(installation.read("zoner.dead_letters").iter().filter(|letter| letter.key.is_some()).count(), 2);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn runs_that_are_killed_or_that_meet_write_every_letter_back_once() {
    const LETTERS: usize = 3_000;
    let installation = Installation::create("once", 4, Stamps::Producers);
    let letters: Vec<_> = (0..LETTERS)
        .map(|number| {
            let value = json!({"user_id": "a", "activity": "light_exposure", "timestamp": MONDAY.to_rfc3339(),
                               "lux": number});
            (format!("h{}", number % 50), value, MONDAY + Span::seconds(number as i64))
        })
        .collect();
    write_letters(&installation, &letters);
    let spawn = || {
        let arguments = installation.arguments(&["dead-letters", "redrive"]);
        zoner().args(arguments).stderr(std::process::Stdio::null()).spawn().expect("the zoner binary")
    };
    for round in 1..=2 {
        let mut killed = spawn();
        wait_for("some to be back", LIMIT, || {
            let enough = installation.read("user_activity").len() >= round * 500;
            (enough || killed.try_wait().expect("a child").is_some()).then_some(())
        });
        // Fails where it has ended.
        let _ = killed.kill();
        killed.wait().expect("its end");
    }
    let mut both = [spawn(), spawn()];
    for run in &mut both {
        // The one that was overtaken says so and fails; nothing of it is lost.
        run.wait().expect("its end");
    }
    redriven(&installation, &[]);
    let records = installation.read("user_activity");
    let values: BTreeSet<&[u8]> = records.iter().filter_map(|record| record.value.as_deref()).collect();
    assert_eq!((records.len(), values.len()), (LETTERS, LETTERS));
    let stamps: BTreeSet<UtcMillis> = records.iter().map(|record| record.stamp).collect();
    assert_eq!(stamps.len(), LETTERS, "each with its own stamp");
}
