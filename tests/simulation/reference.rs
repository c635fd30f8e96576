//! What must come of the input: one partition after another, without batches, transactions, members or faults.

use std::sync::Arc;

use zoner::engine::effects::{Effect, Effects};
use zoner::engine::partition::{Partition, Routing, Taken};
use zoner::engine::processor::Processor;
use zoner::engine::record::{Position, Record, Topic};
use zoner::event::dead_letter::DeadLetterError;
use zoner::event::encode;
use zoner::units::UtcMillis;

use crate::batch::origin_of;
use crate::kafka_model::partition_log::{Isolation, Seen, Stored};
use crate::kafka_model::{Kafka, Place};
use crate::watched::{Fire, Journal, Noted, Watched, noted};

/// What follows from a processor's input; each as a text that can be compared.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Household and recommendation, in their order.
    pub recommendations: Vec<(String, String)>,
    pub dead_letters: Vec<String>,
    /// Records of others, moved to their own partition.
    pub forwards: Vec<(Topic, String)>,
    /// What the processors write to each other: flight updates, watches.
    pub internal: Vec<(Topic, String)>,
}

/// A record of the engine's own as a text.
pub fn internal_text(key: Option<&[u8]>, value: Option<&[u8]>, origin: Option<String>) -> String {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{:?} {:?} from {origin:?}", text(key), text(value))
}

pub struct Reference<P: Processor> {
    processor: Watched<P>,
    journal: Journal,
    topic: usize,
    count: i32,
    routing: Routing,
    partitions: Vec<Partition<Watched<P>>>,
    pub said: Said,
}

impl<P: Processor> Reference<P> {
    pub fn new(processor: Arc<P>, topic: usize, count: i32, routing: Routing) -> Reference<P> {
        let journal = Journal::default();
        let partitions = (0..count).map(|number| Partition::new(number, 0)).collect();
        let processor = Watched::new(processor, Arc::clone(&journal));
        Reference { processor, journal, topic, count, routing, partitions, said: Said::default() }
    }

    pub fn partition(&self, number: i32) -> &Partition<Watched<P>> {
        &self.partitions[number as usize]
    }

    /// Timers in the order in which they must fire.
    pub fn fires(&self) -> Vec<Fire> {
        let fired = |noted| if let Noted::Fired(fire) = noted { Some(fire) } else { None };
        noted(&self.journal).into_iter().filter_map(fired).collect()
    }

    /// Plays the committed records of a partition that lie before `until`.
    pub fn advance(&mut self, kafka: &Kafka, number: i32, until: i64) {
        let log = kafka.log(Place { topic: self.topic, partition: number });
        let from = self.partitions[number as usize].next_offset();
        for seen in log.recall(from, Isolation::ReadCommitted) {
            match seen {
                Seen::Record { offset, .. } | Seen::Nothing { offset } if offset >= until => break,
                Seen::Record { offset, record, .. } => self.play(number, offset, &record),
                Seen::Nothing { .. } => {}
            }
        }
        self.partitions[number as usize].skip_to(until);
        self.partitions[number as usize].commit();
    }

    pub fn advance_to_the_end(&mut self, kafka: &Kafka) {
        for number in 0..self.count {
            let end = kafka.log(Place { topic: self.topic, partition: number }).last_stable_offset();
            self.advance(kafka, number, end);
        }
    }

    fn play(&mut self, number: i32, offset: i64, stored: &Stored) {
        let record = Record {
            position: Position { topic: P::INPUT, partition: number, offset },
            stamp: UtcMillis(stored.stamp),
            key: stored.key.as_deref(),
            value: stored.value.as_deref(),
            origin: None,
        };
        let partition = &mut self.partitions[number as usize];
        let mut effects = Effects::default();
        while let Some(timer) = partition.next_timer(record.stamp) {
            partition.fire(&self.processor, timer, Some(record.position), &mut effects);
        }
        partition.move_time(record.stamp);
        let taken = partition.take(&self.processor, &record, &|| origin_of(stored), self.routing, &mut effects);
        partition.done_with(offset);
        partition.commit();
        match taken {
            Taken::Refused(rejection) => {
                self.said.dead_letters.push(format!("{:?}", DeadLetterError::new(&record, &rejection).headers()));
            }
            Taken::Forward { key } => {
                let origin = format!("{}/{number}/{offset}/{}", P::INPUT.as_str(), record.stamp.0);
                let text = internal_text(Some(key.as_bytes()), record.value, Some(origin));
                self.said.forwards.push((P::INPUT, text));
            }
            Taken::Applied { .. } | Taken::Time { .. } => {}
        }
        for effect in effects.list {
            self.tell(effect, record.stamp);
        }
    }

    fn tell(&mut self, effect: Effect, moved_at: UtcMillis) {
        match effect {
            Effect::Recommend(recommendation) => {
                if recommendation.expires_at > moved_at {
                    let text = serde_json::to_string(&recommendation).expect("a recommendation as JSON");
                    self.said.recommendations.push((recommendation.household_id.clone(), text));
                }
            }
            Effect::FlightUpdate { household_id, update } => {
                let value = encode::flight_update(&household_id, &update);
                let text = internal_text(Some(household_id.as_bytes()), Some(&value), None);
                self.said.internal.push((Topic::UserActivity, text));
            }
            Effect::Watch(watch) => {
                let value = encode::watch(&watch);
                let text = internal_text(Some(watch.flight_key.as_str().as_bytes()), Some(&value), None);
                self.said.internal.push((Topic::FlightStatus, text));
            }
        }
    }
}
