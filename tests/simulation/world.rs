//! The world of one seed: a broker, processes, producers, time, and what goes wrong.
//!
//! Everything happens in one thread. Whenever a worker calls its log, the world may go on first: other workers step, time
//! passes, sessions end; so a worker can be overtaken between any two of its calls, and killed there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use zoner::engine::log::{Destination, LogError};
use zoner::engine::record::Topic;

use crate::common::records::MONDAY;
use crate::family::{Arriving, Script, Twins};
use crate::kafka_model::group::Group;
use crate::kafka_model::transactions::Identity;
use crate::kafka_model::{Kafka, Place};
use crate::plan::{Misfortunes, Plan, Sabotage};
use crate::random::Random;
use crate::slot::{Kind, ModelClock, Slot};

/// As in production, in milliseconds.
const SESSION_TIMEOUT: i64 = 10_000;
const REBALANCE_TIMEOUT: i64 = 60_000;
/// For so long a coordinator reads its offsets, at most.
const LONGEST_LOADING: i64 = 2_500;
/// A coordinator that is restarted again and again while it reads them is not waited for.
const BETWEEN_RESTARTS: i64 = 10_000;
/// A worker inside a call of a worker inside a call …
const DEEPEST: u32 = 3;

/// Indices of the topics.
#[derive(Clone, Copy, Debug)]
pub struct Topics {
    pub user_activity: usize,
    pub flight_status: usize,
    pub recommendations: usize,
    pub dead_letters: usize,
    pub traveller_states: usize,
    pub flight_states: usize,
}

impl Topics {
    pub fn input(&self, topic: Topic) -> usize {
        match topic {
            Topic::UserActivity => self.user_activity,
            Topic::FlightStatus => self.flight_status,
        }
    }

    /// The topic of the states that a processor makes of its input.
    pub fn state_of(&self, input: Topic) -> usize {
        match input {
            Topic::UserActivity => self.traveller_states,
            Topic::FlightStatus => self.flight_states,
        }
    }

    pub fn of(&self, destination: Destination, input: Topic) -> usize {
        match destination {
            Destination::UserActivity => self.user_activity,
            Destination::FlightStatus => self.flight_status,
            Destination::Recommendations => self.recommendations,
            Destination::DeadLetters => self.dead_letters,
            Destination::State => self.state_of(input),
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfortune {
    Refused,
    Broken,
    NoAnswer,
}

pub struct World {
    pub plan: Plan,
    pub sabotage: Sabotage,
    pub topics: Topics,
    pub kafka: RefCell<Kafka>,
    pub random: RefCell<Random>,
    pub slots: RefCell<Vec<Rc<Slot>>>,
    pub twins: Option<Twins>,
    pub arriving: RefCell<VecDeque<Arriving>>,
    /// Set back to none when nothing is to go wrong any more.
    misfortunes: Cell<Misfortunes>,
    /// The state topics take nothing, as where an operator has them full or forbidden. No seed decides this.
    pub refuses_states: Cell<bool>,
    /// Until then the coordinator knows no offsets.
    pub unread_until: Cell<i64>,
    depth: Cell<u32>,
    wall: Arc<AtomicI64>,
    elapsed: Arc<AtomicI64>,
    pub statistics: RefCell<Statistics>,
    /// Tells what happens, for the one seed that somebody looks at.
    pub is_told: bool,
}

/// What happened in a seed: a simulation in which nothing goes wrong proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub calls: u64,
    pub kills: u64,
    pub stops: u64,
    pub freezes: u64,
    pub rejoins: u64,
    pub fenced: u64,
    pub lost_answers: u64,
    pub recommendations: u64,
    pub restores: u64,
    pub records: u64,
    pub orphans: u64,
    pub deletions: u64,
    /// Answers without offsets that the group has.
    pub unread: u64,
    /// Partitions whose states were read while an open transaction hid some of them.
    pub hidden: u64,
}

impl Statistics {
    pub fn add(&mut self, other: &Statistics) {
        self.calls += other.calls;
        self.kills += other.kills;
        self.stops += other.stops;
        self.freezes += other.freezes;
        self.rejoins += other.rejoins;
        self.fenced += other.fenced;
        self.lost_answers += other.lost_answers;
        self.recommendations += other.recommendations;
        self.restores += other.restores;
        self.records += other.records;
        self.orphans += other.orphans;
        self.deletions += other.deletions;
        self.hidden += other.hidden;
        self.unread += other.unread;
    }
}

impl World {
    pub fn new(seed: u64, sabotage: Sabotage, is_told: bool) -> Rc<World> {
        let plan = Plan::of(&mut Random::new(seed, 1), sabotage);
        let script = Script::of(&plan, &mut Random::new(seed, 2));
        let mut kafka = Kafka::new(MONDAY.0);
        kafka.checks_generations = !sabotage.no_generations;
        let topics = Topics {
            user_activity: kafka.create_topic(plan.partitions, plan.append_time),
            flight_status: kafka.create_topic(plan.partitions, plan.append_time),
            recommendations: kafka.create_topic(2, true),
            dead_letters: kafka.create_topic(1, true),
            traveller_states: kafka.create_topic(plan.partitions, true),
            flight_states: kafka.create_topic(plan.partitions, true),
        };
        for kind in [Kind::Travellers, Kind::Flights] {
            kafka.create_group(kind.group(), Group::new(plan.partitions, SESSION_TIMEOUT, REBALANCE_TIMEOUT));
        }
        let world = World {
            misfortunes: Cell::new(plan.misfortunes),
            sabotage,
            topics,
            kafka: RefCell::new(kafka),
            random: RefCell::new(Random::new(seed, 3)),
            slots: RefCell::new(Vec::new()),
            twins: script.twins,
            arriving: RefCell::new(script.arriving.into()),
            refuses_states: Cell::new(false),
            unread_until: Cell::new(-BETWEEN_RESTARTS),
            depth: Cell::new(0),
            wall: Arc::new(AtomicI64::new(MONDAY.0)),
            elapsed: Arc::new(AtomicI64::new(0)),
            statistics: RefCell::new(Statistics::default()),
            is_told,
            plan,
        };
        for (kind, count) in [Kind::Travellers, Kind::Flights].into_iter().zip(world.plan.members) {
            for _ in 0..count {
                world.add_slot(kind, None);
            }
        }
        world.tell(|| format!("{:#?}", world.plan));
        Rc::new(world)
    }

    pub fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            eprintln!("{:>8} {}", self.elapsed.load(Ordering::Relaxed), what());
        }
    }

    /// A place for one more process; under the name of another, where that is given.
    pub fn add_slot(&self, kind: Kind, instance: Option<String>) {
        let number = self.slots.borrow().len();
        let own_name = || self.plan.is_static.then(|| format!("member-{number}"));
        let clock = ModelClock::new(Arc::clone(&self.wall), Arc::clone(&self.elapsed), !self.plan.append_time);
        let slot = Slot::new(kind, number, instance.or_else(own_name), clock);
        self.slots.borrow_mut().push(Rc::new(slot));
    }

    pub fn below(&self, count: usize) -> usize {
        self.random.borrow_mut().below(count)
    }

    pub fn between(&self, least: i64, most: i64) -> i64 {
        self.random.borrow_mut().between(least, most)
    }

    pub fn permille(&self, cases: u32) -> bool {
        self.random.borrow_mut().permille(cases)
    }

    pub fn misfortunes(&self) -> Misfortunes {
        self.misfortunes.get()
    }

    /// From here on nothing goes wrong.
    pub fn be_kind(&self) {
        self.misfortunes.set(Misfortunes::default());
    }

    pub fn now(&self) -> i64 {
        self.kafka.borrow().now()
    }

    pub fn pass(&self, milliseconds: i64) {
        let mut kafka = self.kafka.borrow_mut();
        kafka.pass(milliseconds);
        kafka.wall += milliseconds;
        self.wall.store(kafka.wall, Ordering::Relaxed);
        self.elapsed.store(kafka.now(), Ordering::Relaxed);
    }

    /// The clock on the wall is set, which says nothing of how much time has passed.
    pub fn set_wall(&self, wall: i64) {
        self.kafka.borrow_mut().wall = wall;
        self.wall.store(wall, Ordering::Relaxed);
    }

    pub fn wall(&self) -> i64 {
        self.kafka.borrow().wall
    }

    /// The next records arrive.
    pub fn write(&self, count: usize) {
        for _ in 0..count {
            let Some(next) = self.arriving.borrow_mut().pop_front() else { return };
            self.statistics.borrow_mut().records += 1;
            self.set_wall(self.wall().max(next.at));
            let place = Place { topic: self.topics.input(next.topic), partition: next.partition };
            self.kafka.borrow_mut().append(place, next.record);
        }
    }

    /// Some marker of some transaction that has been decided.
    pub fn write_a_marker(&self) {
        let ending = self.kafka.borrow().ending();
        if !ending.is_empty() {
            let id = &ending[self.below(ending.len())];
            let nth = if self.below(2) == 0 { 0 } else { self.below(8) };
            self.kafka.borrow_mut().write_marker(id, nth);
        }
    }

    /// The answer to the end of a transaction never comes: it was carried out, or will be, or never arrived.
    pub fn lose_answer(&self, identity: &Identity) {
        self.statistics.borrow_mut().lost_answers += 1;
        let mut kafka = self.kafka.borrow_mut();
        let fate = self.below(3);
        self.tell(|| format!("the answer to the end of {}'s transaction is lost ({fate})", identity.transactional_id));
        match fate {
            0 => {}
            1 => drop(kafka.end_transaction(identity, true)),
            _ => {
                let delay = self.between(1, 15_000);
                kafka.end_transaction_later(identity, true, delay);
            }
        }
    }

    fn dead() -> LogError {
        LogError::Client("the process was killed".to_owned())
    }

    fn draw(&self, cases: usize) -> bool {
        cases > 0 && self.below(10_000) < cases
    }

    /// Whether the coordinator answers now as if it knew no offsets.
    pub fn offsets_are_unread(&self) -> bool {
        let is_rested = self.now() > self.unread_until.get() + BETWEEN_RESTARTS;
        if is_rested && self.draw(self.misfortunes.get().unread) {
            self.unread_until.set(self.now() + self.between(0, LONGEST_LOADING));
        }
        let is_unread = self.now() < self.unread_until.get();
        self.statistics.borrow_mut().unread += u64::from(is_unread);
        is_unread
    }

    /// Before a worker's call to its log is carried out: the world may go on, and the process may end here.
    pub fn at_call(self: &Rc<Self>, slot: &Slot, call: &'static str) -> Result<(), LogError> {
        self.statistics.borrow_mut().calls += 1;
        if slot.is_killed.get() {
            return Err(World::dead());
        }
        let odds = self.misfortunes.get();
        if self.draw(odds.kill) {
            self.tell(|| format!("process {} is killed at {call}", slot.number));
            self.kill(slot);
        } else if self.depth.get() < DEEPEST && self.draw(odds.freeze) {
            self.freeze(slot, call);
        } else if self.depth.get() < DEEPEST && self.draw(odds.interleave) {
            self.tell(|| format!("process {} is overtaken at {call}", slot.number));
            for _ in 0..=self.below(12) {
                self.nested();
            }
        }
        if slot.is_killed.get() { Err(World::dead()) } else { Ok(()) }
    }

    /// A worker waits for the broker while the world goes on.
    pub fn wait(self: &Rc<Self>, slot: &Slot, deadline: i64) -> Result<(), LogError> {
        if self.now() >= deadline {
            return Err(LogError::Client("no answer in time".to_owned()));
        }
        if self.depth.get() < DEEPEST {
            self.nested();
        }
        self.write_a_marker();
        self.pass(20);
        if slot.is_killed.get() { Err(World::dead()) } else { Ok(()) }
    }

    fn nested(self: &Rc<Self>) {
        self.depth.set(self.depth.get() + 1);
        self.act();
        self.depth.set(self.depth.get() - 1);
    }

    /// SIGSTOP, and after a while SIGCONT: not even the background threads run. A static member may be replaced
    /// meanwhile by a process of the same name.
    fn freeze(self: &Rc<Self>, slot: &Slot, call: &'static str) {
        let until = self.now() + self.between(100, 2 * SESSION_TIMEOUT);
        self.tell(|| format!("process {} freezes at {call} until {until}", slot.number));
        self.statistics.borrow_mut().freezes += 1;
        slot.is_frozen.set(true);
        if slot.instance.is_some() && self.permille(150) {
            self.tell(|| format!("process {} is replaced", slot.number));
            self.add_slot(slot.kind, slot.instance.clone());
        }
        while self.now() < until {
            self.nested();
            self.pass(self.between(1, 400));
        }
        slot.is_frozen.set(false);
        self.tell(|| format!("process {} wakes up", slot.number));
    }

    /// SIGKILL.
    pub fn kill(&self, slot: &Slot) {
        self.statistics.borrow_mut().kills += 1;
        slot.is_killed.set(true);
        slot.membership.borrow_mut().take();
    }

    /// Whether a request goes wrong.
    pub fn misfortune(&self, slot: &Slot, call: &'static str) -> Option<Misfortune> {
        let odds = self.misfortunes.get();
        let misfortune = if call == "the answer to end_transaction" {
            self.draw(odds.no_answer).then_some(Misfortune::NoAnswer)
        } else if self.draw(odds.refused) {
            Some(Misfortune::Refused)
        } else {
            self.draw(odds.broken).then_some(Misfortune::Broken)
        }?;
        self.tell(|| format!("process {}: {call}: {misfortune:?}", slot.number));
        Some(misfortune)
    }
}
