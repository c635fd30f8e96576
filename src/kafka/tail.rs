//! Reading a topic as its subscribers do, from a point on and for as long as wanted.

use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::settings::Cluster;

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// A `read_committed` reader of one whole topic, outside any group.
pub struct Tail {
    consumer: BaseConsumer,
}

impl Tail {
    /// Reads `topic` from its beginning.
    ///
    /// # Errors
    /// The topic is missing, or the cluster does not answer.
    pub fn open(cluster: &Cluster, topic: &str) -> Result<Tail, KafkaError> {
        let consumer: BaseConsumer = BaseConsumer::from_config(&cluster.reader("tail"))?;
        let metadata = consumer.fetch_metadata(Some(topic), ROUND_TRIP)?;
        let mut list = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            list.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        }
        consumer.assign(&list)?;
        Ok(Tail { consumer })
    }

    /// The next value, if one comes within `wait`. Passing faults of the connection are waited out.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<Vec<u8>> {
        match self.consumer.poll(wait)? {
            Ok(message) => message.payload().map(<[u8]>::to_vec),
            Err(error) => {
                debug!(%error, "reading");
                None
            }
        }
    }
}
