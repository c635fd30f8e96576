//! What families and feeds write during a few days: short lives in which much happens.
//!
//! Naps that are told, skipped, or never mentioned again; flights that are late; facts that arrive late, twice, in the
//! wrong partition, or make no sense.

use serde_json::json;
use zoner::engine::placement::Placement;
use zoner::engine::record::Topic;
use zoner::units::{Span, UtcMillis};

use crate::common::records::{Child, Flight, MONDAY, Sent, activity, adult, light};
use crate::kafka_model::partition_log::Stored;
use crate::plan::Plan;
use crate::random::Random;

/// A record as it will arrive.
#[derive(Clone, Debug)]
pub struct Arriving {
    pub at: i64,
    pub topic: Topic,
    pub partition: i32,
    pub record: Stored,
}

const TWIN: &str = "twin-";

/// Two households in one partition to which the same happens, told in another order (LT-1).
#[derive(Clone, Debug)]
pub struct Twins {
    pub households: [String; 2],
}

pub struct Script {
    /// By time of arrival.
    pub arriving: Vec<Arriving>,
    pub twins: Option<Twins>,
}

impl Script {
    pub fn of(plan: &Plan, random: &mut Random) -> Script {
        let mut sent = Vec::new();
        for number in 0..plan.households {
            household(plan, number, random, &mut sent);
        }
        let twins = random.permille(300).then(|| twins(plan, random, &mut sent));
        let misplaces = if random.permille(300) { 150 } else { 0 };
        let mut arriving: Vec<Arriving> = Vec::new();
        for (sent, may_be_late) in &sent {
            // What is forwarded arrives when its first partition is read, which may be days later in simulated time.
            let misplaces = if sent.key.starts_with(TWIN) { 0 } else { misplaces };
            let one = arrival(plan, sent, *may_be_late, misplaces, random);
            if random.permille(40) {
                // A producer that is not idempotent tries again.
                let again = Arriving { at: one.at + random.between(0, 90_000), ..one.clone() };
                arriving.push(again);
            }
            arriving.push(one);
        }
        for _ in 0..random.below(4) {
            arriving.push(nonsense(plan, random));
        }
        arriving.sort_by_key(|one| one.at);
        Script { arriving, twins }
    }
}

fn arrival(plan: &Plan, sent: &Sent, may_be_late: bool, misplaces: u32, random: &mut Random) -> Arriving {
    let delay = match random.below(10) {
        0 if may_be_late => random.between(60_000, 12 * 3_600_000),
        1..=3 => random.between(0, 60_000),
        _ => 0,
    };
    let placement = if random.permille(misplaces) { Placement::Crc32 } else { Placement::Murmur2 };
    let has_key = !random.permille(misplaces / 10);
    let partition = if has_key {
        placement.partition(sent.key.as_bytes(), plan.partitions)
    } else {
        random.below(plan.partitions as usize) as i32
    };
    Arriving {
        at: sent.stamp.0 + delay,
        topic: sent.topic,
        partition,
        record: Stored {
            key: has_key.then(|| sent.key.clone().into_bytes()),
            value: Some(sent.value.to_string().into_bytes()),
            headers: Vec::new(),
            stamp: sent.stamp.0 + if random.permille(500) { delay } else { 0 },
        },
    }
}

fn nonsense(plan: &Plan, random: &mut Random) -> Arriving {
    let values: [&[u8]; 5] = [
        b"{",
        b"",
        br#"{"user_id":"mia","activity":"levitation","timestamp":1740990000}"#,
        br#"{"user_id":"mia","activity":"meal","timestamp":99999999999}"#,
        br#"{"user_id":"mia","household_id":"somewhere-else","activity":"meal","timestamp":1740990000}"#,
    ];
    let at = MONDAY.0 + random.between(0, plan.days * 86_400_000);
    let topic = if random.coin() { Topic::UserActivity } else { Topic::FlightStatus };
    let key = b"family-0".to_vec();
    let record = Stored { key: Some(key), value: Some(random.pick(&values).to_vec()), headers: Vec::new(), stamp: at };
    Arriving { at, topic, partition: random.below(plan.partitions as usize) as i32, record }
}

type Told = Vec<(Sent, bool)>;

fn household(plan: &Plan, number: usize, random: &mut Random, told: &mut Told) {
    let household = format!("family-{number}");
    let mut mia = Child::toddler(&household, "mia");
    mia.wake += random.between(-30, 30);
    mia.nap += random.between(-40, 40);
    let has_adult = random.coin();
    told.push((mia.profile(MONDAY), false));
    if has_adult {
        told.push((adult(&household, "anna", MONDAY + Span::minutes(random.between(0, 300))), false));
    }
    for day in 0..plan.days {
        let midnight = MONDAY + Span::days(day);
        if random.permille(850) {
            told.push((mia.night(midnight), true));
        }
        match random.below(6) {
            0 => told.push((mia.nap_begins(midnight), true)),
            1 | 2 => told.extend([(mia.nap_begins(midnight), false), (mia.nap(midnight), true)]),
            3 => {
                let at = midnight + Span::minutes(mia.nap + random.between(0, 90));
                let value = json!({"user_id": "mia", "activity": "nap_skipped", "timestamp": at.to_rfc3339()});
                told.push((activity(&household, at + Span::seconds(5), value), true));
            }
            _ => {}
        }
        for _ in 0..random.below(6) {
            let user = if has_adult { "anna" } else { "mia" };
            let at = midnight + Span::seconds(random.between(0, 86_399));
            told.push((light(&household, user, at), true));
        }
        if random.permille(30) {
            let at = midnight + Span::minutes(random.between(0, 1_439));
            let value = json!({"user_id": "mia", "activity": "erase"});
            told.push((activity(&household, at, value), false));
        }
    }
    if random.permille(400) {
        journey(&household, if has_adult { &["mia", "anna"] } else { &["mia"] }, plan, random, told);
    }
}

fn journey(household: &str, travellers: &[&str], plan: &Plan, random: &mut Random, told: &mut Told) {
    let end = plan.days * 1_440;
    let flight = Flight {
        designator: format!("BA{}", 100 + random.below(2)),
        departs: MONDAY + Span::minutes(end) + Span::hours(random.between(-6, 30)),
    };
    let booked = MONDAY + Span::minutes(random.between(0, end / 2));
    told.push((flight.trip(household, travellers, booked), true));
    for _ in 0..random.below(4) {
        let at = MONDAY + Span::minutes(random.between(0, end));
        told.push((flight.late(Span::minutes(*random.pick(&[0, 5, 90, 240])), at), true));
    }
}

/// The same facts for two households of one partition: the first is told in order, the second late and at random.
fn twins(plan: &Plan, random: &mut Random, told: &mut Told) -> Twins {
    let first = format!("{TWIN}0");
    let partition_of = |key: &str| Placement::Murmur2.partition(key.as_bytes(), plan.partitions);
    let partition = partition_of(&first);
    let second = (1..).map(|number| format!("{TWIN}{number}")).find(|name| partition_of(name) == partition);
    let households = [first, second.unwrap_or_default()];
    let end = MONDAY + Span::days(plan.days);
    let child = Child::toddler(&households[0], "leo");
    let mut facts: Vec<(UtcMillis, serde_json::Value)> = Vec::new();
    for day in 0..plan.days {
        let midnight = MONDAY + Span::days(day);
        for sent in [child.night(midnight), child.nap(midnight)] {
            facts.push((sent.stamp, sent.value));
        }
        for _ in 0..random.below(4) {
            let sent = light(&households[0], "leo", midnight + Span::seconds(random.between(0, 86_399)));
            facts.push((sent.stamp, sent.value));
        }
    }
    let of =
        |household: &str, at: UtcMillis, value: &serde_json::Value| (activity(household, at, value.clone()), false);
    let profile = child.profile(MONDAY).value;
    told.extend(households.iter().map(|household| of(household, MONDAY, &profile)));
    for (at, value) in facts {
        told.push(of(&households[0], at, &value));
        let latest = (at + Span::hours(40)).min(end + Span::hours(1)).max(at);
        let late = UtcMillis(random.between(at.0, latest.0));
        told.push(of(&households[1], late, &value));
    }
    Twins { households }
}
