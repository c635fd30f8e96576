//! Records of the model as the engine takes them, and in a few words.

use std::rc::Rc;

use zoner::engine::codec::{self, MARKER_KEY};
use zoner::engine::log::{Batch, Destination};
use zoner::engine::record::{FORWARDED_HEADER, Origin, Position, Record, Topic};
use zoner::household::Household;
use zoner::units::UtcMillis;

use crate::kafka_model::partition_log::{Isolation, PartitionLog, Seen, Stored};
use crate::random::Random;

/// Records handed out together.
pub struct ModelBatch {
    topic: Topic,
    records: Vec<(i32, i64, Rc<Stored>)>,
}

impl ModelBatch {
    pub fn empty(topic: Topic) -> ModelBatch {
        ModelBatch { topic, records: Vec::new() }
    }

    /// Takes what a fetch has brought of a partition from `next` on: anything, up to all of it. `next` and `position`
    /// move past records and past what is shown to nobody.
    pub fn take(
        &mut self,
        (log, partition): (&PartitionLog, i32),
        next: &mut i64,
        position: &mut Option<i64>,
        max: usize,
        random: &mut Random,
    ) {
        let budget = if random.permille(300) { random.below(6) } else { max };
        for seen in log.read(*next, Isolation::ReadCommitted).take(budget) {
            if self.records.len() == max {
                return;
            }
            let offset = match seen {
                Seen::Record { offset, record, .. } => {
                    self.records.push((partition, offset, record));
                    offset
                }
                Seen::Nothing { offset } => offset,
            };
            *next = offset + 1;
            *position = Some(offset + 1);
        }
    }
}

impl Batch for ModelBatch {
    fn len(&self) -> usize {
        self.records.len()
    }

    fn record(&self, index: usize) -> Record<'_> {
        let (partition, offset, stored) = &self.records[index];
        Record {
            position: Position { topic: self.topic, partition: *partition, offset: *offset },
            stamp: UtcMillis(stored.stamp),
            key: stored.key.as_deref(),
            value: stored.value.as_deref(),
            origin: None,
        }
    }

    fn origin(&self, index: usize) -> Option<Origin> {
        origin_of(&self.records[index].2)
    }

    fn headers(&self, index: usize) -> Vec<(String, Option<Vec<u8>>)> {
        self.records[index].2.headers.clone()
    }
}

/// What a forwarded record's header says.
pub fn origin_of(record: &Stored) -> Option<Origin> {
    let (_, value) = record.headers.iter().rev().find(|(name, _)| name == FORWARDED_HEADER)?;
    Origin::parse(value.as_deref()?)
}

/// A record in a few words.
pub fn told(destination: &Destination, record: &Stored) -> String {
    let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
    let what = match (destination, &record.value) {
        (Destination::State, Some(value)) if record.key.as_deref() == Some(MARKER_KEY) => {
            format!("{:?}", codec::decode_marker(value))
        }
        (Destination::State, Some(value)) => match codec::decode_unit::<Household>(value) {
            Ok((position, _)) => format!("complete to {position}"),
            Err(_) => "a flight".to_owned(),
        },
        (_, value) => String::from_utf8_lossy(value.as_deref().unwrap_or(b"nothing")).chars().take(300).collect(),
    };
    format!("{destination:?} {key:?}: {what}")
}
