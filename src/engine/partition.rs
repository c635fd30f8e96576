//! One partition: its states, its stream time, its timers, and the way back to the last commit.
//!
//! Pure but for being mutable: records and times go in, effects come out. A worker drives it live; `zoner replay`
//! drives the same code over a file.

use super::calendar::{Calendar, Entry};
use super::checkpoint::{Checkpoint, Mark};
use super::effects::Effects;
use super::placement::Placement;
use super::processor::{Moment, Processor, Small, Unit};
use super::record::{Origin, Position, Record};
use super::store::{Counted, Store};
use super::undo::Before;
use crate::event::rejection::{Code, Rejection, Stage};
use crate::units::UtcMillis;

/// A state's first timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    pub due: UtcMillis,
    pub unit: u32,
}

/// Where the record at hand was first written. Asked for only where it matters, because reading a record's headers costs
/// more than applying most records.
pub type OriginOf<'a> = dyn Fn() -> Option<Origin> + 'a;

/// Whether records must lie in the partition of their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// A topic: what lies elsewhere is forwarded once.
    Placed { placement: Placement, partitions: i32 },
    /// A plain file: one partition holds everybody.
    Anywhere,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// `name`: the metric label.
    Applied { name: &'static str },
    /// Nothing but time (a tick).
    Time { name: &'static str },
    /// It belongs to another partition, or lacked the key it follows from.
    Forward { key: String },
    /// To the dead letters.
    Refused(Rejection),
}

#[derive(Debug)]
pub struct Partition<P: Processor> {
    number: i32,
    pub(super) store: Store<P::Unit>,
    pub(super) calendar: Calendar,
    pub(super) stream_time: Option<UtcMillis>,
    /// The offset after the last record applied.
    pub(super) next_offset: i64,
    // What the open transaction changed.
    pub(super) transaction: u32,
    pub(super) undo: Vec<Before<P::Unit>>,
    /// Off while states are rebuilt: nothing is published that could fail to be.
    pub(super) keeps_undo: bool,
    pub(super) before: Mark,
    pub(super) totals: Totals,
    pub(super) checkpoint: Checkpoint,
    /// After a restore: states that are complete up to a later offset than the partition, the nearest last.
    pub(super) ahead: Vec<(i64, u32)>,
}

/// Sums over the committed states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub travellers: i64,
    pub travelling: i64,
    pub state_bytes: i64,
}

impl Totals {
    pub(super) fn replace(&mut self, before: Counted, after: Counted) {
        self.travellers += i64::from(after.travellers) - i64::from(before.travellers);
        self.travelling += i64::from(after.travelling) - i64::from(before.travelling);
        self.state_bytes += i64::from(after.bytes) - i64::from(before.bytes);
    }
}

impl<P: Processor> Partition<P> {
    #[must_use]
    pub fn new(number: i32, start: i64) -> Self {
        Partition {
            number,
            store: Store::default(),
            calendar: Calendar::default(),
            stream_time: None,
            next_offset: start,
            transaction: 1,
            undo: Vec::new(),
            keeps_undo: true,
            before: Mark { offset: start, stream_time: None },
            totals: Totals::default(),
            checkpoint: Checkpoint::default(),
            ahead: Vec::new(),
        }
    }

    #[must_use]
    pub fn number(&self) -> i32 {
        self.number
    }

    #[must_use]
    pub fn stream_time(&self) -> Option<UtcMillis> {
        self.stream_time
    }

    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The next offset as of the last commit.
    #[must_use]
    pub fn committed_offset(&self) -> i64 {
        self.before.offset
    }

    /// Sums as of the last commit.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = self.totals;
        totals.state_bytes += i64::try_from(self.store.overhead_bytes()).unwrap_or(0);
        totals
    }

    /// A time before which no timer is due.
    #[must_use]
    pub fn earliest_timer(&self) -> Option<UtcMillis> {
        self.calendar.earliest()
    }

    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.undo.is_empty() && self.next_offset == self.before.offset
    }

    /// Where the partition stands.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { offset: self.next_offset, stream_time: self.stream_time }
    }

    /// The next timer due at or before `until`, by (due, key). Call [`Self::fire`] with it until there is none, then
    /// [`Self::move_time`].
    pub fn next_timer(&mut self, until: UtcMillis) -> Option<Timer> {
        loop {
            let store = &self.store;
            let Entry { due, unit } = self.calendar.first_due(until, |index| store.key(index))?;
            let Some(slot) = self.store.get_mut(unit) else {
                self.calendar.take();
                continue;
            };
            if slot.unit.next_due() == Some(due) {
                return Some(Timer { due, unit });
            }
            self.calendar.take();
            if slot.scheduled() == Some(due) {
                slot.set_scheduled(None);
            }
            self.reschedule(unit);
        }
    }

    /// Fires the timer that [`Self::next_timer`] gave: at its due time, or at stream time where it was set into the
    /// past. `moved_by` is the record that moves time.
    pub fn fire(&mut self, processor: &P, timer: Timer, moved_by: Option<Position>, effects: &mut Effects) {
        let taken = self.calendar.take();
        debug_assert!(
            taken.is_some_and(|entry| (entry.due, entry.unit) == (timer.due, timer.unit)),
            "TM-1: a timer fires that is not the first: {timer:?} instead of {taken:?}"
        );
        let now = self.stream_time.map_or(timer.due, |time| time.max(timer.due));
        self.stream_time = Some(now);
        self.touch(timer.unit);
        if let Some(slot) = self.store.get_mut(timer.unit) {
            slot.set_scheduled(None);
            processor.fire(&mut slot.unit, &Moment { now, judged_at: now, position: moved_by }, effects);
        }
        self.reschedule(timer.unit);
    }

    /// Another timer of the same state is due at the same time: a transaction must not end here, because a [`super::cursor::Cursor`]
    /// could not tell the two apart.
    #[must_use]
    pub fn is_due_again(&self, fired: Timer) -> bool {
        self.store.get(fired.unit).is_some_and(|slot| slot.unit.next_due() == Some(fired.due))
    }

    /// The key of a state that just fired or changed.
    #[must_use]
    pub fn key_of(&self, unit: u32) -> &str {
        self.store.key(unit)
    }

    /// Stream time never goes back.
    pub fn move_time(&mut self, stamp: UtcMillis) {
        self.stream_time = Some(self.stream_time.map_or(stamp, |time| time.max(stamp)));
    }

    /// The record at `offset` needs no more work.
    pub fn done_with(&mut self, offset: i64) {
        self.next_offset = offset + 1;
    }

    /// Control records were passed over: the position may be ahead of the last record.
    pub fn skip_to(&mut self, position: i64) {
        self.next_offset = self.next_offset.max(position);
    }

    /// Applies an event to the state of `key`, which is made if need be. Time must have been moved already.
    fn apply(
        &mut self,
        processor: &P,
        key: &str,
        event: P::Event<'_>,
        record: &Record<'_>,
        origin: &OriginOf<'_>,
        effects: &mut Effects,
    ) {
        let now = self.stream_time.unwrap_or(record.stamp);
        let unit = if let Some(unit) = self.store.find(key) {
            if self.is_ahead(unit, record.position.offset) {
                return;
            }
            if self.apply_small(processor, unit, &event, now, record) {
                return;
            }
            self.touch(unit);
            // Somebody who was forgotten begins anew, whether or not the store has forgotten already.
            if let Some(slot) = self.store.get_mut(unit)
                && slot.unit.is_vacant()
            {
                slot.unit = processor.new_unit(key);
            }
            unit
        } else {
            let unit = self.store.insert(processor.new_unit(key));
            if let Some(slot) = self.store.get_mut(unit) {
                slot.touched_in = self.transaction;
                self.checkpoint.note(unit, &mut slot.written);
            }
            self.undo.push(Before::Absent { unit });
            unit
        };
        if let Some(slot) = self.store.get_mut(unit) {
            let judged_at = if processor.asks_for_origin(&slot.unit, &event) {
                origin().map_or(record.stamp, |origin| origin.stamp)
            } else {
                record.stamp
            };
            let moment = Moment { now, judged_at, position: Some(record.position) };
            processor.apply(&mut slot.unit, event, &moment, effects);
        }
        self.reschedule(unit);
    }

    fn apply_small(
        &mut self,
        processor: &P,
        unit: u32,
        event: &P::Event<'_>,
        now: UtcMillis,
        record: &Record<'_>,
    ) -> bool {
        let Some(slot) = self.store.get_mut(unit) else { return false };
        if slot.touched_in == self.transaction || processor.asks_for_origin(&slot.unit, event) {
            return false;
        }
        let moment = Moment { now, judged_at: record.stamp, position: Some(record.position) };
        match processor.apply_small(&mut slot.unit, event, &moment) {
            None => return false,
            Some(Small::Unchanged) => {}
            Some(Small::Changed { revert, grown }) => {
                slot.counted.bytes = slot.counted.bytes.saturating_add(grown);
                self.totals.state_bytes += i64::from(grown);
                self.checkpoint.note(unit, &mut slot.written);
                if self.keeps_undo {
                    self.undo.push(Before::Small { unit, revert });
                }
            }
        }
        true
    }

    /// Decodes a record and does what it asks for. Timers and time come first: [`Self::next_timer`],
    /// [`Self::move_time`].
    pub fn take(
        &mut self,
        processor: &P,
        record: &Record<'_>,
        origin: &OriginOf<'_>,
        routing: Routing,
        effects: &mut Effects,
    ) -> Taken {
        let decoded = match processor.decode(record) {
            Ok(decoded) => decoded,
            Err(rejection) => return Taken::Refused(rejection),
        };
        let name = decoded.name;
        let Some(key) = decoded.key else { return Taken::Time { name } };
        if let Routing::Placed { placement, partitions } = routing
            && !decoded.internal
        {
            let home = placement.partition(key.as_bytes(), partitions);
            let misplaced = home != record.position.partition;
            if misplaced && origin().is_some() {
                return Taken::Refused(Rejection {
                    code: Code::Misplaced,
                    message: format!(
                        "the record was forwarded once and belongs to partition {home}: the partition count or \
                         topics.placement ({placement}) differs between members"
                    ),
                    stage: Stage::Route,
                });
            }
            if misplaced || record.key.is_none_or(<[u8]>::is_empty) {
                return Taken::Forward { key: key.into_owned() };
            }
        }
        self.apply(processor, &key, decoded.event, record, origin, effects);
        Taken::Applied { name }
    }

    /// Puts the state's first timer into the calendar, unless it stands there.
    pub(super) fn reschedule(&mut self, unit: u32) {
        let Some(slot) = self.store.get_mut(unit) else { return };
        let due = slot.unit.next_due();
        if slot.scheduled() == due {
            return;
        }
        slot.set_scheduled(due);
        if let Some(due) = due {
            let store = &self.store;
            self.calendar.schedule(Entry { due, unit }, |index| store.key(index));
        }
    }

    /// The state of `key`.
    #[must_use]
    pub fn unit(&self, key: &str) -> Option<&P::Unit> {
        self.store.find(key).and_then(|unit| self.store.get(unit)).map(|slot| &slot.unit)
    }

    /// The state whose key probably has this hash ([`super::store::hash_of`]), without looking at it: a hint for
    /// [`Self::glance`].
    pub(super) fn probable_unit(&self, hash: u32) -> Option<u32> {
        self.store.probable(hash)
    }

    /// Reads what an event touches of a state first. The result means nothing.
    pub(super) fn glance(&self, unit: u32) -> u64 {
        self.store.get(unit).map_or(0, |slot| u64::from(slot.touched_in ^ slot.counted.bytes) ^ slot.unit.glance())
    }

    /// Reads what can be read once [`Self::glance`] has been waited for.
    pub(super) fn glance_deeper(&self, unit: u32) -> u64 {
        self.store.get(unit).map_or(0, |slot| slot.unit.glance_deeper())
    }

    /// Every state, by key.
    #[must_use]
    pub fn units(&self) -> Vec<&P::Unit> {
        let mut units: Vec<&P::Unit> = self.store.iter().collect();
        units.sort_unstable_by(|a, b| a.key().cmp(b.key()));
        units
    }
}
