//! Writing records as they are, with their bytes, headers and stamps, into any topic; in transactions where wanted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::native;
use super::settings::Cluster;
use crate::engine::log::LogError;
use crate::units::UtcMillis;

/// How long a full queue may stay full.
const ROOM: Duration = Duration::from_secs(30);

/// Initialising transactions waits for a predecessor's open one to be aborted.
const INIT_TRANSACTIONS: Duration = Duration::from_secs(40);

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("kafka.properties: {0}")]
    Settings(String),
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    #[error("a record was not written: {0}")]
    NotDelivered(String),
    #[error("{left} records were not written within {} s", limit.as_secs())]
    NotFlushed { left: i32, limit: Duration },
    #[error("another run of this command took over: {0}")]
    Fenced(String),
    #[error("transaction: {0}")]
    Transaction(String),
}

impl From<LogError> for WriteError {
    fn from(error: LogError) -> WriteError {
        match error {
            LogError::Fenced(why) => WriteError::Fenced(why),
            LogError::Abort(why) | LogError::Regrouped(why) | LogError::Client(why) | LogError::Fatal(why) => {
                WriteError::Transaction(why)
            }
        }
    }
}

/// A record to be written. What is `None` is left to the client (partition) or the clock (stamp).
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub topic: &'a str,
    pub partition: Option<i32>,
    pub stamp: Option<UtcMillis>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(String, Option<Vec<u8>>)],
}

/// Keeps the first failure: a record that is not delivered is reported nowhere else.
#[derive(Default)]
pub struct Failures {
    first: Mutex<Option<String>>,
}

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.to_string());
        }
    }
}

/// An idempotent producer that notices what was not delivered.
pub struct Writer {
    producer: ThreadedProducer<Failures>,
}

impl Writer {
    fn connect(settings: &ClientConfig) -> Result<Writer, WriteError> {
        let producer = ThreadedProducer::from_config_and_context(settings, Failures::default())
            .map_err(|error| WriteError::Settings(super::describe(&error)))?;
        Ok(Writer { producer })
    }

    /// A writer outside transactions.
    ///
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn plain(cluster: &Cluster, role: &str) -> Result<Writer, WriteError> {
        Writer::connect(&cluster.plain_producer(role))
    }

    /// A writer of transactions. There is one of each role at a time: whoever connects ends the transaction of the one
    /// before, who can commit nothing any more.
    ///
    /// # Errors
    /// A property that librdkafka refuses, or a cluster that does not answer.
    pub fn transactional(cluster: &Cluster, role: &str) -> Result<Writer, WriteError> {
        let writer = Writer::connect(&cluster.only_producer(role))?;
        writer.producer.init_transactions(INIT_TRANSACTIONS)?;
        Ok(writer)
    }

    /// # Errors
    /// The producer is no longer usable.
    pub fn begin(&self) -> Result<(), WriteError> {
        self.producer.begin_transaction()?;
        Ok(())
    }

    /// # Errors
    /// Nothing of the transaction is visible, or (a time-out) it is not known whether it is.
    pub fn commit(&self) -> Result<(), WriteError> {
        native::commit_transaction(&self.producer)?;
        Ok(())
    }

    /// # Errors
    /// The producer is no longer usable; the broker ends the transaction itself.
    pub fn abort(&self) -> Result<(), WriteError> {
        native::abort_transaction(&self.producer)?;
        Ok(())
    }

    /// Queues a record; waits while the queue is full.
    ///
    /// # Errors
    /// The record can't be queued, or one before it was not delivered.
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Result<(), WriteError> {
        self.check()?;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(outgoing.topic);
        record.partition = outgoing.partition;
        record.key = outgoing.key;
        record.payload = outgoing.value;
        record.timestamp = outgoing.stamp.map(|stamp| stamp.0);
        if !outgoing.headers.is_empty() {
            let mut headers = OwnedHeaders::new_with_capacity(outgoing.headers.len());
            for (key, value) in outgoing.headers {
                headers = headers.insert(Header { key, value: value.as_deref() });
            }
            record.headers = Some(headers);
        }
        let deadline = Instant::now() + ROOM;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                    if Instant::now() < deadline =>
                {
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// # Errors
    /// A record was not delivered.
    pub fn check(&self) -> Result<(), WriteError> {
        let first = self.producer.context().first.lock().unwrap_or_else(PoisonError::into_inner);
        first.clone().map_or(Ok(()), |why| Err(WriteError::NotDelivered(why)))
    }

    /// Everything queued is written.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.producer.in_flight_count() == 0
    }

    /// Waits until everything queued is written.
    ///
    /// # Errors
    /// It was not within `limit`, or a record was not delivered.
    pub fn flush(&self, limit: Duration) -> Result<(), WriteError> {
        let deadline = Instant::now() + limit;
        // The producer's own thread serves it; `flush` would poll beside it for 100 ms at a time.
        while !self.is_idle() {
            self.check()?;
            if Instant::now() >= deadline {
                return Err(WriteError::NotFlushed { left: self.producer.in_flight_count(), limit });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.check()
    }
}
