//! A Kafka cluster inside this process (librdkafka's): for the demo, and for errors on demand in tests.
//!
//! Real TCP on loopback, but no real cluster: it stores no transactional offsets, shows aborted records and keeps 5 MiB
//! a partition. What must be true of transactions is tested on Apache Kafka.

use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, DefaultProducerContext, Producer};

use super::native;

/// A running embedded cluster; it ends with this value.
pub struct EmbeddedCluster {
    /// The client that the cluster lives in.
    host: BaseProducer,
}

/// The cluster's fault interface.
pub type Faults<'a> = MockCluster<'a, DefaultProducerContext>;

impl EmbeddedCluster {
    /// # Errors
    /// No loopback port could be had.
    pub fn start() -> Result<EmbeddedCluster, KafkaError> {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1");
        let host = BaseProducer::from_config(&config)?;
        native::join_groups_at_once(&host);
        Ok(EmbeddedCluster { host })
    }

    /// `host:port` for clients on this machine.
    #[must_use]
    pub fn address(&self) -> String {
        self.faults().map(|cluster| cluster.bootstrap_servers()).unwrap_or_default()
    }

    /// # Errors
    /// The topic exists.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), KafkaError> {
        match self.faults() {
            Some(cluster) => cluster.create_topic(name, partitions, 1),
            None => Err(KafkaError::ClientCreation("the embedded cluster is gone".to_owned())),
        }
    }

    /// Errors on demand. Always there while the cluster runs.
    #[must_use]
    pub fn faults(&self) -> Option<Faults<'_>> {
        self.host.client().mock_cluster()
    }
}
