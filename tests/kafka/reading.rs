//! Reading topics from outside.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use zoner::engine::record::Topic;
use zoner::kafka::Cluster;
use zoner::units::UtcMillis;

use super::installation::Installation;
use crate::common::wait_for;

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// Longer than any transaction of a member that was killed may last.
const STALLED: Duration = Duration::from_secs(30);

/// A record as a subscriber sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub partition: i32,
    pub offset: i64,
    pub stamp: UtcMillis,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Found {
    fn of(message: &BorrowedMessage<'_>) -> Found {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        Found {
            partition: message.partition(),
            offset: message.offset(),
            stamp: UtcMillis(message.timestamp().to_millis().unwrap_or_default()),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().unwrap_or_default()).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name)?.1.as_deref()
    }
}

/// Everything committed in a topic, from the given offsets (or the beginning) to the end that it has now. What an open
/// transaction holds back is waited for.
fn read_from(cluster: &Cluster, topic: &str, starts: &BTreeMap<i32, i64>) -> Vec<Found> {
    let mut settings = cluster.reader("ends");
    // A read_committed client is told the last stable offset as the end.
    settings.set("isolation.level", "read_uncommitted");
    let any: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    let metadata = any.fetch_metadata(Some(topic), ROUND_TRIP).expect("metadata");
    let partitions: Vec<i32> =
        metadata.topics().iter().flat_map(MetadataTopic::partitions).map(MetadataPartition::id).collect();
    let mut ends = BTreeMap::new();
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        let (low, end) = any.fetch_watermarks(topic, partition, ROUND_TRIP).expect("watermarks");
        let start = starts.get(&partition).copied().unwrap_or(low);
        if start < end {
            ends.insert(partition, end);
            list.add_partition_offset(topic, partition, Offset::Offset(start)).expect("an offset");
        }
    }
    let mut found = Vec::new();
    if ends.is_empty() {
        return found;
    }
    let consumer: BaseConsumer = BaseConsumer::from_config(&cluster.reader("all")).expect("a consumer");
    consumer.assign(&list).expect("an assignment");
    let begun = Instant::now();
    loop {
        let Some(message) = consumer.poll(Duration::from_millis(20)) else {
            let positions = consumer.position().expect("positions");
            let reached = |(partition, end): (&i32, &i64)| {
                let position = positions.find_partition(topic, *partition).map(|element| element.offset());
                matches!(position, Some(Offset::Offset(offset)) if offset >= *end)
            };
            if ends.iter().all(reached) {
                return found;
            }
            assert!(begun.elapsed() < STALLED, "the end of {topic} stays out of reach");
            continue;
        };
        let message = message.expect("a readable topic");
        if message.offset() < ends[&message.partition()] {
            found.push(Found::of(&message));
        }
    }
}

impl Installation {
    /// Everything committed in a topic, by partition and offset.
    pub fn read(&self, role: &str) -> Vec<Found> {
        let mut found = read_from(&self.cluster, &self.topic(role), &BTreeMap::new());
        found.sort_by_key(|record| (record.partition, record.offset));
        found
    }

    pub fn recommendations(&self) -> Vec<Value> {
        self.read("recommendations").iter().map(Found::json).collect()
    }

    /// Waits until both processors have committed everything that is in their input, also what they wrote there
    /// themselves.
    pub fn settle(&self, limit: Duration) {
        // What is written at last is written together with an offset: two passes find it.
        for _pass in 0..2 {
            for topic in [Topic::UserActivity, Topic::FlightStatus] {
                wait_for("everything to be processed", limit, || self.pending(topic).is_empty().then_some(()));
            }
        }
    }

    /// Records of an input topic behind which the group's committed offset does not lie yet.
    fn pending(&self, topic: Topic) -> Vec<Found> {
        let committed = self.committed(topic).into_iter().zip(0..).filter_map(|(committed, partition)| {
            let (offset, _) = committed?;
            Some((partition, offset))
        });
        read_from(&self.cluster, &self.input(topic), &committed.collect())
    }
}

/// Recommendations of a reason.
pub fn of_reason<'a>(recommendations: &'a [Value], reason: &str) -> Vec<&'a Value> {
    recommendations.iter().filter(|recommendation| recommendation["reason"] == reason).collect()
}
