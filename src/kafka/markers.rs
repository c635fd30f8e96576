//! A marker of a state topic, found without being in the group: what layout its states lie by.
//!
//! Any marker will do, because all of an installation are of one layout. The last of a partition stands near its end, but
//! everything that has changed since may have been written after it: the topic is searched from its end in growing pieces.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::settings::Cluster;
use crate::engine::codec::{self, CodecError, MARKER_KEY, Marker};

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// Records at the end of each partition that are looked at first; each further look takes ten times as many.
const FIRST_LOOK: i64 = 500;

/// Before a question is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Whoever finds none within this time goes on without.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum MarkerError {
    #[error("reading {topic}: {error}")]
    Kafka { topic: String, error: KafkaError },
    #[error("the marker at offset {offset} of partition {partition} of {topic} can't be used: {error}")]
    Unreadable { topic: String, partition: i32, offset: i64, error: CodecError },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Marker {
        partition: i32,
        marker: Marker,
    },
    /// No states were ever stored.
    Nothing,
    /// Not within the time.
    NotInTime,
}

/// Any marker of a processor's state topic, which has so many partitions.
///
/// # Errors
/// The cluster does not answer, or the marker is a newer program's.
pub fn any(cluster: &Cluster, processor: &str, partitions: i32) -> Result<Found, MarkerError> {
    let topic = cluster.state_topic(processor);
    let failed = |error| MarkerError::Kafka { topic: topic.clone(), error };
    let mut settings = cluster.reader(&format!("{processor}-layout"));
    settings.set("enable.partition.eof", "true");
    let consumer: BaseConsumer = BaseConsumer::from_config(&settings).map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    let mut lengths = Vec::new();
    for partition in 0..partitions {
        let (low, end) = loop {
            match consumer.fetch_watermarks(&topic, partition, ROUND_TRIP) {
                Ok(found) => break found,
                // Brokers that come back need a moment until every partition has its leader.
                Err(error) if Instant::now() >= deadline => return Err(failed(error)),
                Err(error) => {
                    debug!(%error, topic, partition, "asking where it ends");
                    thread::sleep(PAUSE);
                }
            }
        };
        if end > low {
            lengths.push((partition, end - low));
        }
    }
    let mut look = FIRST_LOOK;
    while let Some(longest) = lengths.iter().map(|(_, length)| *length).max() {
        let mut list = TopicPartitionList::new();
        for (partition, length) in &lengths {
            let from = if *length > look { Offset::OffsetTail(look) } else { Offset::Beginning };
            list.add_partition_offset(&topic, *partition, from).map_err(failed)?;
        }
        consumer.assign(&list).map_err(failed)?;
        let mut unread: BTreeSet<i32> = lengths.iter().map(|(partition, _)| *partition).collect();
        while !unread.is_empty() {
            if Instant::now() >= deadline {
                return Ok(Found::NotInTime);
            }
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) if message.key() == Some(MARKER_KEY) && message.payload().is_some() => {
                    let (partition, offset) = (message.partition(), message.offset());
                    return match codec::decode_marker(message.payload().unwrap_or_default()) {
                        Ok(marker) => Ok(Found::Marker { partition, marker }),
                        Err(error) => Err(MarkerError::Unreadable { topic, partition, offset, error }),
                    };
                }
                Some(Ok(_)) | None => {}
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unread.remove(&partition);
                }
                // Connections come back; what does not is noticed by the time.
                Some(Err(error)) => debug!(%error, topic, "looking for a marker"),
            }
        }
        if look >= longest {
            break;
        }
        look = look.saturating_mul(10);
    }
    Ok(Found::Nothing)
}
