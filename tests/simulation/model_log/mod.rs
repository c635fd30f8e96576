//! The engine's [`Log`] on the model of Kafka: what `kafka::client` is on a real one.
//!
//! Every call is a place at which the world may go on without this process, freeze it or kill it. [`states`] reads what was
//! stored; [`transactions`] writes.

mod states;
mod transactions;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use zoner::engine::log::{Bounds, Commit, Committed, Destination, GroupEvent, Log, LogError, Output, Start, TopicIds};
use zoner::engine::record::Topic;
use zoner::event::encode;
use zoner::units::UtcMillis;

use crate::batch::{ModelBatch, told};
use crate::kafka_model::Place;
use crate::kafka_model::partition_log::Stored;
use crate::kafka_model::transactions::Identity;
use crate::kafka_model::{GroupName, group};
use crate::membership::Membership;
use crate::slot::Slot;
use crate::world::{Misfortune, World};
use states::StateReading;
use transactions::{init_transactions, refused};

const ROUND_TRIP: i64 = 10_000;

/// The clients of one worker.
pub struct ModelLog {
    world: Rc<World>,
    slot: Rc<Slot>,
    membership: Rc<RefCell<Membership>>,
    topic: Topic,
    group: GroupName,
    producers: [Identity; 2],
    current: usize,
    /// Records of the open transaction that are not sent yet.
    unsent: Vec<(Place, Stored)>,
    /// The coordinator has heard of the open transaction.
    has_sent: bool,
    unsent_ticks: Vec<(Place, Stored)>,
    /// Whose turn it is to be read from first.
    turn: i32,
    /// State partitions that are being read, and how far.
    states: BTreeMap<i32, StateReading>,
}

fn dead() -> LogError {
    LogError::Client("the process was killed".to_owned())
}

impl ModelLog {
    /// Connects a worker: its producers take their transactional ids over, its consumer joins.
    pub fn join(world: &Rc<World>, slot: &Rc<Slot>) -> Result<ModelLog, LogError> {
        let group = slot.kind.group();
        let mut producers = Vec::new();
        for turn in 0..2 {
            world.at_call(slot, "init_transactions")?;
            let id = format!("{group}-{}-{turn}", slot.identity());
            producers.push(init_transactions(world, slot, &id)?);
        }
        let membership = Rc::new(RefCell::new(Membership::new(slot.instance.clone())));
        *slot.membership.borrow_mut() = Some(Rc::clone(&membership));
        let second = producers.pop().ok_or_else(dead)?;
        let first = producers.pop().ok_or_else(dead)?;
        Ok(ModelLog {
            world: Rc::clone(world),
            slot: Rc::clone(slot),
            membership,
            topic: slot.kind.input(),
            group,
            producers: [first, second],
            current: 0,
            unsent: Vec::new(),
            has_sent: false,
            unsent_ticks: Vec::new(),
            turn: 0,
            states: BTreeMap::new(),
        })
    }

    fn at(&self, call: &'static str) -> Result<(), LogError> {
        self.world.at_call(&self.slot, call)
    }

    fn input(&self, partition: i32) -> Place {
        Place { topic: self.world.topics.input(self.topic), partition }
    }

    fn send_ticks(&mut self) {
        for (place, record) in self.unsent_ticks.drain(..) {
            self.world.kafka.borrow_mut().append(place, record);
        }
    }

    /// A broker's refusal that nobody expected.
    fn misfortune(&self, call: &'static str) -> Result<(), LogError> {
        match self.world.misfortune(&self.slot, call) {
            None | Some(Misfortune::NoAnswer) => Ok(()),
            Some(Misfortune::Refused) => Err(LogError::Abort(format!("{call}: refused"))),
            Some(Misfortune::Broken) => Err(LogError::Client(format!("{call}: the connection broke"))),
        }
    }
}

impl Log for ModelLog {
    type Batch = ModelBatch;

    fn topic_name(&self) -> &str {
        self.topic.as_str()
    }

    fn group_events(&mut self) -> Result<Vec<GroupEvent>, LogError> {
        self.at("group_events")?;
        let mut membership = self.membership.borrow_mut();
        if membership.is_fenced {
            return Err(LogError::Fatal("another member runs with this instance id".to_owned()));
        }
        Ok(membership.take_events())
    }

    fn assign(&mut self, starts: &[Start]) -> Result<(), LogError> {
        self.at("assign")?;
        let starts: Vec<(i32, Option<i64>)> =
            starts.iter().map(|start| (start.partition, (!start.paused).then_some(start.offset))).collect();
        self.slot.journal_begins_anew(starts.iter().map(|(partition, _)| *partition));
        self.membership.borrow_mut().assign(&starts);
        Ok(())
    }

    fn resume(&mut self, partition: i32, offset: i64) -> Result<(), LogError> {
        self.at("resume")?;
        self.slot.journal_begins_anew([partition]);
        let mut membership = self.membership.borrow_mut();
        let Some(reading) = membership.reading.get_mut(&partition) else {
            return Err(LogError::Client(format!("resume: partition {partition} is not assigned")));
        };
        reading.next = Some(offset);
        Ok(())
    }

    fn topic_ids(&mut self) -> Result<TopicIds, LogError> {
        self.at("topic_ids")?;
        let [input, states] = [self.input(0), self.state(0)].map(|place| format!("{:?}", place.topic));
        Ok(TopicIds { input, states })
    }

    fn state_bounds(&mut self, partition: i32) -> Result<Bounds, LogError> {
        self.at("state_bounds")?;
        Ok(self.bounds_of_states(partition))
    }

    fn open_state(&mut self, partition: i32, from: i64) -> Result<(), LogError> {
        self.at("open_state")?;
        self.states.insert(partition, StateReading { next: from, position: None });
        Ok(())
    }

    fn fetch_state(&mut self, max: usize, _wait: Duration) -> Result<ModelBatch, LogError> {
        self.at("fetch_state")?;
        Ok(self.next_states(max))
    }

    fn state_position(&self, partition: i32) -> Option<i64> {
        self.states.get(&partition)?.position
    }

    fn close_state(&mut self, partition: i32) -> Result<(), LogError> {
        self.at("close_state")?;
        self.states.remove(&partition);
        Ok(())
    }

    fn unassign(&mut self, partitions: &[i32]) -> Result<(), LogError> {
        self.at("unassign")?;
        self.membership.borrow_mut().unassign(partitions);
        self.world.tell(|| format!("process {} gives up {partitions:?}", self.slot.number));
        Ok(())
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<Option<Committed>>, LogError> {
        self.at("committed")?;
        let deadline = self.world.kafka.borrow().now() + ROUND_TRIP;
        // What an open transaction may yet change is not told.
        while self.world.kafka.borrow().group(self.group).is_unstable(partitions) {
            self.world.wait(&self.slot, deadline)?;
        }
        let kafka = self.world.kafka.borrow();
        let known = kafka.group(self.group);
        self.world.tell(|| {
            let told: Vec<_> = partitions.iter().map(|partition| known.committed(*partition)).collect();
            format!("process {} takes over {partitions:?} at {told:?}", self.slot.number)
        });
        let is_unread =
            partitions.iter().all(|partition| self.has_marker(*partition)) && self.world.offsets_are_unread();
        Ok(partitions
            .iter()
            .map(|partition| {
                let group::Committed { offset, metadata } = known.committed(*partition).filter(|_| !is_unread)?;
                Some(Committed { offset, metadata })
            })
            .collect())
    }

    fn bounds(&mut self, partition: i32) -> Result<Bounds, LogError> {
        self.at("bounds")?;
        let kafka = self.world.kafka.borrow();
        let log = kafka.log(self.input(partition));
        // A client that reads committed records is told the last stable offset.
        Ok(Bounds { low: log.start(), high: log.last_stable_offset() })
    }

    fn fetch(&mut self, max: usize, _wait: Duration) -> Result<ModelBatch, LogError> {
        self.at("fetch")?;
        self.send_ticks();
        let mut batch = ModelBatch::empty(self.topic);
        let mut membership = self.membership.borrow_mut();
        let kafka = self.world.kafka.borrow();
        let mut random = self.world.random.borrow_mut();
        self.turn += 1;
        let partitions: Vec<i32> = membership.reading.keys().copied().collect();
        let count = partitions.len();
        for place in 0..count {
            let partition = partitions[(place + self.turn as usize) % count];
            let Some(reading) = membership.reading.get_mut(&partition) else { continue };
            let Some(next) = reading.next.as_mut() else { continue };
            let log = kafka.log(self.input(partition));
            if *next < log.start() || *next > log.high_watermark() {
                return Err(LogError::Fatal(format!("offset {next} of partition {partition} does not exist")));
            }
            reading.known_end = Some(log.high_watermark());
            batch.take((log, partition), next, &mut reading.position, max, &mut random);
        }
        Ok(batch)
    }

    fn position(&self, partition: i32) -> Option<i64> {
        self.membership.borrow().reading.get(&partition)?.position
    }

    fn end(&self, partition: i32) -> Option<i64> {
        self.membership.borrow().reading.get(&partition)?.known_end
    }

    fn rewind(&mut self, offsets: &[(i32, i64)]) -> Result<(), LogError> {
        self.at("rewind")?;
        self.slot.journal_begins_anew(self.membership.borrow().reading.keys().copied());
        let mut membership = self.membership.borrow_mut();
        for (partition, offset) in offsets {
            let Some(reading) = membership.reading.get_mut(partition) else {
                return Err(LogError::Client(format!("seek: partition {partition} is not assigned")));
            };
            // The position is told of what was handed out last, until something is handed out again.
            reading.next = Some(*offset);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.at("begin")?;
        assert!(self.unsent.is_empty() && !self.has_sent, "a transaction is open already");
        self.current = (self.current + 1) % self.producers.len();
        Ok(())
    }

    fn produce(&mut self, output: &Output<'_>) -> Result<(), LogError> {
        self.at("produce")?;
        self.misfortune("produce")?;
        if output.destination == Destination::State && self.world.refuses_states.get() {
            self.slot.refused.borrow_mut().push(self.world.now());
            return Err(LogError::Abort("produce: the state topic takes nothing".to_owned()));
        }
        let place = self.place(output.destination, output.partition, output.key);
        let record = Stored {
            key: output.key.map(<[u8]>::to_vec),
            value: output.value.map(<[u8]>::to_vec),
            headers: output
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)))
                .collect(),
            stamp: output.stamp.map_or(self.slot.clock.wall(), |stamp| stamp.0),
        };
        self.world.tell(|| format!("process {} writes {}", self.slot.number, told(&output.destination, &record)));
        self.unsent.push((place, record));
        let sent = self.world.random.borrow_mut().below(self.unsent.len() + 1);
        // What fails in the background is told by the commit.
        match self.send(sent) {
            Err(LogError::Fenced(why)) => Err(LogError::Abort(why)),
            other => other,
        }
    }

    fn commit(&mut self, offsets: &[Commit]) -> Result<(), LogError> {
        self.send_offsets(offsets)?;
        self.end_transaction()
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.at("abort")?;
        self.unsent.clear();
        if std::mem::take(&mut self.has_sent) {
            let identity = self.producer().clone();
            let ended = self.world.kafka.borrow_mut().end_transaction(&identity, false);
            ended.map_err(|refusal| refused("abort", refusal))?;
        }
        self.at("aborted")
    }

    fn tick(&mut self, partition: i32, at: UtcMillis) -> Result<(), LogError> {
        self.at("tick")?;
        let record = Stored { value: Some(encode::tick(at)), stamp: at.0, ..Stored::default() };
        self.unsent_ticks.push((self.input(partition), record));
        if self.world.random.borrow_mut().coin() {
            self.send_ticks();
        }
        Ok(())
    }

    fn close(mut self, leave: bool) {
        if self.at("close").is_err() {
            return;
        }
        self.send_ticks();
        let mut kafka = self.world.kafka.borrow_mut();
        let now = kafka.now();
        self.membership.borrow_mut().close(kafka.group_mut(self.group), leave, now);
    }
}
