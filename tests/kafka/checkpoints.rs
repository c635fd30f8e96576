//! States in their topics: what a member knows again after its end, where it may not begin, and who may write.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;
use zoner::engine::codec::{self, MARKER_KEY};
use zoner::engine::record::Topic;
use zoner::household::Household;
use zoner::kafka::writer::{Outgoing, Writer};
use zoner::units::{Span, UtcMillis};

use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use crate::common::families::families;
use crate::common::program::signal;
use crate::common::records::{Child, MONDAY, Sent, activity, light, tick};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);
const STATES: &str = "zoner.state.travellers";

/// Waits until the state topics have everything.
fn wait_for_checkpoint(member: &Member) {
    wait_for("a checkpoint of everything", LIMIT, || {
        let is_done = member.metric("zoner_checkpoint_backlog_states", "") == 0.0
            && member.metric("zoner_checkpoint_age_seconds", "") == 0.0
            && member.metric("zoner_consumer_lag_records", "") == 0.0;
        is_done.then_some(())
    });
}

pub(super) fn admin(installation: &Installation) -> AdminClient<DefaultClientContext> {
    AdminClient::from_config(&installation.cluster.client("test-admin")).expect("an admin client")
}

pub(super) fn wait_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Where the inputs end, by topic and partition.
pub(super) fn ends(installation: &Installation) -> BTreeMap<(Topic, i32), i64> {
    let consumer: BaseConsumer = BaseConsumer::from_config(&installation.cluster.reader("ends")).expect("a consumer");
    let mut ends = BTreeMap::new();
    for topic in [Topic::UserActivity, Topic::FlightStatus] {
        let name = installation.input(topic);
        for partition in 0..installation.partitions {
            let (_, end) = consumer.fetch_watermarks(&name, partition, LIMIT).expect("watermarks");
            ends.insert((topic, partition), end);
        }
    }
    ends
}

/// Waits until the last marker of every partition stands at the end of its input.
fn wait_for_markers_at_the_end(installation: &Installation) {
    wait_for("markers at the end", LIMIT, || {
        let mut marked = BTreeMap::new();
        for topic in [Topic::UserActivity, Topic::FlightStatus] {
            for record in installation.read(&format!("zoner.state.{}", topic.processor())) {
                if record.key.as_deref() == Some(MARKER_KEY) {
                    let marker = codec::decode_marker(record.value.as_deref()?).expect("a marker");
                    marked.insert((topic, record.partition), marker.offset);
                }
            }
        }
        (marked == ends(installation)).then_some(())
    });
}

/// Deletes what lies in the inputs, as retention would.
pub(super) fn delete_inputs(installation: &Installation) {
    let mut list = TopicPartitionList::new();
    for ((topic, partition), end) in ends(installation) {
        list.add_partition_offset(&installation.input(topic), partition, Offset::Offset(end)).expect("an offset");
    }
    let deleted = wait_on(admin(installation).delete_records(&list, &AdminOptions::new())).expect("deleted records");
    assert!(deleted.elements().iter().all(|element| element.error().is_ok()));
}

pub(super) fn week() -> Vec<Sent> {
    families(8)
}

/// What moves every partition's time on and makes alarms due.
pub(super) fn later(at: UtcMillis) -> Vec<Sent> {
    (0..40).map(|number| light(&format!("later-{number}"), "noah", at)).collect()
}

#[test]
fn states_are_known_again_from_their_topics_when_the_log_is_gone() {
    let installation = Installation::create("restored", 4, Stamps::Producers);
    installation.send(&week());
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    let known = states(&[&member]);
    assert_eq!(known.len(), 16);
    // Retention may take whatever lies before a checkpoint.
    wait_for_markers_at_the_end(&installation);
    member.kill();
    let replayed = installation.replay();
    delete_inputs(&installation);

    let member = Member::start(&installation, &["--instance", "only"]);
    assert_eq!(states(&[&member]), known);
    assert_eq!(states(&[&member]), replayed.states);
    let restored = member.metric("zoner_restored_states_total", "user_activity");
    assert!((restored - 8.0).abs() < 0.5, "{restored} for eight households, however often they were stored");
    installation.assert_published(&replayed);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn a_partition_that_is_begun_has_a_marker_before_its_first_checkpoint_is_due() {
    let installation = Installation::create("begun", 4, Stamps::Producers);
    let config = std::fs::read_to_string(&installation.config_file).expect("the configuration");
    let hourly = config.replace("checkpoint_interval_s = 0.7", "checkpoint_interval_s = 3600.0");
    assert_ne!(hourly, config);
    std::fs::write(&installation.config_file, hourly).expect("the configuration");
    let member = Member::start(&installation, &["--instance", "only"]);
    wait_for_markers_at_the_end(&installation);
    assert_eq!(member.terminate().code(), Some(0));
}

/// What the group has given to a member and taken from it. It may speak to everybody although nothing moves.
fn moves(member: &Member) -> Vec<String> {
    let said = member.said();
    let spoke = |line: &&str| line.contains("partitions assigned") || line.contains("partitions revoked");
    said.lines().filter(spoke).filter(|line| !line.contains("partitions=[]")).map(str::to_owned).collect()
}

#[test]
fn an_orderly_end_leaves_nothing_to_be_read_again() {
    let installation = Installation::create("orderly", 4, Stamps::Producers);
    installation.send(&week());
    let first = Member::start(&installation, &["--instance", "first"]);
    let second = Member::start(&installation, &["--instance", "second"]);
    wait_for("both members to own something", LIMIT, || {
        [&first, &second].iter().all(|member| member.get("/health/ready").0 == 200).then_some(())
    });
    installation.settle(LIMIT);
    let before = moves(&first);
    assert!(!before.is_empty(), "{}", first.said());
    assert_eq!(second.terminate().code(), Some(0));

    // The same name comes back within its session: nobody else is disturbed.
    let second = Member::start(&installation, &["--instance", "second"]);
    let said = second.said();
    let loaded: Vec<&str> = said.lines().filter(|line| line.contains("states loaded")).collect();
    assert!(!loaded.is_empty(), "{said}");
    assert!(loaded.iter().all(|line| line.contains("to_replay=0")), "nothing is replayed: {said}");
    assert_eq!(moves(&first), before, "no partition has moved");
    installation.assert_equals_replay(&[&first, &second]);
}

#[test]
fn a_member_with_another_placement_is_refused_without_disturbing_the_others() {
    let installation = Installation::create("placed", 2, Stamps::Producers);
    installation.send(&week());
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    wait_for_checkpoint(&member);
    installation.configure("[topics]", "placement = \"crc32\"");
    let refused = |said: &str| {
        assert!(said.contains("households would be split"), "{said}");
        assert!(!said.contains("partitions assigned") && !said.contains("zoner runs"), "{said}");
    };
    let before = member.metric("zoner_rebalances_total", "");
    let mut other = Member::spawn(&installation, &[]);
    assert_eq!(other.wait().code(), Some(1), "{}", other.said());
    refused(&other.said());
    let after = member.metric("zoner_rebalances_total", "");
    assert!((before - after).abs() < 0.5, "{before} rebalances, then {after}");

    // Nor does it help to be alone, or that much has been written since the last markers.
    assert_eq!(member.terminate().code(), Some(0));
    let writer = Writer::plain(&installation.cluster, "test-states").expect("a producer");
    let topic = installation.topic(STATES);
    for number in 0..2_000_u32 {
        let (partition, key) = (i32::from(number % 2 == 0), number.to_be_bytes());
        let state = Outgoing {
            topic: &topic,
            partition: Some(partition),
            stamp: None,
            key: Some(&key),
            value: Some(b"?"),
            headers: &[],
        };
        writer.send(&state).expect("a queued record");
    }
    writer.flush(LIMIT).expect("everything written");
    let mut alone = Member::spawn(&installation, &[]);
    assert_eq!(alone.wait().code(), Some(1), "{}", alone.said());
    refused(&alone.said());
}

#[test]
fn a_state_topic_that_was_emptied_is_told_once_and_its_states_are_rebuilt_from_the_input() {
    let installation = Installation::create("emptied", 8, Stamps::Producers);
    installation.send(&week());
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    let known = states(&[&member]);
    let once = |member: &Member, text: &str| {
        let said = member.said();
        let lines: Vec<&str> =
            said.lines().filter(|line| line.contains(text) && line.contains("user_activity")).collect();
        assert_eq!(lines.len(), 1, "{said}");
        lines[0].to_owned()
    };
    once(&member, "states loaded");
    assert!(!member.said().contains("does not hold the states of these partitions"), "{}", member.said());
    assert_eq!(member.terminate().code(), Some(0));

    let topic = installation.topic(STATES);
    let deleted = wait_on(admin(&installation).delete_topics(&[&topic], &AdminOptions::new())).expect("an answer");
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    wait_for("the topic to be made anew", LIMIT, || {
        let said = installation.run(&["topics", "create"]);
        (said.code == Some(0) && said.out.contains(&format!("{topic} created"))).then_some(())
    });
    let member = Member::start(&installation, &[]);
    let told = once(&member, "does not hold the states of these partitions");
    assert!(told.contains("WARN") && told.contains("partitions=["), "{told}");
    assert!(
        !member.said().lines().any(|line| line.contains("does not hold the states") && line.contains("flight_status"))
    );
    assert_eq!(states(&[&member]), known);
    assert_eq!(member.terminate().code(), Some(0));
}

fn add_partitions(installation: &Installation, topic: &str, count: usize) {
    let new = NewPartitions::new(topic, count);
    let results = wait_on(admin(installation).create_partitions([&new], &AdminOptions::new())).expect("an answer");
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[test]
fn partitions_that_were_added_to_an_input_are_refused_running_and_starting() {
    let installation = Installation::create("added", 2, Stamps::Producers);
    let config = std::fs::read_to_string(&installation.config_file).expect("the configuration");
    let property = "\"topic.metadata.refresh.interval.ms\" = \"500\"";
    let config = config.replace("[kafka.properties]", &format!("[kafka.properties]\n{property}"));
    std::fs::write(&installation.config_file, config).expect("the configuration");
    installation.send(&week());
    let mut member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    add_partitions(&installation, &installation.input(Topic::UserActivity), 3);
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    assert!(member.said().contains("did not exist when this member started"), "{}", member.said());

    let mut next = Member::spawn(&installation, &[]);
    assert_eq!(next.wait().code(), Some(1), "{}", next.said());
    assert!(next.said().contains("they must be as many"), "{}", next.said());
    // With as many of states it would look whole: the markers know better.
    add_partitions(&installation, &installation.topic(STATES), 3);
    let mut last = Member::spawn(&installation, &[]);
    assert_eq!(last.wait().code(), Some(1), "{}", last.said());
    assert!(last.said().contains("households would be split"), "{}", last.said());
}

#[test]
fn partitions_that_were_added_are_told_before_any_client_notices_and_not_taken_for_ownerless() {
    // Clients look for new partitions every five minutes.
    let installation = Installation::create("unnoticed", 2, Stamps::Producers);
    let mut member = Member::start(&installation, &[]);
    add_partitions(&installation, &installation.input(Topic::UserActivity), 3);
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    assert!(member.said().contains("partition 2 of user_activity did not exist"), "{}", member.said());
    assert!(!member.said().contains("belong to nobody"), "{}", member.said());
}

#[test]
fn a_member_frozen_past_its_session_writes_no_late_checkpoint() {
    let installation = Installation::create("frozen", 1, Stamps::Producers);
    installation.send(&week());
    let frozen = Member::start(&installation, &["--instance", "frozen"]);
    installation.settle(LIMIT);
    wait_for_checkpoint(&frozen);
    // It has something to store, and no time to.
    installation.send(&[light("idle", "noah", MONDAY + Span::days(7))]);
    signal(frozen.pid(), "STOP");
    let next = Member::start(&installation, &["--instance", "next"]);
    installation.send(&later(MONDAY + Span::days(8)));
    installation.settle(LIMIT);
    wait_for_checkpoint(&next);
    signal(frozen.pid(), "CONT");
    wait_for("the frozen member to notice", LIMIT, || {
        let said = frozen.said();
        (said.contains("lost=true") || said.contains("joining again") || said.contains("is given up")).then_some(())
    });
    wait_for("the group to be whole", LIMIT, || {
        [&frozen, &next].iter().all(|member| member.get("/health/ready").0 == 200).then_some(())
    });

    let aborted = frozen.metric("zoner_transactions_total", "aborted");
    assert!(aborted < 0.5, "to be replaced is no fault: {}", frozen.said());

    // Positions of each state only ever grow: no old state came after a new one.
    let mut positions: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for record in installation.read(STATES) {
        let (Some(key), Some(value)) = (record.key.clone(), &record.value) else { continue };
        let position = if key == MARKER_KEY {
            codec::decode_marker(value).expect("a marker").offset
        } else {
            codec::decode_unit::<Household>(value).expect("a household").0
        };
        let before = positions.insert(key, position);
        assert!(before.is_none_or(|before| before <= position), "{before:?} before {position}");
    }
    assert!(positions.len() > 16);
    installation.assert_equals_replay(&[&frozen, &next]);
}

#[test]
fn what_was_erased_leaves_the_state_topic() {
    let installation = Installation::create("erased", 1, Stamps::Producers);
    let child = Child::toddler("the-household", "mia");
    let mut records = vec![child.profile(MONDAY)];
    records.extend(child.days(MONDAY, 2));
    installation.send(&records);
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    wait_for_checkpoint(&member);
    let latest =
        || installation.read(STATES).into_iter().rfind(|record| record.key.as_deref() == Some(b"the-household"));
    let holds_name = |value: &[u8]| value.windows(3).any(|window| window == b"Mia");
    assert!(latest().and_then(|record| record.value).is_some_and(|value| holds_name(&value)));

    let erased_at = MONDAY + Span::days(3);
    installation.send(&[activity("the-household", erased_at, json!({"user_id": "mia", "activity": "erase"}))]);
    wait_for("the name to be gone", LIMIT, || {
        latest().and_then(|r| r.value).is_some_and(|v| !holds_name(&v)).then_some(())
    });
    // The memory of who was erased has an end as well.
    installation.send(&[tick(erased_at + Span::days(15))]);
    wait_for("the state to be gone", LIMIT, || latest().is_some_and(|record| record.value.is_none()).then_some(()));

    // And comes back empty.
    assert_eq!(member.terminate().code(), Some(0));
    let member = Member::start(&installation, &["--instance", "only"]);
    assert_eq!(states(&[&member]), Vec::<String>::new());
}
