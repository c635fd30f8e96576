//! Tens of thousands of timers that one record makes due.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use zoner::engine::record::Topic;
use zoner::units::Span;

use super::installation::{Installation, Stamps};
use super::member::Member;
use super::reading::of_reason;
use crate::common::records::{Child, MONDAY, Sent, light};
use crate::common::wait_for;

const CHILDREN: i64 = 30_000;
const TIMERS_PER_TRANSACTION: usize = 1_000;
const LIMIT: Duration = Duration::from_secs(120);

/// Three days of naps and a morning of each child; the alarms are spread over a quarter of an hour.
fn children() -> Vec<Sent> {
    let mut records = Vec::new();
    for number in 0..CHILDREN {
        let mut child = Child::toddler(&format!("household-{number:05}"), "mia");
        child.nap += number * 7 % 15;
        records.push(child.profile(MONDAY));
        records.extend((0..3).map(|day| child.nap(MONDAY + Span::days(day))));
        records.push(child.night(MONDAY + Span::days(3)));
    }
    records.sort_by_key(|record| record.stamp);
    records
}

#[test]
fn thirty_thousand_timers_due_after_an_outage_are_worked_off_in_many_transactions_and_said_once() {
    let installation = Installation::create("outage", 1, Stamps::Producers);
    installation.send(&children());
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    assert!(installation.read("recommendations").iter().all(|record| record.json()["reason"] != "nap_missed"));
    let before = member.metric("zoner_transactions_total", "committed");

    // Three hours of silence after the first alarm, and one record.
    installation.send(&[light("somebody else", "noah", MONDAY + Span::days(3) + Span::hours(16))]);
    let offset = installation.committed(Topic::UserActivity)[0].clone().expect("an offset").0;
    wait_for("the first transactions", LIMIT, || {
        let done = member.metric("zoner_transactions_total", "committed") - before;
        (done >= 3.0).then_some(())
    });
    member.kill();

    // In the middle of one record: its own offset stands, with the last timer that was said.
    let (stands, cursor) = installation.committed(Topic::UserActivity)[0].clone().expect("an offset");
    assert_eq!(stands, offset);
    assert!(cursor.starts_with("timers:"), "{cursor:?}");
    let said_before = installation.read("recommendations").len();
    assert!(said_before > 0 && said_before < CHILDREN as usize, "{said_before}");

    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    let rest = (CHILDREN as usize - said_before) / TIMERS_PER_TRANSACTION;
    assert!(member.metric("zoner_transactions_total", "committed") as usize >= rest);
    let replayed = installation.replay();
    let recommendations = installation.assert_published(&replayed);
    let missed = of_reason(&recommendations, "nap_missed");
    let households: BTreeSet<String> = missed.iter().map(|said| said["household_id"].to_string()).collect();
    assert_eq!((missed.len(), households.len()), (CHILDREN as usize, CHILDREN as usize));
    assert_eq!(member.metric("zoner_recommendations_held_total", "expired") as i64, 0);
    assert_eq!(replayed.states.len(), CHILDREN as usize + 1);
    for replayed in replayed.states.iter().step_by(1_000) {
        let replayed: Value = serde_json::from_str(replayed).expect("JSON");
        let text = |field: &str| replayed[field].as_str().expect("a text").replace(' ', "%20");
        let path = format!("/v1/households/{}/users/{}", text("household_id"), text("estimate_of"));
        let (status, body) = member.get(&path);
        let live: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, &live), (200, &replayed));
    }
}
