//! Writing records into the input topics as any application would: simulated families, the demo.

use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::settings::Cluster;
use crate::engine::record::Topic;
use crate::units::UtcMillis;

/// How long a full queue may stay full.
const ROOM: Duration = Duration::from_secs(30);

/// An idempotent producer of input records.
pub struct Feed {
    producer: ThreadedProducer<DefaultProducerContext>,
    user_activity: String,
    flight_status: String,
}

impl Feed {
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn connect(cluster: &Cluster) -> Result<Feed, KafkaError> {
        let producer = ThreadedProducer::from_config(&cluster.plain_producer("feed"))?;
        Ok(Feed {
            producer,
            user_activity: cluster.topic(Topic::UserActivity),
            flight_status: cluster.topic(Topic::FlightStatus),
        })
    }

    /// Queues a record; waits while the queue is full.
    ///
    /// # Errors
    /// The record can't be queued.
    pub fn send(&self, topic: Topic, key: &str, value: &str, stamp: UtcMillis) -> Result<(), KafkaError> {
        let name = match topic {
            Topic::UserActivity => &self.user_activity,
            Topic::FlightStatus => &self.flight_status,
        };
        let mut record = BaseRecord::to(name).key(key).payload(value).timestamp(stamp.0);
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
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until everything queued is written.
    ///
    /// # Errors
    /// It was not within `limit`.
    pub fn flush(&self, limit: Duration) -> Result<(), KafkaError> {
        let deadline = Instant::now() + limit;
        // The producer's own thread serves it; `flush` would poll beside it for 100 ms at a time.
        while self.producer.in_flight_count() > 0 {
            if Instant::now() >= deadline {
                return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}
