//! Reading the input topics whole: recordings.

use super::scan::{ReadError, Scan, Start};
use super::settings::Cluster;
use crate::engine::record::{Position, Topic};
use crate::event::line::OwnedRecord;

/// A reader of the input topics, from their beginning to the end they had when it was made.
pub struct TopicReader {
    scans: Vec<(Topic, Scan)>,
}

impl TopicReader {
    /// # Errors
    /// A topic is missing, or the cluster does not answer.
    pub fn open(cluster: &Cluster, topics: &[Topic]) -> Result<TopicReader, ReadError> {
        let open = |topic: &Topic| {
            let name = cluster.topic(*topic);
            Scan::open(cluster, &format!("record-{}", topic.as_str()), &name, &Start::Beginning)
                .map(|scan| (*topic, scan))
        };
        Ok(TopicReader { scans: topics.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// Partitions of a topic.
    #[must_use]
    pub fn partitions(&self, topic: Topic) -> i32 {
        self.scans.iter().filter(|(known, _)| *known == topic).map(|(_, scan)| scan.partitions()).sum()
    }

    /// Offsets between beginning and end, control records included.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.scans.iter().map(|(_, scan)| scan.length()).sum()
    }

    /// Partitions whose first records are gone.
    #[must_use]
    pub fn cut(&self) -> usize {
        self.scans.iter().map(|(_, scan)| scan.starts().values().filter(|offset| **offset > 0).count()).sum()
    }

    /// Reads everything, topic by topic: in order of offset within a partition, partitions interleaved as they come.
    ///
    /// # Errors
    /// The cluster fails, a transaction holds the end back for too long, or `take` can't go on.
    pub fn read(self, mut take: impl FnMut(OwnedRecord) -> std::io::Result<()>) -> Result<(), ReadError> {
        for (topic, mut scan) in self.scans {
            scan.read_all(|record| {
                take(OwnedRecord {
                    position: Position { topic, partition: record.partition, offset: record.offset },
                    stamp: record.stamp,
                    key: record.key,
                    value: record.value,
                    headers: record.headers,
                })
            })?;
        }
        Ok(())
    }
}
