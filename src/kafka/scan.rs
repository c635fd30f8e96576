//! Reading any topic outside any group: from a place on, to the end that it had when asked, or for as long as wanted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::{debug, warn};

use super::settings::Cluster;
use crate::engine::record::Received;
use crate::units::UtcMillis;

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// How long the end of a topic may stay out of reach without a record arriving: longer than any transaction lasts.
const STALLED: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("topic {0} does not exist")]
    NoTopic(String),
    #[error("topic {topic} has {count} partitions; there is no partition {partition}")]
    NoPartition { topic: String, count: i32, partition: i32 },
    #[error("offset {wanted} lies beyond the end of {topic}: {ends}")]
    BeyondEnd { topic: String, wanted: i64, ends: String },
    #[error("no answer from {brokers}: {reason}")]
    Unreachable { brokers: String, reason: String },
    #[error("kafka.properties: {0}")]
    Settings(String),
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    #[error("no record for {} s, {missing} records before the end; a transaction that never ends may hold them back", STALLED.as_secs())]
    Stalled { missing: i64 },
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

/// Where reading begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    #[default]
    Beginning,
    /// The first records that are not older.
    Time(UtcMillis),
    /// This offset of every partition.
    Offset(i64),
    /// These offsets; partitions that are not named from their beginning.
    Offsets(BTreeMap<i32, i64>),
}

/// What [`Scan::next`] came to.
#[derive(Debug)]
pub enum Step {
    Record(Received),
    /// Nothing came within the time; there may be more.
    Nothing,
    /// Everything up to the end has been handed out.
    End,
}

/// A `read_committed` reader of one topic. Its end is the one that the topic had when it was opened; what an open
/// transaction hides below that end is waited for.
pub struct Scan {
    consumer: BaseConsumer,
    topic: String,
    parts: BTreeMap<i32, Part>,
    /// There is no end.
    follows: bool,
    last_progress: Instant,
    last_missing: i64,
}

struct Part {
    start: i64,
    end: i64,
    done: bool,
    held: bool,
}

fn connect(cluster: &Cluster, role: &str, isolation: &str) -> Result<BaseConsumer, ReadError> {
    let mut settings = cluster.reader(role);
    settings.set("isolation.level", isolation);
    BaseConsumer::from_config(&settings).map_err(|error| ReadError::Settings(super::describe(&error)))
}

impl Scan {
    /// # Errors
    /// The topic or a partition of `start` is missing, it begins beyond the end, or the cluster does not answer.
    pub fn open(cluster: &Cluster, role: &str, topic: &str, start: &Start) -> Result<Scan, ReadError> {
        let consumer = connect(cluster, role, "read_committed")?;
        let parts = bounds(cluster, role, topic, start)?;
        let scan = Scan {
            consumer,
            topic: topic.to_owned(),
            parts,
            follows: false,
            last_progress: Instant::now(),
            last_missing: i64::MAX,
        };
        scan.assign()?;
        Ok(scan)
    }

    fn assign(&self) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, part) in &self.parts {
            if self.follows || part.end > part.start {
                list.add_partition_offset(&self.topic, *partition, Offset::Offset(part.start))?;
            }
        }
        self.consumer.assign(&list)
    }

    /// Begins anew, with the same beginning and the same end.
    ///
    /// # Errors
    /// The client refused.
    pub fn rewind(&mut self) -> Result<(), ReadError> {
        for part in self.parts.values_mut() {
            part.done = part.end <= part.start;
            part.held = false;
        }
        self.last_progress = Instant::now();
        self.last_missing = i64::MAX;
        self.consumer.unassign()?;
        self.assign()?;
        Ok(())
    }

    /// From the beginning on, without an end.
    ///
    /// # Errors
    /// The client refused.
    pub fn follow(&mut self) -> Result<(), ReadError> {
        self.follows = true;
        self.rewind()
    }

    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    #[must_use]
    pub fn partitions(&self) -> i32 {
        i32::try_from(self.parts.len()).unwrap_or(i32::MAX)
    }

    /// Where each partition begins.
    #[must_use]
    pub fn starts(&self) -> BTreeMap<i32, i64> {
        self.parts.iter().map(|(partition, part)| (*partition, part.start)).collect()
    }

    /// Offsets between beginning and end, control records included.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.parts.values().map(|part| (part.end - part.start).max(0).unsigned_abs()).sum()
    }

    /// All of this partition has been handed out.
    #[must_use]
    pub fn is_done(&self, partition: i32) -> bool {
        self.parts.get(&partition).is_none_or(|part| part.done)
    }

    /// The next record of any partition. Within a partition in order of offset, partitions interleaved as they come.
    ///
    /// # Errors
    /// The cluster fails, or a transaction holds the end back for too long.
    pub fn next(&mut self, wait: Duration) -> Result<Step, ReadError> {
        loop {
            if !self.follows && self.parts.values().all(|part| part.done) {
                return Ok(Step::End);
            }
            let Some(polled) = self.consumer.poll(wait) else { return self.nothing() };
            let message = match polled {
                Ok(message) => message,
                // The connection comes back; what does not come back is noticed as a stall.
                Err(KafkaError::MessageConsumption(
                    code @ (RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::NotCoordinator),
                )) => {
                    debug!(%code, "reading");
                    return self.nothing();
                }
                Err(error) => return Err(error.into()),
            };
            self.last_progress = Instant::now();
            let Some(part) = self.parts.get_mut(&message.partition()) else { continue };
            if self.follows || message.offset() < part.end {
                part.done = !self.follows && message.offset() + 1 >= part.end;
                return Ok(Step::Record(received(&message)));
            }
            // Others write on: without this a busy topic would never come to its end.
            if !part.done {
                part.done = true;
                let mut list = TopicPartitionList::new();
                list.add_partition(&self.topic, message.partition());
                self.consumer.pause(&list)?;
            }
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// As [`Self::next`], or `take` can't go on.
    pub fn read_all(&mut self, mut take: impl FnMut(Received) -> std::io::Result<()>) -> Result<(), ReadError> {
        loop {
            match self.next(Duration::from_millis(100))? {
                Step::Record(record) => take(record)?,
                Step::Nothing => {}
                Step::End => return Ok(()),
            }
        }
    }

    /// Nothing came: has the end been passed? By position, because control records are never handed out.
    fn nothing(&mut self) -> Result<Step, ReadError> {
        if self.follows {
            return Ok(Step::Nothing);
        }
        let positions = self.consumer.position()?;
        // Of partitions that are not held back by their reader.
        let mut missing = 0;
        for (partition, part) in self.parts.iter_mut().filter(|(_, part)| !part.done) {
            let position = positions.find_partition(&self.topic, *partition).map(|element| element.offset());
            let position = if let Some(Offset::Offset(offset)) = position { offset } else { part.start };
            part.done = position >= part.end;
            missing += if part.held { 0 } else { (part.end - position).max(0) };
        }
        if missing == 0 || missing != self.last_missing {
            self.last_missing = missing;
            self.last_progress = Instant::now();
        } else if self.last_progress.elapsed() > STALLED {
            return Err(ReadError::Stalled { missing });
        }
        let ended = self.parts.values().all(|part| part.done);
        Ok(if ended { Step::End } else { Step::Nothing })
    }

    /// Stops fetching a partition, or goes on: the reader has enough of it for now.
    ///
    /// # Errors
    /// The client refused.
    pub fn hold(&mut self, partition: i32, hold: bool) -> Result<(), ReadError> {
        let Some(part) = self.parts.get_mut(&partition).filter(|part| part.held != hold && !part.done) else {
            return Ok(());
        };
        part.held = hold;
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition);
        if hold {
            self.consumer.pause(&list)?;
        } else {
            self.consumer.resume(&list)?;
        }
        Ok(())
    }
}

fn received(message: &BorrowedMessage<'_>) -> Received {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Received {
        partition: message.partition(),
        offset: message.offset(),
        stamp: UtcMillis(message.timestamp().to_millis().unwrap_or(0)),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers,
    }
}

/// Beginning and end of each partition.
fn bounds(cluster: &Cluster, role: &str, topic: &str, start: &Start) -> Result<BTreeMap<i32, Part>, ReadError> {
    // A read_committed client is told the last stable offset where it asks for the end. The high watermark is wanted:
    // what an open transaction hides is waited for.
    let ends = connect(cluster, &format!("{role}-ends"), "read_uncommitted")?;
    // Asking for all topics, not for this one, cannot create it by asking.
    let metadata = ends
        .fetch_metadata(None, ROUND_TRIP)
        .map_err(|error| ReadError::Unreachable { brokers: cluster.brokers.clone(), reason: error.to_string() })?;
    let count = metadata
        .topics()
        .iter()
        .find(|known| known.name() == topic)
        .map(|known| i32::try_from(known.partitions().len()).unwrap_or(i32::MAX))
        .filter(|count| *count > 0)
        .ok_or_else(|| ReadError::NoTopic(topic.to_owned()))?;
    if let Start::Offsets(offsets) = start
        && let Some(partition) = offsets.keys().find(|partition| !(0..count).contains(*partition))
    {
        return Err(ReadError::NoPartition { topic: topic.to_owned(), count, partition: *partition });
    }
    let times = match start {
        Start::Time(time) => {
            let mut asked = TopicPartitionList::new();
            for partition in 0..count {
                asked.add_partition_offset(topic, partition, Offset::Offset(time.0))?;
            }
            Some(ends.offsets_for_times(asked, ROUND_TRIP)?)
        }
        _ => None,
    };
    let mut parts = BTreeMap::new();
    for partition in 0..count {
        let (low, end) = ends.fetch_watermarks(topic, partition, ROUND_TRIP)?;
        let wanted = match start {
            Start::Beginning => low,
            Start::Offset(offset) => *offset,
            Start::Offsets(offsets) => offsets.get(&partition).copied().unwrap_or(low),
            // No offset: everything is older.
            Start::Time(_) => match times.as_ref().and_then(|found| found.find_partition(topic, partition)) {
                Some(element) => {
                    if let Offset::Offset(offset) = element.offset() {
                        offset
                    } else {
                        end
                    }
                }
                None => end,
            },
        };
        if wanted < low && *start != Start::Offset(0) {
            warn!("partition {partition} of {topic}: offsets {wanted} to {} are no longer there", low - 1);
        }
        if let Start::Offsets(_) = start
            && wanted > end
        {
            let ends = format!("partition {partition} ends at {end}");
            return Err(ReadError::BeyondEnd { topic: topic.to_owned(), wanted, ends });
        }
        let from = wanted.clamp(low, end.max(low));
        parts.insert(partition, Part { start: from, end, done: end <= from, held: false });
    }
    // Partitions are of different lengths: one offset for all of them may lie beyond some.
    if let Start::Offset(wanted) = start
        && parts.values().all(|part| *wanted > part.end)
    {
        let furthest = parts.values().map(|part| part.end).max().unwrap_or(0);
        let ends = format!("its longest partition ends at {furthest}");
        return Err(ReadError::BeyondEnd { topic: topic.to_owned(), wanted: *wanted, ends });
    }
    Ok(parts)
}
