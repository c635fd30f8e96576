//! What happens next: the actions of the world, drawn by chance, and the quiet end of every seed.

use std::cell::RefCell;
use std::rc::Rc;

use zoner::engine::codec::{self, MARKER_KEY};
use zoner::engine::cursor::Cursor;
use zoner::engine::log::LogError;
use zoner::engine::worker::Exit;

use crate::kafka_model::Place;
use crate::kafka_model::partition_log::{Isolation, Seen};
use crate::membership::Membership;
use crate::model_log::ModelLog;
use crate::process;
use crate::slot::{Kind, Slot};
use crate::world::World;

/// What a round takes, in milliseconds.
pub const ROUND: i64 = 250;
/// Rounds in which everything must be done once nothing goes wrong any more.
const ROUNDS: usize = 6_000;
/// Rounds after which an operator sees that a partition has no owner.
const ROUNDS_TO_NOTICE: usize = 400;

impl World {
    /// One thing happens.
    pub fn act(self: &Rc<Self>) {
        if self.permille(self.misfortunes().operations) {
            self.operate();
            return;
        }
        if self.permille(self.plan.markers) {
            self.write_a_marker();
            return;
        }
        match self.below(100) {
            0..60 => self.step_someone(),
            60..74 => self.beat_someone(),
            74..91 => self.pass(self.between(1, 300)),
            91..97 => self.write(1 + self.below(2)),
            97 => self.compact(),
            _ => self.retain(),
        }
    }

    /// The cleaner comes by a partition of states. The last record always stays: the active segment is not cleaned.
    fn compact(&self) {
        let topic = if self.below(2) == 0 { self.topics.traveller_states } else { self.topics.flight_states };
        let place = Place { topic, partition: self.below(self.plan.partitions as usize) as i32 };
        let mut kafka = self.kafka.borrow_mut();
        let end = kafka.log(place).high_watermark();
        let until = self.between(0, (end - 1).max(0));
        kafka.log_mut(place).compact(until, self.below(2) == 0);
    }

    /// Retention: input may go once its effects are in a complete checkpoint that is committed. It takes days, so it never
    /// overtakes a member that is being restored or does not know yet that it was replaced.
    fn retain(&self) {
        let kind = if self.below(2) == 0 { Kind::Travellers } else { Kind::Flights };
        let partition = self.below(self.plan.partitions as usize) as i32;
        let mut slots = self.slots.borrow().clone();
        slots.retain(|slot| slot.kind == kind);
        if !slots.iter().all(|slot| self.is_calm(slot, partition)) {
            return;
        }
        let mut kafka = self.kafka.borrow_mut();
        let states = kafka.log(Place { topic: self.topics.state_of(kind.input()), partition });
        let markers = states.decided().filter(|record| record.key.as_deref() == Some(MARKER_KEY));
        let newest = markers.filter_map(|record| codec::decode_marker(record.value.as_deref()?).ok()).last();
        if let Some(marker) = newest {
            self.tell(|| format!("{kind:?} {partition} is deleted up to {}", marker.offset));
            self.statistics.borrow_mut().deletions += 1;
            kafka.log_mut(Place { topic: self.topics.input(kind.input()), partition }).delete_before(marker.offset);
        }
    }

    /// Whether a process, if it takes a partition for its own, is right, and has all of it in memory.
    fn is_calm(&self, slot: &Slot, partition: i32) -> bool {
        if slot.is_busy.get() || slot.is_frozen.get() {
            return false;
        }
        let process = slot.process.borrow();
        let Some(process) = process.as_ref() else { return true };
        let Some(owned) = process.owned().into_iter().find(|owned| owned.partition == partition) else { return true };
        let membership = slot.membership.borrow();
        let standing = membership.as_ref().and_then(|known| known.borrow().standing());
        let kafka = self.kafka.borrow();
        owned.is_live && standing.is_some_and(|standing| kafka.group(slot.kind.group()).check(&standing).is_ok())
    }

    fn any_slot(&self) -> Rc<Slot> {
        let slots = self.slots.borrow();
        Rc::clone(&slots[self.below(slots.len())])
    }

    fn step_someone(self: &Rc<Self>) {
        let slot = self.any_slot();
        self.run_slot(&slot);
    }

    fn beat_someone(&self) {
        let slot = self.any_slot();
        self.beat(&slot);
    }

    /// The background threads of a process get a turn.
    pub fn beat(&self, slot: &Slot) {
        if slot.is_frozen.get() || slot.is_killed.get() {
            return;
        }
        let membership: Option<Rc<RefCell<Membership>>> = slot.membership.borrow().clone();
        let Some(membership) = membership else { return };
        let mut kafka = self.kafka.borrow_mut();
        let now = kafka.now();
        membership.borrow_mut().beat(kafka.group_mut(slot.kind.group()), now);
    }

    /// A process gets a turn: to start, or to do one round.
    pub fn run_slot(self: &Rc<Self>, slot: &Rc<Slot>) {
        if slot.is_busy.get() || slot.is_retired.get() || self.now() < slot.rests_until.get() {
            return;
        }
        slot.is_busy.set(true);
        let running = slot.process.borrow_mut().take();
        let result = match running {
            None => self.start(slot),
            Some(mut running) => {
                let result = running.step();
                *slot.process.borrow_mut() = Some(running);
                result
            }
        };
        self.after(slot, result);
        slot.is_busy.set(false);
    }

    fn start(self: &Rc<Self>, slot: &Rc<Slot>) -> Result<(), LogError> {
        let log = ModelLog::join(self, slot)?;
        self.tell(|| format!("process {} runs as {}", slot.number, slot.identity()));
        *slot.process.borrow_mut() = Some(process::start(slot, log, &self.plan.settings));
        Ok(())
    }

    /// What becomes of a process after its turn.
    fn after(&self, slot: &Slot, result: Result<(), LogError>) {
        if slot.is_killed.replace(false) {
            self.end(slot, self.between(0, 15_000));
            slot.incarnation.set(slot.incarnation.get() + 1);
            return;
        }
        let Err(error) = result else { return };
        self.tell(|| format!("process {}: {error}", slot.number));
        if let LogError::Fatal(why) = &error {
            let is_fenced = slot.membership.borrow().as_ref().is_some_and(|known| known.borrow().is_fenced);
            if !is_fenced {
                let mut kafka = self.kafka.borrow_mut();
                kafka.violations.push(format!("LV-1: process {} failed: {why}", slot.number));
            }
            self.tell(|| format!("process {} ends", slot.number));
            slot.is_retired.set(true);
            self.end(slot, 0);
            return;
        }
        let mut statistics = self.statistics.borrow_mut();
        statistics.rejoins += 1;
        statistics.fenced += u64::from(matches!(error, LogError::Fenced(_)));
        drop(statistics);
        // The same process joins again with new clients; a dynamic member says that it leaves.
        let membership = slot.membership.borrow_mut().take();
        if let Some(membership) = membership {
            let mut kafka = self.kafka.borrow_mut();
            let now = kafka.now();
            membership.borrow_mut().close(kafka.group_mut(slot.kind.group()), false, now);
        }
        self.end(slot, 200);
    }

    fn end(&self, slot: &Slot, rest: i64) {
        slot.process.borrow_mut().take();
        slot.membership.borrow_mut().take();
        slot.rests_until.set(self.now() + rest);
    }

    /// Something that operators and machines do.
    fn operate(self: &Rc<Self>) {
        let slot = self.any_slot();
        match self.below(6) {
            0 => {
                let off = self.between(-600_000, 600_000);
                self.tell(|| format!("the clock of process {} is {off} ms off", slot.number));
                slot.clock.set_skew(off);
            }
            1 => {
                let by = self.between(-300_000, 1_800_000);
                self.tell(|| format!("the broker's clock jumps by {by} ms"));
                self.set_wall(self.wall() + by);
            }
            2 if self.slots.borrow().len() < 8 => {
                self.tell(|| format!("one more process of {:?}", slot.kind));
                self.add_slot(slot.kind, None);
            }
            3 if !slot.is_frozen.get() || slot.is_busy.get() => {
                self.tell(|| format!("process {} is killed", slot.number));
                self.kill(&slot);
                if !slot.is_busy.get() {
                    self.after(&slot, Ok(()));
                }
            }
            _ => self.stop(&slot, self.permille(300)),
        }
    }

    /// SIGTERM: the process commits and ends; it is started again.
    fn stop(&self, slot: &Rc<Slot>, leave: bool) {
        if slot.is_busy.get() || slot.is_retired.get() {
            return;
        }
        let Some(running) = slot.process.borrow_mut().take() else { return };
        self.statistics.borrow_mut().stops += 1;
        slot.is_busy.set(true);
        self.tell(|| format!("process {} is stopped{}", slot.number, if leave { " and leaves" } else { "" }));
        let exit = running.stop(leave);
        self.tell(|| format!("process {}: {exit:?}", slot.number));
        let was_killed = slot.is_killed.replace(false);
        if let Exit::Failed(why) = exit
            && !was_killed
        {
            self.kafka.borrow_mut().violations.push(format!("LV-1: process {} failed: {why}", slot.number));
        }
        self.end(slot, self.between(0, 5_000));
        slot.incarnation.set(slot.incarnation.get() + 1);
        slot.is_busy.set(false);
    }

    /// Lets everybody finish, with nothing going wrong. `false`: something never came to an end.
    pub fn settle(self: &Rc<Self>) -> bool {
        self.be_kind();
        for slot in self.slots.borrow().iter() {
            slot.clock.set_skew(0);
        }
        self.write(usize::MAX);
        let mut quiet = 0;
        let mut ends = self.ends();
        for round in 1..=ROUNDS {
            if round % ROUNDS_TO_NOTICE == 0 {
                self.mend_orphans();
            }
            self.round();
            let ends_now = self.ends();
            quiet = if ends_now == ends && self.is_done() { quiet + 1 } else { 0 };
            ends = ends_now;
            if quiet > 12 {
                return true;
            }
        }
        false
    }

    /// Everybody gets a turn, and time passes: [`ROUND`] of it, or more where somebody had to wait.
    pub fn round(self: &Rc<Self>) {
        let slots = self.slots.borrow().clone();
        for slot in &slots {
            self.beat(slot);
            self.run_slot(slot);
            self.beat(slot);
        }
        let ending = self.kafka.borrow().ending();
        for id in ending {
            self.kafka.borrow_mut().write_all_markers(&id);
        }
        self.pass(ROUND);
    }

    /// What an operator does where Kafka has left a partition without an owner: some member leaves, so that the group
    /// assigns anew.
    fn mend_orphans(&self) {
        for kind in [Kind::Travellers, Kind::Flights] {
            if self.kafka.borrow().group(kind.group()).has_orphans() {
                let slots = self.slots.borrow().clone();
                let slot = slots.iter().find(|slot| slot.kind == kind && !slot.is_retired.get());
                if let Some(slot) = slot {
                    self.statistics.borrow_mut().orphans += 1;
                    self.stop(slot, true);
                }
            }
        }
    }

    fn inputs(&self) -> Vec<(Kind, Place)> {
        let kinds = [(Kind::Travellers, self.topics.user_activity), (Kind::Flights, self.topics.flight_status)];
        let places = |(kind, topic)| (0..self.plan.partitions).map(move |partition| (kind, Place { topic, partition }));
        kinds.into_iter().flat_map(places).collect()
    }

    fn ends(&self) -> Vec<i64> {
        let kafka = self.kafka.borrow();
        self.inputs().iter().map(|(_, place)| kafka.log(*place).high_watermark()).collect()
    }

    /// Everybody is in the group, every partition is live, every record is committed.
    pub fn is_done(&self) -> bool {
        let kafka = self.kafka.borrow();
        if kafka.has_open_transactions() {
            return false;
        }
        let slots = self.slots.borrow();
        let is_settled = |slot: &Rc<Slot>| {
            slot.is_retired.get() || slot.membership.borrow().as_ref().is_some_and(|known| known.borrow().is_settled())
        };
        if !slots.iter().all(is_settled) {
            return false;
        }
        self.inputs().iter().all(|(kind, place)| {
            let last_record = kafka.log(*place).read(0, Isolation::ReadCommitted).filter_map(|seen| match seen {
                Seen::Record { offset, .. } => Some(offset),
                Seen::Nothing { .. } => None,
            });
            let committed = kafka.group(kind.group()).committed(place.partition);
            let is_committed = last_record.last().is_none_or(|last| {
                committed.is_some_and(|committed| {
                    committed.offset > last && Cursor::from_metadata(&committed.metadata).is_none()
                })
            });
            let owners = slots.iter().filter(|slot| slot.kind == *kind).filter(|slot| {
                let process = slot.process.borrow();
                process.as_ref().is_some_and(|process| {
                    process.owned().iter().any(|owned| owned.partition == place.partition && owned.is_live)
                })
            });
            is_committed && owners.count() == 1
        })
    }
}
