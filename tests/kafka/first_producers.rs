//! Producers that know nothing of this project's rules.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::comparison::states;
use super::installation::{Installation, Stamps, brokers};
use super::member::Member;
use super::subscribers::{python, script};
use crate::common::program::run_other;

const LIMIT: Duration = Duration::from_secs(30);
const EVENTS: usize = 1_500;
const USERS: usize = 100;

#[test]
fn producers_like_the_first_ones_need_no_change_and_no_household_is_split() {
    let installation = Installation::create("first", 4, Stamps::Broker);
    let member = Member::start(&installation, &[]);
    let topic = installation.topic("user_activity");
    run_other(python().args([&script("first_producer.py"), &brokers(), &topic, &EVENTS.to_string()])).ok();
    installation.settle(LIMIT);

    assert_eq!(installation.read("zoner.dead_letters"), []);
    let forwarded = member.metric("zoner_forwarded_total", "user_activity") as usize;
    let records = installation.read("user_activity");
    let (moved, received): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| record.header("zoner.forwarded").is_some());
    assert_eq!((received.len(), moved.len()), (EVENTS, forwarded));
    assert!(forwarded > 0);
    let key = |record: &super::reading::Found| String::from_utf8(record.key.clone().expect("a key")).expect("UTF-8");
    for record in &moved {
        assert_eq!(record.partition, installation.partition_of(&key(record)));
        let original = String::from_utf8_lossy(record.header("zoner.forwarded").expect("its origin")).into_owned();
        let found = received
            .iter()
            .find(|first| original == format!("user_activity/{}/{}/{}", first.partition, first.offset, first.stamp.0))
            .unwrap_or_else(|| panic!("no record stands at {original}"));
        assert_eq!((&found.key, &found.value), (&record.key, &record.value));
    }
    // All that was not moved lay where it belongs, and none of the misplaced was counted as an event.
    let stayed = received.iter().filter(|record| record.partition == installation.partition_of(&key(record))).count();
    assert_eq!(stayed + moved.len(), EVENTS);
    let events =
        ["sleep", "meal", "light_exposure"].map(|name| member.metric("zoner_events_total", &format!("\"{name}\"")));
    assert_eq!(events.iter().sum::<f64>() as usize, EVENTS);

    let states = states(&[&member]);
    let known: BTreeSet<String> = states
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["estimate_of"].as_str().expect("a user").to_owned()
        })
        .collect();
    assert_eq!((states.len(), known.len()), (USERS, USERS));
    assert!(known.contains("100") && known.contains("199"));
    assert_eq!(member.terminate().code(), Some(0));
}
