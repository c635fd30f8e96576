//! Members that end while their group has just spoken: nobody is left to answer it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use zoner::engine::log::{GroupEvent, Log as _};
use zoner::engine::record::Topic;
use zoner::kafka::{Cluster, KafkaLog};

use super::installation::{Installation, Stamps};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

/// A member as a worker has it, of which the group is whole.
fn joined(cluster: &Arc<Cluster>) -> KafkaLog {
    let log = KafkaLog::join(Arc::clone(cluster), Topic::UserActivity, "travellers", 0).expect("a member");
    let asks: BaseConsumer = BaseConsumer::from_config(&cluster.reader("asks")).expect("a consumer");
    let name = cluster.group("travellers");
    wait_for("the group to have an assignment", LIMIT, || {
        let groups = asks.fetch_group_list(Some(&name), LIMIT).ok()?;
        let is_stable = groups.groups().iter().any(|group| group.state() == "Stable" && !group.members().is_empty());
        is_stable.then_some(())
    });
    log
}

/// Ends by itself, and sooner than clients are given up that never end.
fn assert_closes(log: KafkaLog) {
    let begun = Instant::now();
    log.close(false);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_member_ends_although_its_assignment_was_not_answered() {
    let installation = Installation::create("closing", 2, Stamps::Producers);
    let mut cluster = installation.cluster.clone();
    cluster.instance_id = Some("only".to_owned());
    let cluster = Arc::new(cluster);

    // Stopped before it has looked.
    assert_closes(joined(&cluster));

    // Failed between hearing of it and answering, for example because the broker did not tell an offset.
    let mut log = joined(&cluster);
    wait_for("the assignment", LIMIT, || {
        let events = log.group_events().expect("events");
        events.iter().any(|event| matches!(event, GroupEvent::Assigned(_))).then_some(())
    });
    assert_closes(log);
}
