//! A static member that is killed between the two halves of a cooperative rebalance leaves partitions to nobody.

use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::groups::GroupInfo;
use zoner::engine::record::Topic;

use super::installation::{Installation, Stamps};
use super::member::Member;
use crate::common::records::{MONDAY, light};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

fn group_is(asks: &BaseConsumer, name: &str, wanted: impl Fn(&GroupInfo) -> bool) -> Option<()> {
    let groups = asks.fetch_group_list(Some(name), LIMIT).ok()?;
    groups.groups().iter().any(|group| group.state() == "Stable" && wanted(group)).then_some(())
}

#[test]
fn partitions_that_a_killed_static_member_was_about_to_hand_over_find_an_owner_by_themselves() {
    let installation = Installation::create("ownerless", 4, Stamps::Producers);
    let mut cluster = installation.cluster.clone();
    cluster.instance_id = Some("first".to_owned());
    let group = cluster.group("travellers");
    let asks: BaseConsumer = BaseConsumer::from_config(&cluster.reader("asks")).expect("a consumer");

    // It owns everything. From here on it hears what the group wants of it, and does not get to doing it.
    let mut settings = cluster.group_consumer("travellers", 0);
    settings.set("session.timeout.ms", "30000");
    let dying: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    dying.subscribe(&[&installation.input(Topic::UserActivity)]).expect("a subscription");
    wait_for("everything to be assigned", LIMIT, || {
        assert!(dying.poll(Duration::from_millis(50)).is_none_or(|polled| polled.is_err()), "nothing was sent");
        (dying.assignment().ok()?.count() == 4).then_some(())
    });

    // Half of it is meant for another. The group rests until it is given up.
    let mut second = Member::spawn(&installation, &["--instance", "second"]);
    wait_for("a group of two", LIMIT, || group_is(&asks, &group, |group| group.members().len() == 2));
    // A static member does not leave the group at its end; and at the end it is too late to join again.
    drop(dying);
    let first = Member::start(&installation, &["--instance", "first"]);
    second.wait_until_ready();

    let both = [&first, &second];
    wait_for("every partition to have an owner", LIMIT, || {
        let owned = both.map(|member| member.metric("zoner_partitions_owned", "user_activity"));
        (owned.iter().sum::<f64>() > 3.5).then_some(())
    });
    let knocks: f64 = both.iter().map(|member| member.metric("zoner_knocks_total", "user_activity")).sum();
    assert!((0.5..1.5).contains(&knocks), "one of them, once: {knocks}");
    let said: Vec<String> = both.iter().map(|member| member.said()).collect();
    assert_eq!(said.iter().filter(|said| said.contains("partitions belong to nobody")).count(), 1, "{said:?}");

    // They are worked on, and nobody stays in the group who only came to knock.
    wait_for("the group to rest", LIMIT, || group_is(&asks, &group, |group| group.members().len() == 2));
    let households: Vec<String> = (0..40).map(|number| format!("household-{number}")).collect();
    installation.send(&households.iter().map(|household| light(household, "noah", MONDAY)).collect::<Vec<_>>());
    installation.settle(LIMIT);
    installation.assert_equals_replay(&both);
}
