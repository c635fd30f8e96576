//! Reading state partitions during a takeover, by clients that exist only as long.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::warn;

use super::native::{self, MessageBatch, WorkerQueue};
use super::settings::Cluster;
use crate::engine::log::{Batch as _, Bounds, LogError};
use crate::engine::record::Topic;

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// Fields are dropped in this order: the queue before the consumer it belongs to.
pub struct StateReader {
    queue: WorkerQueue,
    consumer: BaseConsumer,
    /// A `read_committed` client is told the last stable offset where it asks for the end.
    ends: BaseConsumer,
    topic: String,
    topic_c: CString,
    /// Open partitions and where they began.
    open: BTreeMap<i32, i64>,
}

fn client_error(what: &str, error: &KafkaError) -> LogError {
    LogError::Client(format!("{what}: {error}"))
}

impl StateReader {
    /// A reader of a processor's state topic. The calling thread is woken when records arrive.
    ///
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn connect(cluster: &Cluster, processor: &str, worker: usize) -> Result<StateReader, LogError> {
        let refused = |error: KafkaError| LogError::Fatal(format!("consumer settings: {}", super::describe(&error)));
        let topic = cluster.state_topic(processor);
        let config = cluster.state_reader(&format!("{processor}-{worker}-states"));
        let consumer: BaseConsumer = BaseConsumer::from_config(&config).map_err(refused)?;
        let mut uncommitted = cluster.reader(&format!("{processor}-{worker}-ends"));
        uncommitted.set("isolation.level", "read_uncommitted");
        let ends = BaseConsumer::from_config(&uncommitted).map_err(refused)?;
        let queue = WorkerQueue::new(&consumer, std::thread::current());
        let topic_c = native::c_string(&topic)?;
        Ok(StateReader { queue, consumer, ends, topic, topic_c, open: BTreeMap::new() })
    }

    /// # Errors
    /// The cluster did not answer.
    pub fn bounds(&self, partition: i32) -> Result<Bounds, LogError> {
        let (low, high) = self
            .ends
            .fetch_watermarks(&self.topic, partition, ROUND_TRIP)
            .map_err(|error| client_error(&format!("watermarks of {} {partition}", self.topic), &error))?;
        Ok(Bounds { low, high })
    }

    /// # Errors
    /// The client refused.
    pub fn open(&mut self, partition: i32, from: i64) -> Result<(), LogError> {
        self.queue.take_partition(&self.consumer, &self.topic, partition)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(from))
            .map_err(|error| client_error("partition list", &error))?;
        self.consumer.incremental_assign(&list).map_err(|error| client_error("assign states", &error))?;
        self.open.insert(partition, from);
        Ok(())
    }

    /// # Errors
    /// A partition can't be read.
    pub fn fetch(&mut self, max: usize, wait: Duration, topic: Topic) -> Result<MessageBatch, LogError> {
        while let Some(event) = self.consumer.poll(Duration::ZERO) {
            match event {
                Ok(_) => return Err(LogError::Client("a state record came outside its queue".to_owned())),
                Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(client_error("states", &error)),
                // Brokers come back, and the client goes on by itself.
                Err(error) => warn!(%error, topic = self.topic, "reading states"),
            }
        }
        let batch = self.queue.consume(max, topic)?;
        if !batch.is_empty() || wait.is_zero() {
            return Ok(batch);
        }
        std::thread::park_timeout(wait);
        self.queue.consume(max, topic)
    }

    #[must_use]
    pub fn position(&self, partition: i32) -> Option<i64> {
        native::position(&self.consumer, &self.topic_c, partition).or_else(|| self.open.get(&partition).copied())
    }

    /// `true`: no partition is open any more.
    ///
    /// # Errors
    /// The client refused.
    pub fn close(&mut self, partition: i32) -> Result<bool, LogError> {
        if self.open.remove(&partition).is_some() {
            let mut list = TopicPartitionList::new();
            list.add_partition(&self.topic, partition);
            self.consumer.incremental_unassign(&list).map_err(|error| client_error("unassign states", &error))?;
        }
        Ok(self.open.is_empty())
    }
}
