//! A nap that does not come.

use std::time::Duration;

use serde_json::Value;
use zoner::engine::clock::{Clock as _, SystemClock};
use zoner::units::{Span, UtcMillis};

use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use super::reading::of_reason;
use crate::common::records::{Child, MONDAY, Sent, light, tick};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

fn at_of(cause: &Value) -> UtcMillis {
    let text = cause["at"].as_str().expect("a time");
    UtcMillis(chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp_millis())
}

/// Ten regular days, and a morning on which the nap is still to come.
fn ten_days_and_a_morning(child: &Child) -> (Vec<Sent>, UtcMillis) {
    let last = MONDAY + Span::days(10);
    let mut records = vec![child.profile(MONDAY)];
    records.extend(child.days(MONDAY, 10));
    records.push(child.night(last));
    (records, last)
}

#[test]
fn a_nap_that_does_not_come_is_said_once_when_the_time_of_the_partition_passes_its_alarm() {
    let installation = Installation::create("nap", 4, Stamps::Producers);
    let mia = Child::toddler("household-1", "mia");
    let (mut records, last) = ten_days_and_a_morning(&mia);
    // Somebody else moves the time of the partition to three in the afternoon, and further.
    let neighbour = installation.neighbour_of(&mia.household);
    records.push(light(&neighbour, "noah", last + Span::hours(15)));
    records.push(light(&neighbour, "noah", last + Span::hours(16)));
    installation.send(&records);

    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    let recommendations = installation.assert_equals_replay(&[&member]);
    let missed = of_reason(&recommendations, "nap_missed");
    assert_eq!(missed.len(), 1, "{recommendations:#?}");
    let cause = &missed[0]["cause"];
    assert_eq!((&cause["activity"], &missed[0]["user_id"]), (&"timer".into(), &"mia".into()));
    // At its own time, not at that of the record that made it known.
    assert_eq!(missed[0]["issued_at"], cause["at"]);
    let at = at_of(cause);
    assert!(at > last + Span::minutes(mia.nap) && at < last + Span::hours(15), "{at:?}");
    assert!(missed[0]["headline"].as_str().is_some_and(|headline| headline.contains("Mia")));

    let states = states(&[&member]);
    assert_eq!(states.len(), 2);
    assert_eq!(member.metric("zoner_recommendations_total", "nap_missed") as i64, 1);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn a_tick_is_enough_to_move_time() {
    let installation = Installation::create("tick", 1, Stamps::Producers);
    let mia = Child::toddler("household-1", "mia");
    let (mut records, last) = ten_days_and_a_morning(&mia);
    records.push(tick(last + Span::hours(15)));
    installation.send(&records);
    let _member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    assert_eq!(of_reason(&installation.recommendations(), "nap_missed").len(), 1);
}

/// A zone in which it is between one and two in the afternoon at a time, and the midnight before in it.
fn zone_after_lunch(now: UtcMillis) -> (String, UtcMillis) {
    let hour = now.0.div_euclid(3_600_000).rem_euclid(24);
    let ahead = 13 - hour;
    // POSIX: Etc/GMT-3 is three hours ahead of Greenwich.
    let name = if ahead == 0 { "Etc/GMT".to_owned() } else { format!("Etc/GMT{:+}", -ahead) };
    let local = now + Span::hours(ahead);
    (name, local.floor_to(Span::days(1)) - Span::hours(ahead))
}

#[test]
fn where_nothing_arrives_the_owner_writes_the_time_and_the_missed_nap_is_said() {
    let installation = Installation::create("silence", 4, Stamps::Producers);
    let now = SystemClock.now();
    let (zone, midnight) = zone_after_lunch(now);
    // Alarms are given on the minute, half an hour after the usual start of the nap: this one comes soon.
    let due = (now + Span::seconds(6)).ceil_to(Span::minutes(1));
    let mut mia = Child::toddler("household-1", "mia");
    mia.zone = zone;
    mia.born = "2025-01".to_owned();
    mia.wake = 330;
    mia.nap = (due - Span::minutes(30) - midnight).as_minutes();
    let mut records = vec![mia.profile(midnight - Span::days(6))];
    records.extend(mia.days(midnight - Span::days(6), 6));
    records.push(mia.night(midnight));
    installation.send(&records);

    // From here on the broker's clock stamps what arrives, as in production.
    let live = Installation { stamps: Stamps::Broker, ..installation };
    live.run(&["topics", "create", "--alter"]).ok();
    let member = Member::start(&live, &[]);
    let missed = wait_for("the missed nap", Duration::from_secs(90), || {
        let recommendations = live.recommendations();
        of_reason(&recommendations, "nap_missed").first().map(|missed| (*missed).clone())
    });
    assert_eq!(at_of(&missed["cause"]), due);
    let partition = live.partition_of(&mia.household);
    let moved_by = live
        .read("user_activity")
        .into_iter()
        .find(|record| record.partition == partition && missed["cause"]["offset"] == record.offset);
    let moved_by = moved_by.expect("the record that moved time");
    assert_eq!(moved_by.json()["activity"], "tick");
    assert!(moved_by.stamp >= due);
    assert!(member.metric("zoner_ticks_total", "") >= 1.0);
    assert_eq!(member.terminate().code(), Some(0));
    assert_eq!(of_reason(&live.recommendations(), "nap_missed").len(), 1);
}
