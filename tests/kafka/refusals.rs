//! Inputs, offsets and states that do not fit together: one refusal that names every partition, what `--accept-gap` goes on
//! with, and that it is said once.

use std::time::Duration;

use rdkafka::admin::AdminOptions;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use zoner::engine::record::Topic;
use zoner::units::Span;

use super::checkpoints::{admin, delete_inputs, ends, later, wait_on, week};
use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use crate::common::records::{MONDAY, Sent};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

/// Starts a member that must not start, and its one refusal: the last paragraph that it says.
fn refused(installation: &Installation) -> String {
    let mut member = Member::spawn(installation, &[]);
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    let said = member.said();
    assert!(!said.contains("ERROR"), "the refusal is said once: {said}");
    let (_, refusal) = said.split_once("\nerror: ").unwrap_or_else(|| panic!("no refusal in: {said}"));
    refusal.to_owned()
}

/// What a member did before it was asked to end.
fn worked_through(installation: &Installation, input: &[Sent]) {
    installation.send(input);
    let member = Member::start(installation, &[]);
    installation.settle(LIMIT);
    assert_eq!(member.terminate().code(), Some(0));
}

/// As `kafka-consumer-groups --reset-offsets` does: of every partition of the travellers' input.
fn set_offsets(installation: &Installation, offset: impl Fn(i32) -> i64) {
    let mut settings = installation.cluster.reader("reset");
    settings.set("group.id", installation.cluster.group("travellers"));
    let consumer: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..installation.partitions {
        let offset = Offset::Offset(offset(partition));
        list.add_partition_offset(&installation.input(Topic::UserActivity), partition, offset).expect("an offset");
    }
    // Members that have just left may still be known.
    wait_for("the group to take offsets from outside", LIMIT, || consumer.commit(&list, CommitMode::Sync).ok());
}

#[test]
fn a_log_that_was_cut_before_its_effects_were_stored_is_refused_until_the_gap_is_accepted() {
    let installation = Installation::create("gap", 2, Stamps::Producers);
    worked_through(&installation, &week());
    // Nobody is there while more arrives, and nobody comes before retention takes it.
    installation.send(&later(MONDAY + Span::days(8)));
    delete_inputs(&installation);

    let refusal = refused(&installation);
    let places = format!("{} 0, 1: ", installation.input(Topic::UserActivity));
    assert!(refusal.contains(&places) && refusal.contains("--accept-gap"), "{refusal}");
    assert!(refusal.contains("40 records were deleted before their effects were stored"), "{refusal}");

    let member = Member::start(&installation, &["--accept-gap"]);
    assert!((member.metric("zoner_gap_records_total", "user_activity") - 40.0).abs() < 0.5);
    assert_eq!(states(&[&member]).len(), 16, "what was stored is not lost");
    assert_eq!(member.terminate().code(), Some(0));
    // It is remembered although nothing has arrived since.
    Member::start(&installation, &[]);
}

#[test]
fn offsets_that_expired_are_refused_where_states_are_stored() {
    let installation = Installation::create("expired", 2, Stamps::Producers);
    worked_through(&installation, &week());
    let group = installation.cluster.group("travellers");
    wait_for("the group to be empty", LIMIT, || {
        let results = wait_on(admin(&installation).delete_groups(&[&group], &AdminOptions::new())).ok()?;
        results.iter().all(Result::is_ok).then_some(())
    });

    let refusal = refused(&installation);
    assert!(refusal.contains(" 0, 1: ") && refusal.contains("offsets.retention.minutes"), "{refusal}");

    let published = installation.read("recommendations").len();
    let member = Member::start(&installation, &["--accept-gap"]);
    installation.settle(LIMIT);
    assert_eq!(installation.read("recommendations").len(), published, "nothing is said again");
    assert_eq!(states(&[&member]).len(), 16);
}

#[test]
fn offsets_that_were_set_back_are_refused_in_all_their_partitions_until_that_is_accepted_once() {
    let installation = Installation::create("back", 8, Stamps::Producers);
    // Something for every partition.
    worked_through(&installation, &[week(), later(MONDAY + Span::days(8))].concat());
    let before = installation.committed(Topic::UserActivity);
    set_offsets(&installation, |_| 0);

    let refusal = refused(&installation);
    let all: i64 = before.iter().flatten().map(|(offset, _)| offset).sum();
    assert!(refusal.contains(" 0–7: the offsets of group") && refusal.contains("were set back"), "{refusal}");
    assert!(refusal.contains(&format!("to {all} records in all before")) && refusal.lines().count() == 1, "{refusal}");

    let published = installation.read("recommendations").len();
    let member = Member::start(&installation, &["--accept-gap"]);
    // No partition gets a record, and its position is committed all the same.
    wait_for("every position to be committed", LIMIT, || {
        let now = installation.committed(Topic::UserActivity);
        now.iter().zip(&before).all(|(now, before)| now >= before).then_some(())
    });
    member.kill();
    let member = Member::start(&installation, &[]);
    assert_eq!(states(&[&member]).len(), 56);
    assert_eq!(installation.read("recommendations").len(), published, "nothing is said again");
}

#[test]
fn offsets_that_were_set_forward_are_refused_until_their_records_are_passed_over_by_consent() {
    let installation = Installation::create("forward", 4, Stamps::Producers);
    worked_through(&installation, &week());
    let reached = installation.committed(Topic::UserActivity);
    installation.send(&later(MONDAY + Span::days(8)));
    let end = ends(&installation);
    set_offsets(&installation, |partition| end[&(Topic::UserActivity, partition)]);

    let refusal = refused(&installation);
    assert!(refusal.contains(" 0–3: the offsets of group") && refusal.contains("were set by hand"), "{refusal}");
    assert!(refusal.contains("40 records in all beyond"), "{refusal}");
    let first = reached[0].as_ref().map(|(offset, _)| *offset).expect("an offset");
    assert!(refusal.contains(&format!("(0:{first}, 1:")), "where to set them back to: {refusal}");

    let published = installation.read("recommendations").len();
    let member = Member::start(&installation, &["--accept-gap"]);
    assert!((member.metric("zoner_gap_records_total", "user_activity") - 40.0).abs() < 0.5);
    assert_eq!(states(&[&member]).len(), 56, "the states have learnt from them");
    assert_eq!(installation.read("recommendations").len(), published, "and nothing was said");
    assert_eq!(member.terminate().code(), Some(0));
    Member::start(&installation, &[]);
}
