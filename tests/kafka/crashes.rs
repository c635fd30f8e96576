//! Members that are killed, join and leave while records arrive: nothing is lost, nothing is said twice.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use serde_json::Value;
use zoner::kafka::tail::Tail;
use zoner::units::Span;

use super::comparison::own_states;
use super::installation::{Installation, Stamps, put};
use super::member::Member;
use super::reading::of_reason;
use crate::common::families::families;
use crate::common::program::run;
use crate::common::records::{MONDAY, light};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);
const FAMILIES: i64 = 40;

/// Counts recommendations as they become visible.
struct Count {
    tail: Tail,
    seen: usize,
}

impl Count {
    fn new(installation: &Installation) -> Count {
        let tail = Tail::open(&installation.cluster, &installation.topic("recommendations")).expect("recommendations");
        Count { tail, seen: 0 }
    }

    /// Waits for so many more.
    fn more(&mut self, wanted: usize) {
        let goal = self.seen + wanted;
        wait_for("more recommendations", LIMIT, || {
            while self.seen < goal && self.tail.next(Duration::from_millis(20)).is_some() {
                self.seen += 1;
            }
            (self.seen >= goal).then_some(())
        });
    }
}

/// What the week of the families comes to, whoever was there to see it. What the processors wrote for each other stands
/// in the recording, so that a replay would not miss what was lost of it.
fn assert_week(installation: &Installation, recommendations: &[Value]) {
    let fliers = FAMILIES as usize / 2;
    assert!(of_reason(recommendations, "nap_missed").len() >= fliers);
    let told: BTreeSet<_> = of_reason(recommendations, "flight_delayed")
        .iter()
        .map(|said| (said["household_id"].to_string(), said["user_id"].to_string()))
        .collect();
    assert_eq!(told.len(), 2 * fliers, "both travellers of every second family");

    let watches: Vec<String> = internal(installation, "flight_status", "watch");
    assert_eq!(watches.len(), fliers);
    assert_eq!(watches.iter().collect::<BTreeSet<_>>().len(), fliers, "each watches once");
    let updates = internal(installation, "user_activity", "flight_update");
    assert_eq!(updates.iter().collect::<BTreeSet<_>>().len(), updates.len(), "no news comes twice");
    let last = MONDAY + Span::days(6);
    let is_last = |update: &&String| {
        let value: Value = serde_json::from_str(update).expect("JSON");
        value["flight"]["observed_at"].as_str().is_some_and(|text| text >= last.to_rfc3339().as_str())
    };
    assert_eq!(updates.iter().filter(is_last).count(), fliers, "everybody has the last news");
}

/// What the engine wrote into an input topic.
fn internal(installation: &Installation, role: &str, activity: &str) -> Vec<String> {
    let records = installation.read(role);
    let own = records.iter().filter(|record| record.json()["activity"] == activity);
    own.map(|record| record.text().to_owned()).collect()
}

#[test]
fn a_member_that_is_killed_again_and_again_loses_nothing_and_says_nothing_twice() {
    let installation = Installation::create("crash", 4, Stamps::Producers);
    let mut count = Count::new(&installation);
    let stream = installation.stream(families(FAMILIES), Duration::from_millis(4));
    for wanted in [3, 12, 25, 40] {
        // The same name takes the place of the one that was killed at once.
        let member = Member::start(&installation, &["--instance", "only"]);
        count.more(wanted);
        member.kill();
    }
    let member = Member::start(&installation, &["--instance", "only"]);
    stream.join().expect("everything sent");
    installation.settle(LIMIT);
    assert_week(&installation, &installation.assert_equals_replay(&[&member]));
    assert_eq!(member.terminate().code(), Some(0));

    // What was known is known again after an orderly end, and nothing is said anew.
    let published = installation.read("recommendations").len();
    let member = Member::start(&installation, &["--instance", "only"]);
    let recommendations = installation.assert_equals_replay(&[&member]);
    assert_eq!(recommendations.len(), published);
}

#[test]
fn a_member_whose_producer_another_has_fenced_joins_again_and_loses_nothing() {
    let installation = Installation::create("fenced", 4, Stamps::Producers);
    let mut count = Count::new(&installation);
    let stream = installation.stream(families(FAMILIES), Duration::from_millis(2));
    let member = Member::start(&installation, &["--instance", "only"]);
    let feed = installation.feed();
    for round in 1..=2 {
        count.more(20);
        // Whoever begins to use a transactional id ends its use by others.
        let mut settings = installation.cluster.plain_producer("usurper");
        settings.set("transactional.id", format!("{}-only-0-{}", installation.cluster.group("travellers"), round % 2));
        let usurper: BaseProducer = BaseProducer::from_config(&settings).expect("a producer");
        usurper.init_transactions(LIMIT).expect("the other's transactional id");
        wait_for("the member to notice", LIMIT, || {
            // It notices when it has something to commit.
            put(&feed, &light("somebody else", "noah", MONDAY));
            (member.metric("zoner_fenced_total", "") >= f64::from(round)).then_some(())
        });
        wait_for("the member to be ready again", LIMIT, || (member.get("/health/ready").0 == 200).then_some(()));
    }
    stream.join().expect("everything sent");
    installation.settle(LIMIT);
    assert_week(&installation, &installation.assert_equals_replay(&[&member]));
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn members_that_join_leave_and_die_under_load_split_no_household() {
    let installation = Installation::create("members", 4, Stamps::Producers);
    let mut count = Count::new(&installation);
    let stream = installation.stream(families(FAMILIES), Duration::from_millis(4));
    let first = Member::start(&installation, &[]);
    count.more(5);
    let second = Member::start(&installation, &[]);
    let beside = Member::start(&installation, &[]);
    count.more(20);
    assert_eq!(second.terminate().code(), Some(0));
    assert_eq!(beside.terminate().code(), Some(0));
    count.more(20);
    let third = Member::start(&installation, &[]);
    count.more(10);
    // Nobody is told: the group has to notice.
    third.kill();
    let fourth = Member::start(&installation, &[]);
    stream.join().expect("everything sent");
    installation.settle(LIMIT);

    let both = [&first, &fourth];
    wait_for("both members to be ready", LIMIT, || {
        both.iter().all(|member| member.get("/health/ready").0 == 200).then_some(())
    });
    assert_week(&installation, &installation.assert_equals_replay(&both));
    for member in both {
        assert!(!own_states(member).is_empty(), "each owns some partitions");
        let alone = run(["state", "dump", "--member", member.address()]).failed(1);
        assert!(alone.contains("belong to none of these members") && alone.contains("--partial"), "{alone}");
        let content = run(["state", "dump", "--partial", "--member", member.address()]);
        assert!(content.err.contains("belong to none of these members"), "{}", content.err);
    }
    assert!(first.metric("zoner_rebalances_total", "") >= 3.0);
    assert_eq!(first.terminate().code(), Some(0));
    assert_eq!(fourth.terminate().code(), Some(0));
}

#[test]
fn several_workers_in_a_process_say_what_one_says() {
    let installation = Installation::create("workers", 4, Stamps::Producers);
    let config = std::fs::read_to_string(&installation.config_file).expect("the configuration");
    let config = config.replace("[engine]", "[engine]\ntraveller_workers = 3\nflight_workers = 2\nbatch = 7");
    std::fs::write(&installation.config_file, config).expect("the configuration");
    let stream = installation.stream(families(FAMILIES), Duration::from_millis(1));
    let member = Member::start(&installation, &[]);
    stream.join().expect("everything sent");
    installation.settle(LIMIT);
    assert_week(&installation, &installation.assert_equals_replay(&[&member]));
    assert_eq!(member.terminate().code(), Some(0));
}
