//! What a worker writes: two transactional producers, used in turn, and one outside transactions for ticks.

use std::ffi::CStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use tracing::debug;

use super::native;
use super::settings::Cluster;
use crate::engine::log::{Commit, Destination, LogError, Output};
use crate::engine::record::Topic;
use crate::event::encode;
use crate::units::UtcMillis;

/// Initialising transactions waits for a predecessor's open one to be aborted.
const INIT_TRANSACTIONS: Duration = Duration::from_secs(30);

type Client = ThreadedProducer<DefaultProducerContext>;

/// One worker's producers.
pub struct Producers {
    /// Two, used in turn: after a commit the broker still writes the markers of that transaction, and answers a next one of
    /// the same producer with "concurrent transactions", which librdkafka repeats after 20 ms.
    in_turn: [Client; 2],
    /// The producer of the open, or else of the last transaction.
    current: usize,
    gaps: [Gap; 2],
    /// Made when the first tick is written.
    ticker: Option<Client>,
    cluster: Arc<Cluster>,
    input: String,
    destinations: [(Destination, String); 5],
    processor: &'static str,
    worker: usize,
}

fn client_error(what: &str, error: &KafkaError) -> LogError {
    LogError::Client(format!("{what}: {error}"))
}

/// What librdkafka calls it when a producer finds the gap.
const GAP: &str = "OUT_OF_ORDER_SEQUENCE_NUMBER";

/// Whether a producer's last transaction was overtaken by a rebalance while records of it were under way. What was dropped of
/// them leaves a gap in the producer's sequence numbers, which it finds with its next transaction and then closes.
#[derive(Clone, Copy, Debug, Default)]
struct Gap(bool);

impl Gap {
    /// That next transaction fails for the same reason as the first.
    fn judge(&mut self, committed: Result<(), LogError>) -> Result<(), LogError> {
        let had_gap = std::mem::replace(&mut self.0, matches!(committed, Err(LogError::Regrouped(_))));
        match committed {
            Err(LogError::Abort(why)) if had_gap && why.starts_with(GAP) => {
                Err(LogError::Regrouped(format!("{why}, which the transaction before has left")))
            }
            other => other,
        }
    }
}

fn transactional_producer(cluster: &Cluster, processor: &str, worker: usize, turn: usize) -> Result<Client, LogError> {
    let producer = Client::from_config(&cluster.transactional_producer(processor, worker, turn))
        .map_err(|error| LogError::Fatal(format!("producer settings: {}", super::describe(&error))))?;
    producer.init_transactions(INIT_TRANSACTIONS).map_err(|error| client_error("init transactions", &error))?;
    Ok(producer)
}

impl Producers {
    /// Connects both, which ends what a predecessor of the same name has left open.
    ///
    /// # Errors
    /// A property that librdkafka refuses is fatal; a cluster that does not answer is not.
    pub fn connect(
        cluster: Arc<Cluster>,
        topic: Topic,
        processor: &'static str,
        worker: usize,
    ) -> Result<Producers, LogError> {
        let in_turn = [
            transactional_producer(&cluster, processor, worker, 0)?,
            transactional_producer(&cluster, processor, worker, 1)?,
        ];
        let input = cluster.topic(topic);
        let destinations = [
            Destination::UserActivity,
            Destination::FlightStatus,
            Destination::Recommendations,
            Destination::DeadLetters,
            Destination::State,
        ]
        .map(|destination| (destination, cluster.destination(destination, processor)));
        Ok(Producers {
            in_turn,
            current: 0,
            gaps: Default::default(),
            ticker: None,
            cluster,
            input,
            destinations,
            processor,
            worker,
        })
    }

    fn current(&self) -> &Client {
        &self.in_turn[self.current]
    }

    fn destination(&self, wanted: Destination) -> &str {
        self.destinations.iter().find(|(destination, _)| *destination == wanted).map_or("", |(_, name)| name)
    }

    /// As [`crate::engine::log::Log::begin`].
    ///
    /// # Errors
    /// The producer can't be used any more, or another has taken its name.
    pub fn begin(&mut self) -> Result<(), LogError> {
        self.current = (self.current + 1) % self.in_turn.len();
        self.current().begin_transaction().map_err(|error| match &error {
            KafkaError::Transaction(native) if native.is_fatal() => LogError::Fenced(format!("begin: {error}")),
            _ => client_error("begin", &error),
        })
    }

    /// As [`crate::engine::log::Log::produce`]; waits while the queue is full.
    ///
    /// # Errors
    /// The record can't be queued.
    pub fn produce(&self, output: &Output<'_>) -> Result<(), LogError> {
        const ROOM: Duration = Duration::from_secs(10);
        let topic = self.destination(output.destination);
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        if let Some(partition) = output.partition {
            record = record.partition(partition);
        }
        if let Some(key) = output.key {
            record = record.key(key);
        }
        if let Some(value) = output.value {
            record = record.payload(value);
        }
        if let Some(stamp) = output.stamp {
            record = record.timestamp(stamp.0);
        }
        if !output.headers.is_empty() {
            let mut headers = OwnedHeaders::new_with_capacity(output.headers.len());
            for (key, value) in output.headers {
                headers = headers.insert(Header { key, value: *value });
            }
            record = record.headers(headers);
        }
        let deadline = Instant::now() + ROOM;
        loop {
            match self.current().send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                    if Instant::now() < deadline =>
                {
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                // The transaction has failed already; committing would say why.
                Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::State), _)) => {
                    return Err(LogError::Abort(format!("produce to {topic}: {error}")));
                }
                Err((error, _)) => return Err(self.end_of_producer(&format!("produce to {topic}"), &error)),
            }
        }
    }

    /// Whoever is fenced may notice it with any call.
    fn end_of_producer(&self, what: &str, error: &KafkaError) -> LogError {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        match self.current().client().fatal_error() {
            Some((Fenced | InvalidProducerEpoch | ProducerFenced, why)) => LogError::Fenced(format!("{what}: {why}")),
            _ => client_error(what, error),
        }
    }

    /// Offsets into the open transaction, fenced by the generation that the group has right now; then commits it.
    ///
    /// # Errors
    /// As [`native::send_offsets`] and [`native::commit_transaction`].
    pub fn commit<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        topic: &CStr,
        offsets: &[Commit],
        held_as: Option<&str>,
    ) -> Result<(), LogError> {
        let sent = match offsets {
            [] => Ok(()),
            _ => native::send_offsets(self.current(), consumer, topic, offsets, held_as),
        };
        let committed = sent.and_then(|()| native::commit_transaction(self.current()));
        self.gaps[self.current].judge(committed)
    }

    /// As [`crate::engine::log::Log::abort`].
    ///
    /// # Errors
    /// The producer can't be used any more.
    pub fn abort(&self) -> Result<(), LogError> {
        native::abort_transaction(self.current())
    }

    /// Writes the time into a partition of the input.
    ///
    /// # Errors
    /// The record could not be queued.
    pub fn tick(&mut self, partition: i32, at: UtcMillis) -> Result<(), LogError> {
        let ticker = if let Some(ticker) = &self.ticker {
            ticker
        } else {
            let config = self.cluster.plain_producer(&format!("{}-{}-ticks", self.processor, self.worker));
            let ticker = Client::from_config(&config)
                .map_err(|error| LogError::Fatal(format!("producer settings: {}", super::describe(&error))))?;
            self.ticker.insert(ticker)
        };
        let value = encode::tick(at);
        let record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(&self.input).partition(partition).payload(value.as_slice()).timestamp(at.0);
        ticker.send(record).map_err(|(error, _)| client_error("tick", &error))
    }

    /// Waits a moment for ticks that are under way.
    pub fn flush_ticks(&self) {
        if let Some(ticker) = &self.ticker
            && let Err(error) = ticker.flush(Duration::from_secs(1))
        {
            debug!(%error, "flushing ticks");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_that_an_overtaken_transaction_leaves_is_no_fault_of_the_next_and_any_other_is() {
        let regrouped = || Err(LogError::Regrouped("ILLEGAL_GENERATION".to_owned()));
        let gap = || Err(LogError::Abort(format!("{GAP}: skipped sequence numbers")));
        let replaced = || Err(LogError::Abort("FENCED_INSTANCE_ID".to_owned()));
        let mut producer = Gap::default();
        assert_eq!(producer.judge(gap()), gap(), "nothing went before");
        assert_eq!(producer.judge(regrouped()), regrouped());
        assert!(matches!(producer.judge(gap()), Err(LogError::Regrouped(_))));
        assert!(producer.judge(Ok(())).is_ok());
        assert_eq!(producer.judge(gap()), gap(), "the first was closed");
        assert_eq!(producer.judge(regrouped()), regrouped());
        assert_eq!(producer.judge(replaced()), replaced());
    }
}
