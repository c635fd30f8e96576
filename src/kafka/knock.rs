//! Partitions that belong to nobody although their group is at rest, and the knock that makes the group assign anew.
//!
//! In a cooperative rebalance a member first gives a partition up and then joins again, so that somebody else gets it. A
//! static member that is killed in between has a successor who joins without a rebalance, with what the coordinator has
//! stored for the name; nobody asks for the second half. A dynamic member that joins for a moment makes everybody join
//! again. It subscribes to a topic that no other member wants, so that no partition of the inputs goes to it, and reads nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::groups::{GroupInfo, GroupMemberInfo};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use tracing::{debug, warn};

use super::group::{GroupContext, end_aside, take_nothing};
use super::identity::{self, Verdict};
use super::settings::Cluster;
use crate::engine::record::Topic;
use crate::engine::worker::{self, Shared};
use crate::telemetry;

/// One question to the cluster.
const ROUND_TRIP: Duration = Duration::from_secs(3);

/// How long the one that knocks waits to be let in: everybody else joins again first.
const LONGEST_KNOCK: Duration = Duration::from_secs(10);

/// In vain again and again, a knock comes after so many sessions at the latest.
const MOST_PATIENT: u32 = 64;

/// Whom a process looks after.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    pub topic: Topic,
    pub processor: &'static str,
    /// The process's own members.
    pub workers: usize,
    /// Partitions of the topic when the process started.
    pub partitions: i32,
}

/// Looks at a processor's group until the process stops, and knocks where a partition of its input stays without an owner. Of
/// all the processes that look, the one whose member comes first does it. Looks at its topics as well.
///
/// # Errors
/// The topic has more partitions than when the process started: nobody may have the new ones. Or the input or the state topic
/// was deleted, or made anew: nobody can go on.
pub fn watch(cluster: &Cluster, charge: Charge, shared: &Shared) -> Result<(), String> {
    let stop = &shared.stop;
    let Charge { topic, processor, workers, partitions } = charge;
    let knocks = telemetry::knocks(topic);
    if cluster.embedded {
        // It has one process, and does not say who is in a group.
        return Ok(());
    }
    let client =
        BaseConsumer::from_config_and_context(&cluster.reader(&format!("{processor}-watch")), GroupContext::default());
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            warn!(topic = topic.as_str(), why = super::describe(&error), "nobody looks after ownerless partitions");
            return Ok(());
        }
    };
    let own_members: Vec<String> = (0..workers).map(|worker| cluster.member_prefix(processor, worker)).collect();
    let session = cluster.session(processor);
    let mut vigil = Vigil::new(session);
    let mut topics = identity::Sameness::of(cluster, topic);
    topics.look(client.client(), ROUND_TRIP);
    loop {
        thread::park_timeout(session / 2);
        if stop.load(Ordering::Acquire) {
            return Ok(());
        }
        // Nothing is read here; what the client has to say of connections must not pile up.
        while client.poll(Duration::ZERO).is_some() {}
        match topics.look(client.client(), ROUND_TRIP) {
            Verdict::Same => shared.directory.set_doubt(topic, None),
            Verdict::Unknown => {}
            Verdict::Doubtful(why) => shared.directory.set_doubt(topic, Some(why)),
            Verdict::Certain(why) => {
                shared.directory.set_doubt(topic, Some(why.clone()));
                return Err(why);
            }
        }
        let seen = look(&client, &cluster.group(processor), &cluster.topic(topic));
        if let Some(added) = seen.as_ref().and_then(|seen| seen.first_beyond(partitions)) {
            return Err(worker::partition_was_added(topic, added, partitions));
        }
        let due = vigil.note(Instant::now(), seen.as_ref().map(|seen| &seen.ownerless));
        let is_ours = seen.is_some_and(|seen| own_members.iter().any(|own| seen.first_member.starts_with(own)));
        if due.is_empty() || !is_ours {
            continue;
        }
        warn!(
            topic = topic.as_str(),
            partitions = ?due,
            "partitions belong to nobody although the group is at rest, as it happens when a member dies in a rebalance: \
             making the group assign anew"
        );
        knocks.increment(1);
        vigil.has_knocked();
        if let Err(error) = knock(cluster, processor, stop) {
            let remedy = match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                    format!("allow Describe on the topic {}", cluster.dead_letters())
                }
                _ => "where it stays so, add a member, or stop one for longer than its session".to_owned(),
            };
            warn!(topic = topic.as_str(), %error, remedy, "the group could not be made to assign anew");
        }
    }
}

/// A group at rest.
#[derive(Debug, Default)]
struct Seen {
    ownerless: BTreeSet<i32>,
    /// The member id that sorts first.
    first_member: String,
}

impl Seen {
    /// The first partition that came after so many. Until members hear of it, it has no owner: that is no reason to knock.
    fn first_beyond(&self, partitions: i32) -> Option<i32> {
        self.ownerless.range(partitions..).next().copied()
    }
}

/// `None` where the group is not at rest, or nobody answers.
fn look(client: &BaseConsumer<GroupContext>, group: &str, topic: &str) -> Option<Seen> {
    let failed = |error: &KafkaError| debug!(%error, group, "asking who owns what");
    let groups = client.fetch_group_list(Some(group), ROUND_TRIP).inspect_err(failed).ok()?;
    let stable = groups.groups().iter().find(|found| found.name() == group && found.state() == "Stable")?;
    let first_member = stable.members().iter().map(GroupMemberInfo::id).min()?.to_owned();
    let owned = owned(stable, topic)?;
    let metadata = client.fetch_metadata(Some(topic), ROUND_TRIP).inspect_err(failed).ok()?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    let ownerless = partitions.map(MetadataPartition::id).filter(|id| !owned.contains(id)).collect();
    Some(Seen { ownerless, first_member })
}

fn owned(group: &GroupInfo, topic: &str) -> Option<BTreeSet<i32>> {
    let mut owned = BTreeSet::new();
    for member in group.members() {
        owned.extend(partitions_in(member.assignment().unwrap_or_default(), topic)?);
    }
    Some(owned)
}

/// A topic's partitions in an assignment of Kafka's consumer protocol: a version, then an array of topics, each with an
/// array of partitions (clients/src/main/resources/common/message/ConsumerProtocolAssignment.json); big-endian. Whoever
/// was left out has no bytes at all. `None` where it is something else.
fn partitions_in(assignment: &[u8], topic: &str) -> Option<Vec<i32>> {
    let mut rest = assignment;
    let mut partitions = Vec::new();
    if rest.is_empty() {
        return Some(partitions);
    }
    let _version = short(&mut rest)?;
    for _ in 0..int(&mut rest)? {
        let length = usize::try_from(short(&mut rest)?).ok()?;
        let (name, after) = rest.split_at_checked(length)?;
        rest = after;
        for _ in 0..int(&mut rest)? {
            let partition = int(&mut rest)?;
            if name == topic.as_bytes() {
                partitions.push(partition);
            }
        }
    }
    Some(partitions)
}

fn short(rest: &mut &[u8]) -> Option<i16> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i16::from_be_bytes(*bytes))
}

fn int(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

/// Since when partitions have had no owner, at every look.
struct Vigil {
    session: Duration,
    patience: Duration,
    since: BTreeMap<i32, Instant>,
}

impl Vigil {
    /// Whoever is dead is noticed within a `session`: what lasts longer doesn't end by itself.
    fn new(session: Duration) -> Vigil {
        Vigil { session, patience: session, since: BTreeMap::new() }
    }

    /// Partitions that have been without an owner for too long.
    fn note(&mut self, now: Instant, ownerless: Option<&BTreeSet<i32>>) -> Vec<i32> {
        let Some(ownerless) = ownerless else {
            self.since.clear();
            return Vec::new();
        };
        if ownerless.is_empty() {
            self.patience = self.session;
        }
        self.since.retain(|partition, _| ownerless.contains(partition));
        for partition in ownerless {
            self.since.entry(*partition).or_insert(now);
        }
        let is_due = |since: &Instant| now.duration_since(*since) >= self.patience;
        self.since.iter().filter(|(_, since)| is_due(since)).map(|(partition, _)| *partition).collect()
    }

    /// Every knock stops everybody for a moment: one that does not help is not repeated as soon.
    fn has_knocked(&mut self) {
        self.since.clear();
        self.patience = (self.patience * 2).min(self.session * MOST_PATIENT);
    }
}

/// Joins the group and leaves it.
fn knock(cluster: &Cluster, processor: &str, stop: &AtomicBool) -> Result<(), KafkaError> {
    let consumer: BaseConsumer<GroupContext> =
        BaseConsumer::from_config_and_context(&cluster.knocker(processor), GroupContext::default())?;
    consumer.subscribe(&[&cluster.dead_letters()])?;
    let deadline = Instant::now() + LONGEST_KNOCK;
    let mut outcome = Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
    while outcome.is_err() && Instant::now() < deadline && !stop.load(Ordering::Acquire) {
        if let Some(Err(error)) = consumer.poll(Duration::from_millis(50)) {
            // Some pass; the last one counts if nothing comes after it.
            outcome = Err(error);
        }
        // To be given something, even nothing, is to know that all have joined again.
        if !consumer.context().take_events().is_empty() {
            outcome = take_nothing(&consumer);
        }
    }
    consumer.context().close();
    end_aside(move || drop(consumer));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Duration = Duration::from_secs(10);

    /// Version 3; two topics, one of which has partitions 4 and 1; no user data.
    const ASSIGNMENT: &[u8] =
        b"\0\x03\0\0\0\x02\0\x01a\0\0\0\x01\0\0\0\x07\0\x02bc\0\0\0\x02\0\0\0\x04\0\0\0\x01\xff\xff\xff\xff";

    #[test]
    fn an_assignment_tells_the_partitions_of_each_topic() {
        assert_eq!(partitions_in(ASSIGNMENT, "bc"), Some(vec![4, 1]));
        assert_eq!(partitions_in(ASSIGNMENT, "a"), Some(vec![7]));
        assert_eq!(partitions_in(ASSIGNMENT, "b"), Some(vec![]));
        assert_eq!(partitions_in(b"", "a"), Some(vec![]), "a member that the leader has left out");
    }

    #[test]
    fn an_assignment_that_ends_early_is_not_taken_for_one() {
        let end_of_user_data = ASSIGNMENT.len() - 4;
        for end in 1..end_of_user_data {
            assert_eq!(partitions_in(&ASSIGNMENT[..end], "bc"), None, "cut at {end}");
        }
    }

    #[test]
    fn a_partition_is_knocked_for_when_nobody_had_it_for_a_whole_session() {
        let (begin, none, some) = (Instant::now(), BTreeSet::new(), BTreeSet::from([3]));
        let mut vigil = Vigil::new(SESSION);
        assert!(vigil.note(begin, Some(&some)).is_empty(), "one look is not enough");
        assert!(vigil.note(begin + SESSION / 2, Some(&none)).is_empty());
        assert!(vigil.note(begin + SESSION, Some(&some)).is_empty(), "in between it had an owner");
        assert!(vigil.note(begin + SESSION * 3 / 2, None).is_empty());
        assert!(vigil.note(begin + SESSION * 2, Some(&some)).is_empty(), "in between the group was not at rest");
        assert_eq!(vigil.note(begin + SESSION * 3, Some(&some)), [3]);
    }

    #[test]
    fn partitions_that_were_added_are_not_taken_for_ownerless() {
        let seen = |ownerless: &[i32]| Seen { ownerless: ownerless.iter().copied().collect(), ..Seen::default() };
        assert_eq!(seen(&[]).first_beyond(2), None);
        assert_eq!(seen(&[0, 1]).first_beyond(2), None, "these it started with: somebody has to knock");
        assert_eq!(seen(&[1, 3, 2]).first_beyond(2), Some(2), "whoever else is missing, nobody may go on");
    }

    #[test]
    fn a_knock_that_did_not_help_is_repeated_later_and_later_until_all_is_well() {
        let (begin, none, some) = (Instant::now(), BTreeSet::new(), BTreeSet::from([3]));
        let mut vigil = Vigil::new(SESSION);
        vigil.note(begin, Some(&some));
        assert_eq!(vigil.note(begin + SESSION, Some(&some)), [3]);
        vigil.has_knocked();
        vigil.note(begin + SESSION, Some(&some));
        assert!(vigil.note(begin + SESSION * 2, Some(&some)).is_empty());
        assert_eq!(vigil.note(begin + SESSION * 3, Some(&some)), [3]);
        for _ in 0..100 {
            vigil.has_knocked();
        }
        assert_eq!(vigil.patience, SESSION * MOST_PATIENT);
        vigil.note(begin, Some(&none));
        assert_eq!(vigil.patience, SESSION);
    }
}
