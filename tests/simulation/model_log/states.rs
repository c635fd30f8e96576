//! Reading the states of partitions that are taken over.

use zoner::engine::codec::MARKER_KEY;
use zoner::engine::log::Bounds;

use super::ModelLog;
use crate::batch::ModelBatch;
use crate::kafka_model::Place;

/// How far a state partition has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct StateReading {
    pub(super) next: i64,
    pub(super) position: Option<i64>,
}

impl ModelLog {
    /// Without one, an installation whose group has no offsets begins.
    pub(super) fn has_marker(&self, partition: i32) -> bool {
        let kafka = self.world.kafka.borrow();
        kafka.log(self.state(partition)).decided().any(|record| record.key.as_deref() == Some(MARKER_KEY))
    }

    pub(super) fn state(&self, partition: i32) -> Place {
        Place { topic: self.world.topics.state_of(self.topic), partition }
    }

    pub(super) fn bounds_of_states(&self, partition: i32) -> Bounds {
        let kafka = self.world.kafka.borrow();
        let log = kafka.log(self.state(partition));
        let is_hidden = log.last_stable_offset() < log.high_watermark();
        self.world.statistics.borrow_mut().hidden += u64::from(is_hidden);
        let stops_early = self.world.sabotage.restores_to_the_last_stable_offset;
        let high = if stops_early { log.last_stable_offset() } else { log.high_watermark() };
        Bounds { low: log.start(), high }
    }

    /// What a fetch brings of every state partition that is being read.
    pub(super) fn next_states(&mut self, max: usize) -> ModelBatch {
        let mut batch = ModelBatch::empty(self.topic);
        let kafka = self.world.kafka.borrow();
        let mut random = self.world.random.borrow_mut();
        let topic = self.world.topics.state_of(self.topic);
        for (partition, reading) in &mut self.states {
            let log = kafka.log(Place { topic, partition: *partition });
            self.world.tell(|| {
                let (end, stable) = (log.high_watermark(), log.last_stable_offset());
                let reads = format!("process {} reads states of {partition}", self.slot.number);
                format!("{reads} from {} of {stable}/{end}", reading.next)
            });
            batch.take((log, *partition), &mut reading.next, &mut reading.position, max, &mut random);
        }
        batch
    }
}
