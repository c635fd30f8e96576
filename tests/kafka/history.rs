//! Histories of producers and readers, played on the model and on a real broker alike.
//!
//! A history is a list of steps that a number decides. After each step both brokers must agree on where every partition
//! begins, is stable and ends; on whether the step was refused; and on what readers of either isolation see.

use crate::kafka_model::partition_log::{Isolation, Stored};
use crate::kafka_model::transactions::{Identity, Refusal};
use crate::kafka_model::{Kafka, Place};
use crate::random::Random;

pub const PARTITIONS: i32 = 2;
/// Transactional clients; two neighbours share a transactional id, so that one fences the other.
pub const CLIENTS: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client is made new and takes its transactional id.
    Init(usize),
    Begin(usize),
    Produce(usize, i32),
    Commit(usize),
    Abort(usize),
    /// Without a transaction.
    Plain(i32),
    /// Everything before an offset is deleted, this share of what is stable in hundredths.
    Delete(i32, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Refused,
}

/// Where a partition begins, is stable and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub start: i64,
    pub stable: i64,
    pub end: i64,
}

/// What can be seen after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub outcome: Outcome,
    pub extents: Vec<Extent>,
}

/// Offsets and values of a partition that a reader sees.
pub type Visible = Vec<(i64, String)>;

pub trait Broker {
    /// `text`: what is written, where the step writes something.
    fn play(&mut self, step: &Step, text: &str) -> Outcome;

    fn extent(&mut self, partition: i32) -> Extent;

    fn visible(&mut self, partition: i32, isolation: Isolation) -> Visible;
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    is_made: bool,
    is_open: bool,
    /// Its neighbour has taken the id: what it tries now is refused, after which it is gone.
    is_fenced: bool,
}

/// A history that makes sense: nobody commits what was not begun.
pub fn history(seed: u64, length: usize) -> Vec<Step> {
    let mut random = Random::new(seed, 7);
    let mut clients = [Client::default(); CLIENTS];
    let mut steps = Vec::new();
    while steps.len() < length {
        let client = random.below(CLIENTS);
        let partition = random.below(PARTITIONS as usize) as i32;
        let known = clients[client];
        let step = match random.below(20) {
            0 => Step::Plain(partition),
            1 => Step::Delete(partition, random.between(0, 100)),
            2 => Step::Init(client),
            _ if !known.is_made => Step::Init(client),
            _ if !known.is_open && known.is_fenced => continue,
            _ if !known.is_open => Step::Begin(client),
            3..=12 => Step::Produce(client, partition),
            13..=15 => Step::Abort(client),
            _ => Step::Commit(client),
        };
        match step {
            Step::Init(client) => {
                clients[client] = Client { is_made: true, ..Client::default() };
                clients[client ^ 1].is_fenced = true;
            }
            Step::Begin(client) => clients[client].is_open = true,
            Step::Commit(client) | Step::Abort(client) => {
                let is_gone = known.is_fenced;
                clients[client] = Client { is_made: !is_gone, ..Client::default() };
            }
            Step::Produce(..) | Step::Plain(_) | Step::Delete(..) => {}
        }
        steps.push(step);
    }
    steps
}

/// The model as a broker of histories.
pub struct Model {
    kafka: Kafka,
    topic: usize,
    clients: Vec<Option<(Identity, bool)>>,
}

const TIMEOUT: i64 = 60_000;

impl Model {
    pub fn new() -> Model {
        let mut kafka = Kafka::new(0);
        let topic = kafka.create_topic(PARTITIONS, true);
        Model { kafka, topic, clients: vec![None; CLIENTS] }
    }

    fn end(&mut self, client: usize, commit: bool) -> Outcome {
        let Some((identity, has_sent)) = self.clients[client].clone() else { return Outcome::Refused };
        if !has_sent {
            return Outcome::Done;
        }
        self.clients[client] = Some((identity.clone(), false));
        let ended = self.kafka.end_transaction(&identity, commit);
        self.kafka.write_all_markers(&identity.transactional_id);
        if ended.is_ok() { Outcome::Done } else { Outcome::Refused }
    }
}

impl Broker for Model {
    fn play(&mut self, step: &Step, text: &str) -> Outcome {
        let record = || Stored { value: Some(text.as_bytes().to_vec()), ..Stored::default() };
        match *step {
            Step::Init(client) => loop {
                let id = format!("id-{}", client / 2);
                match self.kafka.init_transactions(&id, TIMEOUT) {
                    Ok(identity) => {
                        self.clients[client] = Some((identity, false));
                        return Outcome::Done;
                    }
                    Err(Refusal::Concurrent) => self.kafka.write_all_markers(&id),
                    Err(_) => return Outcome::Refused,
                }
            },
            Step::Begin(_) => Outcome::Done,
            Step::Produce(client, partition) => {
                let place = Place { topic: self.topic, partition };
                if let Some((identity, has_sent)) = &mut self.clients[client] {
                    *has_sent = true;
                    // Clients learn of a failure when they commit.
                    let _ = self.kafka.produce(identity, place, record());
                }
                Outcome::Done
            }
            Step::Commit(client) => self.end(client, true),
            Step::Abort(client) => self.end(client, false),
            Step::Plain(partition) => {
                self.kafka.append(Place { topic: self.topic, partition }, record());
                Outcome::Done
            }
            Step::Delete(partition, share) => {
                let extent = self.extent(partition);
                let before = extent.start + (extent.stable - extent.start) * share / 100;
                self.kafka.log_mut(Place { topic: self.topic, partition }).delete_before(before);
                Outcome::Done
            }
        }
    }

    fn extent(&mut self, partition: i32) -> Extent {
        let log = self.kafka.log(Place { topic: self.topic, partition });
        Extent { start: log.start(), stable: log.last_stable_offset(), end: log.high_watermark() }
    }

    fn visible(&mut self, partition: i32, isolation: Isolation) -> Visible {
        let log = self.kafka.log(Place { topic: self.topic, partition });
        let text = |record: &Stored| String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
        log.records(isolation).iter().map(|(offset, record)| (*offset, text(record))).collect()
    }
}

pub fn observe(broker: &mut impl Broker, step: &Step, number: usize) -> Observation {
    let outcome = broker.play(step, &format!("{number}"));
    Observation { outcome, extents: (0..PARTITIONS).map(|partition| broker.extent(partition)).collect() }
}
