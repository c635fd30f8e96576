//! `zoner replay` from a topic to a topic, and `zoner diff`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value, json};
use zoner::engine::placement::Placement;
use zoner::units::Span;

use super::installation::{Installation, Stamps, brokers};
use super::member::Member;
use super::reading::Found;
use crate::common::program::{run, signal, zoner};
use crate::common::records::{Child, MONDAY, Sent, light};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

/// A command line that copies the users' topic of an installation into that of another.
fn copy(from: &Installation, to: &Installation, options: &[&str]) -> Vec<String> {
    let (from, to) = (from.topic("user_activity"), to.topic("user_activity"));
    let brokers = brokers();
    let mut words = vec!["replay", "--brokers", &brokers, "--from-topic", &from, "--to-topic", &to];
    words.extend(options);
    words.into_iter().map(str::to_owned).collect()
}

/// What has to be the same in a copy.
fn contents(records: &[Found]) -> Vec<Found> {
    let mut contents: Vec<Found> = records.iter().map(|found| Found { offset: 0, ..found.clone() }).collect();
    contents.sort_by_key(|found| (found.partition, found.stamp));
    contents
}

fn lights(count: i64, step: Span) -> Vec<Sent> {
    (0..count).map(|n| light(&format!("h{}", n % 20), "anna", MONDAY + Span(step.0 * n))).collect()
}

#[test]
fn a_copy_has_the_same_keys_stamps_headers_and_partitions() {
    let source = Installation::create("copy-from", 4, Stamps::Producers);
    source.send(&lights(200, Span::minutes(1)));
    let producer: ThreadedProducer<DefaultProducerContext> =
        ThreadedProducer::from_config(&source.cluster.plain_producer("odd")).expect("a producer");
    let topic = source.topic("user_activity");
    let headers = OwnedHeaders::new()
        .insert(Header { key: "trace", value: Some(&[0xff_u8, 0x00][..]) })
        .insert(Header::<&[u8]> { key: "nothing", value: None });
    let odd: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&topic).partition(3).timestamp(MONDAY.0 - 1).headers(headers);
    producer.send(odd).map_err(|(error, _)| error).expect("a record without key and value");
    producer.flush(LIMIT).expect("everything written");

    let same = Installation::create("copy-to", 4, Stamps::Producers);
    let said = run(copy(&source, &same, &["--speed", "max"]));
    assert!(said.err.contains("201 records"), "{}", said.err);
    said.ok();
    assert_eq!(contents(&same.read("user_activity")), contents(&source.read("user_activity")));

    // Among seven, everybody is where their key belongs.
    let seven = Installation::create("copy-seven", 7, Stamps::Producers);
    run(copy(&source, &seven, &["--speed", "max", "--since", &(MONDAY + Span::minutes(150)).to_rfc3339()])).ok();
    let records = seven.read("user_activity");
    let keyed: Vec<_> = records.iter().filter_map(|record| Some((record.partition, record.key.as_deref()?))).collect();
    assert_eq!(keyed.len(), 50);
    assert!(keyed.iter().all(|(partition, key)| *partition == Placement::Murmur2.partition(key, 7)), "{keyed:?}");
    // It stands behind the others, however old it says it is.
    assert_eq!(records.len() - keyed.len(), 1);
}

#[test]
fn records_are_copied_in_their_own_time_across_partitions() {
    let source = Installation::create("pace-from", 4, Stamps::Producers);
    source.send(&lights(60, Span::seconds(1)));
    let one = Installation::create("pace-to", 1, Stamps::Producers);
    let begun = Instant::now();
    run(copy(&source, &one, &["--speed", "30"])).ok();
    // From the first to the last it is 59 s.
    assert!(begun.elapsed() >= Duration::from_secs_f64(59.0 / 30.0), "{:?}", begun.elapsed());
    let stamps: Vec<_> = one.read("user_activity").iter().map(|record| record.stamp).collect();
    assert_eq!(stamps.len(), 60);
    assert!(stamps.is_sorted(), "four partitions, as one log: {stamps:?}");
}

#[test]
fn an_interrupted_copy_says_how_to_go_on_and_the_whole_is_there_once() {
    let source = Installation::create("stop-from", 4, Stamps::Producers);
    source.send(&lights(400, Span::seconds(1)));
    let target = Installation::create("stop-to", 4, Stamps::Producers);
    let mut copying = zoner()
        .args(copy(&source, &target, &["--speed", "50"]))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the zoner binary");
    wait_for("a part of it", LIMIT, || (target.read("user_activity").len() > 20).then_some(()));
    signal(copying.id(), "INT");
    let status = wait_for("its end", LIMIT, || copying.try_wait().expect("a child"));
    let mut said = String::new();
    copying.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    let copied = target.read("user_activity").len();
    assert!(copied < 400 && said.contains(&format!("interrupted: {copied} of some 400 records")), "{said}");
    let command = said.lines().find_map(|line| line.trim().strip_prefix("zoner ")).expect("a command to go on with");
    let words: Vec<&str> = command.split(' ').map(|word| if word == "50" { "max" } else { word }).collect();
    run(words).ok();
    assert_eq!(contents(&target.read("user_activity")), contents(&source.read("user_activity")));
}

#[test]
fn a_copy_that_waits_for_the_next_record_says_how_long() {
    let source = Installation::create("wait-from", 1, Stamps::Producers);
    source.send(&lights(3, Span::minutes(90)));
    let target = Installation::create("wait-to", 1, Stamps::Producers);
    let mut copying =
        zoner().args(copy(&source, &target, &[])).stderr(Stdio::piped()).spawn().expect("the zoner binary");
    let mut lines = BufReader::new(copying.stderr.take().expect("a pipe")).lines();
    let said = lines.next().expect("a line").expect("text");
    assert!(said.starts_with("1 of some 3 records copied") && said.contains("next record in 1 h"), "{said}");
    signal(copying.id(), "INT");
    assert_eq!(copying.wait().expect("a child").code(), Some(1));
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().all(|line| !line.contains("next record in")), "now and then, not all the time: {rest:?}");
}

#[test]
fn a_copy_does_not_go_where_it_would_be_taken_for_life() {
    let source = Installation::create("guard-from", 2, Stamps::Producers);
    source.send(&lights(3, Span::seconds(1)));
    let live = Installation::create("guard-live", 2, Stamps::Broker);
    let copied = || live.read("user_activity").len();

    let itself = run(copy(&source, &source, &[])).failed(1);
    assert!(itself.contains("would never end"), "{itself}");
    let into_live = run(copy(&source, &live, &["--prefix", &live.prefix, "--restamp", "--speed", "max"])).failed(1);
    assert!(into_live.contains("--into-live"), "{into_live}");
    let stamped = run(copy(&source, &live, &["--speed", "max"])).failed(1);
    assert!(stamped.contains("LogAppendTime") && stamped.contains("--prefix test."), "{stamped}");
    // Whatever prefix is configured: it is the broker's clock that tells of life.
    let restamped = run(copy(&source, &live, &["--speed", "max", "--restamp"])).failed(1);
    assert!(restamped.contains("--into-live"), "{restamped}");
    let nowhere = Installation::bare("guard-nowhere", 2, Stamps::Broker);
    // Outputs of any installation: nobody but its members writes there.
    for output in ["recommendations", "zoner.dead_letters", "zoner.state.travellers"] {
        let (from, to) = (source.topic("user_activity"), live.topic(output));
        let refused = run(["replay", "--brokers", &brokers(), "--from-topic", &from, "--to-topic", &to]).failed(1);
        assert!(refused.contains(output) && refused.contains("--into-live"), "{refused}");
        assert_eq!(live.read(output).len(), 0);
    }
    let missing = run(copy(&source, &nowhere, &[])).failed(1);
    assert!(missing.contains("does not exist"), "{missing}");
    let one = Installation::create("guard-one", 2, Stamps::Producers);
    let beyond = run(copy(&source, &one, &["--speed", "max", "--from-offset", "4"])).failed(1);
    assert!(beyond.contains("offset 4 lies beyond the end"), "{beyond}");
    let beyond = run(copy(&source, &one, &["--speed", "max", "--from-offset", "0:0,1:9"])).failed(1);
    assert!(beyond.contains("offset 9 lies beyond the end") && beyond.contains("partition 1 ends at"), "{beyond}");
    assert_eq!(one.read("user_activity").len(), 0);
    assert_eq!(copied(), 0);

    run(copy(&source, &live, &["--speed", "max", "--restamp", "--prefix", &live.prefix, "--into-live"])).ok();
    assert_eq!(copied(), 3);
}

/// Toddlers who miss a nap now and then.
fn week() -> Vec<Sent> {
    let mut records = Vec::new();
    for number in 0..6 {
        let mia = Child::toddler(&format!("family-{number}"), "mia");
        records.push(mia.profile(MONDAY));
        for day in 0..7 {
            let midnight = MONDAY + Span::days(day);
            records.push(mia.night(midnight));
            if day < 5 {
                records.extend([mia.nap_begins(midnight), mia.nap(midnight)]);
            }
            records.push(light(&mia.household, "mia", midnight + Span::hours(17)));
        }
    }
    records.sort_by_key(|record| record.stamp);
    records
}

fn texts(said: &[Value]) -> Vec<String> {
    said.iter().map(ToString::to_string).collect()
}

#[test]
fn a_version_that_is_fed_with_yesterdays_input_says_what_was_said_yesterday() {
    let yesterday = Installation::create("diff-from", 4, Stamps::Producers);
    yesterday.send(&week());
    let member = Member::start(&yesterday, &[]);
    yesterday.settle(LIMIT);
    let said = yesterday.assert_equals_replay(&[&member]);
    assert_eq!(member.terminate().code(), Some(0));
    assert!(said.len() >= 6, "{}", said.len());

    let test = Installation::create("diff-to", 4, Stamps::Producers);
    run(copy(&yesterday, &test, &["--speed", "max", "--outside-only"])).ok();
    let member = Member::start(&test, &[]);
    test.settle(LIMIT);
    assert_eq!(member.terminate().code(), Some(0));

    let topic = |installation: &Installation| format!("topic:{}", installation.topic("recommendations"));
    let brokers = brokers();
    let diff = |a: &str, b: &str, options: &[&str]| run([&["diff", a, b, "--brokers", &brokers], options].concat());
    let same = diff(&topic(&yesterday), &topic(&test), &[]).ok();
    assert!(same.contains(&format!("{0} in A, {0} in B: {0} the same", said.len())), "{same}");

    // Against a file in which one is missing, and one has another headline.
    let mut lines = texts(&said);
    lines.pop();
    let headline = said[0]["headline"].as_str().expect("a headline");
    lines[0] = lines[0].replace(headline, "Something else");
    let file = test.directory.write("other.jsonl", &lines.join("\n")).display().to_string();
    let found = diff(&topic(&yesterday), &file, &[]);
    assert_eq!(found.code, Some(1), "{}", found.err);
    assert!(found.out.contains(&format!("headline: {headline} → Something else")), "{}", found.out);
    assert!(found.out.contains("only in A"), "{}", found.out);
    let found = diff(&file, &topic(&yesterday), &["--json"]);
    let summary = found.out.lines().last().expect("a summary");
    assert!(summary.contains(r#""only_a":0,"only_b":1,"different":1"#), "{summary}");
    assert_eq!(diff("topic:nothing", &file, &[]).code, Some(2));
    // The input has households and users as well.
    let input = format!("topic:{}", yesterday.topic("user_activity"));
    let refused = diff(&topic(&yesterday), &input, &[]).failed(2);
    assert!(refused.contains(&yesterday.topic("user_activity")) && refused.contains("probably not"), "{refused}");
    let activity = json!({"household_id": "h", "user_id": "mia", "activity": "meal"});
    let mixed = test.directory.write("mixed.jsonl", &format!("{}\n{activity}\n", texts(&said).join("\n")));
    let same = diff(&topic(&yesterday), &mixed.display().to_string(), &[]).ok();
    assert!(same.contains("1 record in B was no recommendation and was left out"), "{same}");
}
