//! Members that are killed, join and leave while records arrive: nothing is lost, nothing is said twice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use zoner::kafka::tail::Tail;

use super::installation::{Installation, Stamps};
use super::member::Member;
use super::reading::of_reason;
use crate::common::families::families;
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

/// What the week of the families comes to, whoever was there to see it.
fn assert_week(recommendations: &[Value]) {
    assert!(of_reason(recommendations, "nap_missed").len() >= FAMILIES as usize / 2);
    let flights: BTreeSet<_> = of_reason(recommendations, "flight_delayed")
        .iter()
        .map(|said| (said["household_id"].to_string(), said["user_id"].to_string()))
        .collect();
    assert_eq!(flights.len(), FAMILIES as usize, "two travellers of every second family");
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
    assert_week(&installation.assert_equals_replay(&[&member]));
    assert_eq!(member.terminate().code(), Some(0));

    // What was known is known again after an orderly end, and nothing is said anew.
    let published = installation.read("recommendations").len();
    let member = Member::start(&installation, &["--instance", "only"]);
    let recommendations = installation.assert_equals_replay(&[&member]);
    assert_eq!(recommendations.len(), published);
}

#[test]
fn members_that_join_leave_and_die_under_load_split_no_household() {
    let installation = Installation::create("members", 4, Stamps::Producers);
    let mut count = Count::new(&installation);
    let stream = installation.stream(families(FAMILIES), Duration::from_millis(4));
    let first = Member::start(&installation, &[]);
    count.more(5);
    let second = Member::start(&installation, &[]);
    count.more(20);
    assert_eq!(second.terminate().code(), Some(0));
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
    assert_week(&installation.assert_equals_replay(&both));
    for member in both {
        assert!(!installation.states(&[member]).is_empty(), "each owns some partitions");
    }
    assert!(first.metric("zoner_rebalances_total", "") >= 3.0);
    assert_eq!(first.terminate().code(), Some(0));
    assert_eq!(fourth.terminate().code(), Some(0));
}
