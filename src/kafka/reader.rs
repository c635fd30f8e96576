//! Reading whole topics outside any group: recordings.

use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::settings::Cluster;
use crate::engine::record::{Position, Topic};
use crate::event::line::OwnedRecord;
use crate::units::UtcMillis;

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// How long the end of a topic may stay out of reach without a record arriving: longer than any transaction lasts.
const STALLED: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("topic {0} does not exist")]
    NoTopic(String),
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    #[error("no record for {} s, {missing} records before the end; a transaction that never ends may hold them back", STALLED.as_secs())]
    Stalled { missing: i64 },
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

/// A reader of the input topics, from their beginning to the end they had when it was made.
pub struct TopicReader {
    consumer: BaseConsumer,
    parts: Vec<Part>,
}

struct Part {
    topic: Topic,
    name: String,
    partition: i32,
    low: i64,
    end: i64,
}

impl TopicReader {
    /// # Errors
    /// A topic is missing, or the cluster does not answer.
    pub fn open(cluster: &Cluster, topics: &[Topic]) -> Result<TopicReader, ReadError> {
        let consumer = BaseConsumer::from_config(&cluster.reader("record"))?;
        // A read_committed client is told the last stable offset where it asks for the end.
        let mut uncommitted = cluster.reader("record-ends");
        uncommitted.set("isolation.level", "read_uncommitted");
        let ends: BaseConsumer = BaseConsumer::from_config(&uncommitted)?;
        let metadata = consumer.fetch_metadata(None, ROUND_TRIP)?;
        let mut parts = Vec::new();
        for topic in topics {
            let name = cluster.topic(*topic);
            let partitions = metadata
                .topics()
                .iter()
                .find(|known| known.name() == name)
                .map(|known| known.partitions().len())
                .filter(|count| *count > 0)
                .ok_or_else(|| ReadError::NoTopic(name.clone()))?;
            for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
                // The high watermark, not the last stable offset: what an open transaction hides is waited for.
                let (low, end) = ends.fetch_watermarks(&name, partition, ROUND_TRIP)?;
                parts.push(Part { topic: *topic, name: name.clone(), partition, low, end });
            }
        }
        Ok(TopicReader { consumer, parts })
    }

    /// Partitions of a topic.
    #[must_use]
    pub fn partitions(&self, topic: Topic) -> i32 {
        i32::try_from(self.parts.iter().filter(|part| part.topic == topic).count()).unwrap_or(i32::MAX)
    }

    /// Offsets between beginning and end, control records included.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.parts.iter().map(|part| (part.end - part.low).max(0).unsigned_abs()).sum()
    }

    /// Reads everything, partition by partition in order of offset, partitions interleaved as they come.
    ///
    /// # Errors
    /// The cluster fails, a transaction holds the end back for too long, or `take` can't go on.
    pub fn read(&self, mut take: impl FnMut(OwnedRecord) -> std::io::Result<()>) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for part in self.parts.iter().filter(|part| part.end > part.low) {
            list.add_partition_offset(&part.name, part.partition, Offset::Offset(part.low))?;
        }
        if list.count() == 0 {
            return Ok(());
        }
        self.consumer.assign(&list)?;
        let mut last_progress = Instant::now();
        let mut last_missing = i64::MAX;
        loop {
            let Some(message) = self.consumer.poll(Duration::from_millis(100)) else {
                let missing = self.missing()?;
                if missing == 0 {
                    return Ok(());
                }
                if missing < last_missing {
                    last_missing = missing;
                    last_progress = Instant::now();
                } else if last_progress.elapsed() > STALLED {
                    return Err(ReadError::Stalled { missing });
                }
                continue;
            };
            let message = message?;
            last_progress = Instant::now();
            let Some(part) = self
                .parts
                .iter()
                .find(|part| part.partition == message.partition() && part.name == message.topic())
                .filter(|part| message.offset() < part.end)
            else {
                continue;
            };
            let headers = message.headers().map_or_else(Vec::new, |headers| {
                headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
            });
            take(OwnedRecord {
                position: Position { topic: part.topic, partition: part.partition, offset: message.offset() },
                stamp: UtcMillis(message.timestamp().to_millis().unwrap_or(0)),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers,
            })?;
        }
    }

    /// Offsets that have not been passed yet. By position, because control records at the end are never handed out.
    fn missing(&self) -> Result<i64, KafkaError> {
        let positions = self.consumer.position()?;
        Ok(self
            .parts
            .iter()
            .filter(|part| part.end > part.low)
            .map(|part| {
                let position = positions.find_partition(&part.name, part.partition).map(|element| element.offset());
                let position = if let Some(Offset::Offset(offset)) = position { offset } else { part.low };
                (part.end - position).max(0)
            })
            .sum())
    }
}
