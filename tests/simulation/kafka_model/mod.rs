//! A model of Kafka: one broker with everything that exactly-once rests on, in memory, with nothing left to chance.
//!
//! It decides nothing by itself: time passes, markers are written and requests arrive late when it is told so. What it
//! answers is checked against a real broker (tests/kafka/model.rs). Knows nothing of the engine.
//!
//! | file | what |
//! |---|---|
//! | [`partition_log`] | offsets, control records, last stable offset, aborted ranges, compaction |
//! | [`transactions`] | producer epochs, fencing, commits in two phases |
//! | [`group`] | members, generations, assignment, committed and pending offsets |

// Each of the two test programs uses a part of it.
#![allow(dead_code)]

pub mod group;
pub mod partition_log;
pub mod transactions;

use std::collections::BTreeMap;

use group::Group;
use partition_log::{PartitionLog, Stored};
use transactions::{Identity, Transactional};

pub type ProducerId = i64;
pub type Epoch = i16;
pub type GroupName = &'static str;

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the topic.
    pub topic: usize,
    pub partition: i32,
}

struct Topic {
    /// The broker stamps what arrives; otherwise the producer does.
    append_time: bool,
    partitions: Vec<PartitionLog>,
}

/// A request that its sender has given up on, still under way.
struct Late {
    arrives: i64,
    identity: Identity,
    commit: bool,
}

/// The broker.
pub struct Kafka {
    /// Milliseconds that have passed: sessions and transactions are measured by it.
    now: i64,
    /// What the broker's clock shows, milliseconds since 1970; may jump.
    pub wall: i64,
    topics: Vec<Topic>,
    transactional: BTreeMap<String, Transactional>,
    next_producer: ProducerId,
    groups: BTreeMap<GroupName, Group>,
    orders: u64,
    late: Vec<Late>,
    /// Offsets of a member that the group does not know are refused. Switched off, the model is no Kafka.
    pub checks_generations: bool,
    /// What must not have happened.
    pub violations: Vec<String>,
}

impl Kafka {
    pub fn new(wall: i64) -> Kafka {
        Kafka {
            now: 0,
            wall,
            topics: Vec::new(),
            transactional: BTreeMap::new(),
            next_producer: 0,
            groups: BTreeMap::new(),
            orders: 0,
            late: Vec::new(),
            checks_generations: true,
            violations: Vec::new(),
        }
    }

    /// Makes a topic; its index.
    pub fn create_topic(&mut self, partitions: i32, append_time: bool) -> usize {
        let partitions = (0..partitions).map(|_| PartitionLog::default()).collect();
        self.topics.push(Topic { append_time, partitions });
        self.topics.len() - 1
    }

    pub fn create_group(&mut self, name: GroupName, group: Group) {
        self.groups.insert(name, group);
    }

    pub fn partitions(&self, topic: usize) -> i32 {
        self.topics[topic].partitions.len() as i32
    }

    pub fn log(&self, place: Place) -> &PartitionLog {
        &self.topics[place.topic].partitions[place.partition as usize]
    }

    pub fn log_mut(&mut self, place: Place) -> &mut PartitionLog {
        &mut self.topics[place.topic].partitions[place.partition as usize]
    }

    pub fn group(&self, name: GroupName) -> &Group {
        &self.groups[name]
    }

    pub fn group_mut(&mut self, name: GroupName) -> &mut Group {
        self.groups.get_mut(name).expect("a group that was created")
    }

    pub fn now(&self) -> i64 {
        self.now
    }

    fn stamped(&self, place: Place, record: Stored) -> Stored {
        if self.topics[place.topic].append_time { Stored { stamp: self.wall, ..record } } else { record }
    }

    /// A producer without transactions.
    pub fn append(&mut self, place: Place, record: Stored) -> i64 {
        let record = self.stamped(place, record);
        self.log_mut(place).append(record)
    }

    pub(crate) fn next_order(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }

    /// An end of a transaction that arrives when its sender no longer waits for it.
    pub fn end_transaction_later(&mut self, identity: &Identity, commit: bool, delay: i64) {
        self.late.push(Late { arrives: self.now + delay, identity: identity.clone(), commit });
    }

    /// Lets time pass: late requests arrive, transactions and sessions end.
    pub fn pass(&mut self, milliseconds: i64) {
        self.now += milliseconds;
        let (arrived, under_way) =
            std::mem::take(&mut self.late).into_iter().partition(|late| late.arrives <= self.now);
        self.late = under_way;
        let arrived: Vec<Late> = arrived;
        for late in arrived {
            // Whoever sent it is gone; nobody hears the answer.
            let _ = self.end_transaction(&late.identity, late.commit);
        }
        self.time_out_transactions();
        for group in self.groups.values_mut() {
            group.time_out(self.now);
        }
    }
}
