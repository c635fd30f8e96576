//! A broker that stops and comes back, commits whose answer is lost, a group that gives a member up: it goes on by itself.

use std::time::Duration;

use super::installation::{Installation, Stamps};
use super::member::Member;
use super::own_kafka::OwnKafka;
use super::proxy::{FETCH, JOIN_GROUP, Lost, Proxy};
use crate::common::families::families;
use crate::common::program::signal;
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);
const FAMILIES: i64 = 16;

/// A week of families is there at once; small transactions, so that most of it is still to be done when something happens.
fn backlog(kafka: &str, name: &str) -> Installation {
    let installation = Installation::create_on(kafka, name, 4, Stamps::Producers);
    installation.configure("[engine]", "batch = 5\nrecords_per_transaction = 5");
    installation.send(&families(FAMILIES));
    installation
}

fn committed(member: &Member) -> f64 {
    member.metric("zoner_transactions_total", "committed")
}

fn wait_for_commits(member: &Member, count: f64) {
    let before = committed(member);
    wait_for("some commits", LIMIT, || (committed(member) >= before + count).then_some(()));
}

#[test]
fn a_broker_that_stops_and_comes_back_loses_nothing_and_the_member_goes_on_by_itself() {
    let kafka = OwnKafka::start();
    let installation = backlog(&kafka.address, "stopped");
    let member = Member::start(&installation, &["--instance", "only"]);
    wait_for_commits(&member, 20.0);
    kafka.stop();
    let done = committed(&member);
    kafka.start_again();
    installation.settle(LIMIT);
    assert!(committed(&member) > done, "everything was done before the broker stopped: nothing is proved");
    installation.assert_equals_replay(&[&member]);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn a_member_that_is_stopped_while_no_broker_answers_ends_and_says_so_and_nothing_is_lost() {
    let kafka = OwnKafka::start();
    let installation = backlog(&kafka.address, "abandoned");
    let mut member = Member::start(&installation, &["--instance", "only"]);
    wait_for_commits(&member, 20.0);
    kafka.stop();
    signal(member.pid(), "TERM");
    wait_for("the member to end", LIMIT, || member.said().contains("Nothing is lost").then_some(()));
    assert_eq!(member.wait().code(), Some(1));
    kafka.start_again();
    let next = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    installation.assert_equals_replay(&[&next]);
    assert_eq!(next.terminate().code(), Some(0));
}

#[test]
fn commits_that_are_lost_or_whose_answer_is_lost_take_effect_once() {
    let proxy = Proxy::listen();
    let kafka = OwnKafka::behind(&proxy.address);
    proxy.lead_to(&kafka.address);
    let installation = backlog(&proxy.address, "unanswered");
    let member = Member::start(&installation, &["--instance", "only"]);
    wait_for_commits(&member, 20.0);

    // The client asks again and again, and at last is told that it is done.
    proxy.lose(Lost::Answers);
    wait_for("lost answers", LIMIT, || (proxy.lost() >= 3).then_some(()));
    proxy.lose(Lost::Nothing);
    wait_for_commits(&member, 5.0);
    assert!(!member.said().contains("joining again"), "{}", member.said());

    // Nothing gets through until the broker gives the transaction up: new clients, and its effects once more.
    proxy.lose(Lost::Requests);
    wait_for("the transaction to be given up", LIMIT, || kafka.said().contains("due to timeout").then_some(()));
    proxy.lose(Lost::Nothing);
    wait_for("the member to begin anew", LIMIT, || member.said().contains("joining again").then_some(()));
    installation.settle(LIMIT);
    installation.assert_equals_replay(&[&member]);
    assert_eq!(member.terminate().code(), Some(0));
}

/// A client whose `JoinGroup` comes too late is told that nobody knows it, and joins again by itself, without a word of what it
/// has lost meanwhile (librdkafka 2.12, `rd_kafka_cgrp_handle_JoinGroup`).
#[test]
fn a_member_that_joins_again_without_a_word_says_nothing_that_another_has_said() {
    let proxy = Proxy::listen();
    let kafka = OwnKafka::behind(&proxy.address);
    proxy.lead_to(&kafka.address);
    let installation = Installation::create_on(&proxy.address, "unnoticed", 4, Stamps::Producers);
    let records = families(FAMILIES);
    let (first_part, rest) = records.split_at(records.len() / 3);
    let (second_part, third_part) = rest.split_at(rest.len() / 2);
    installation.send(first_part);
    let first = Member::start(&installation, &["--instance", "first"]);
    installation.settle(LIMIT);

    // It neither joins nor sees a record. The group goes on without it, and then loses the other.
    let workers = format!("zoner-{}-", first.pid());
    proxy.hold(&workers, &[FETCH, JOIN_GROUP]);
    let said_before = first.said().len();
    let second = Member::start(&installation, &["--instance", "second"]);
    installation.send(second_part);
    installation.settle(LIMIT);
    second.kill();

    // The group has it again, and nobody else wants its partitions, before it sees what was worked on meanwhile.
    proxy.hold(&workers, &[FETCH]);
    wait_for("the first to be a member again", LIMIT, || {
        let said = first.said();
        let mut new = said[said_before..].lines();
        let is_of_travellers = |line: &str| line.contains("user_activity") || line.contains("travellers");
        let begins = |line: &str| line.contains("joining again") || line.contains("partitions assigned");
        new.any(|line| is_of_travellers(line) && begins(line)).then_some(())
    });
    proxy.hold(&workers, &[]);
    installation.send(third_part);
    installation.settle(LIMIT);
    installation.assert_equals_replay(&[&first]);
    assert_eq!(first.terminate().code(), Some(0));
}
