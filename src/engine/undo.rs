//! The way back to the last commit: what the open transaction changed, made to stand or taken back.

use super::partition::Partition;
use super::processor::{Processor, Revert, Unit as _};
use super::store::Counted;

/// The way back from a change of the open transaction.
#[derive(Debug)]
pub(super) enum Before<U> {
    Absent {
        unit: u32,
    },
    Was {
        unit: u32,
        state: Box<U>,
    },
    /// Changed while nothing can be aborted.
    Unkept {
        unit: u32,
    },
    /// A change so small that undoing it is cheaper than having copied the state.
    Small {
        unit: u32,
        revert: Revert,
    },
}

impl<P: Processor> Partition<P> {
    /// To be called before a state is changed.
    pub(super) fn touch(&mut self, unit: u32) {
        let transaction = self.transaction;
        if let Some(slot) = self.store.get_mut(unit)
            && slot.touched_in != transaction
        {
            slot.touched_in = transaction;
            self.checkpoint.note(unit, &mut slot.written);
            self.undo.push(if self.keeps_undo {
                Before::Was { unit, state: Box::new(slot.unit.clone()) }
            } else {
                Before::Unkept { unit }
            });
        }
    }

    /// From here on changes can be taken back, or, while `kept` is false, cannot: a partition that is being rebuilt has
    /// nothing to abort.
    pub fn keep_undo(&mut self, kept: bool) {
        self.keeps_undo = kept;
    }

    /// What was done since the last commit stands.
    pub fn commit(&mut self) {
        debug_assert!(
            self.next_offset >= self.before.offset,
            "OF-1: partition {} goes back from {} to {}",
            self.number(),
            self.before.offset,
            self.next_offset
        );
        let undo = std::mem::take(&mut self.undo);
        for before in &undo {
            let unit = match before {
                Before::Absent { unit } | Before::Was { unit, .. } | Before::Unkept { unit } => *unit,
                Before::Small { .. } => continue,
            };
            let Some(slot) = self.store.get_mut(unit) else { continue };
            let is_vacant = slot.unit.is_vacant();
            let counted = if is_vacant { Counted::default() } else { Counted::of(&slot.unit) };
            self.totals.replace(slot.counted, counted);
            slot.counted = counted;
            // Where there is a state topic it must learn first that the state is vacant: see the checkpoint.
            if is_vacant && !self.checkpoint.is_kept() {
                self.calendar.forget(unit);
                self.store.remove(unit);
            }
        }
        self.undo = undo;
        self.undo.clear();
        let calendar = &mut self.calendar;
        self.checkpoint.commit(&mut self.store, |store, unit| {
            calendar.forget(unit);
            store.remove(unit);
        });
        self.next_transaction();
        self.before = self.mark();
    }

    /// Loses the way back of the open transaction; see [`super::worker::Sabotage`].
    pub(super) fn forget_undo(&mut self) {
        self.undo.clear();
    }

    /// Back to the last commit. Read on from [`Self::next_offset`].
    pub fn abort(&mut self, processor: &P) {
        while let Some(before) = self.undo.pop() {
            match before {
                Before::Absent { unit } => {
                    if let Some(slot) = self.store.get(unit) {
                        self.totals.replace(slot.counted, Counted::default());
                    }
                    self.calendar.forget(unit);
                    self.store.remove(unit);
                }
                Before::Was { unit, state } => {
                    if let Some(slot) = self.store.get_mut(unit) {
                        slot.unit = *state;
                        slot.touched_in = 0;
                        // The calendar may have lost its entry in this transaction.
                        slot.set_scheduled(None);
                    }
                    self.reschedule(unit);
                }
                Before::Small { unit, revert } => {
                    if let Some(slot) = self.store.get_mut(unit) {
                        processor.revert(&mut slot.unit, revert);
                    }
                }
                Before::Unkept { .. } => debug_assert!(false, "a partition that is being rebuilt is never aborted"),
            }
        }
        self.checkpoint.abort(self.before);
        self.next_transaction();
        self.stream_time = self.before.stream_time;
        self.next_offset = self.before.offset;
    }

    /// Changes from here on are another transaction's.
    fn next_transaction(&mut self) {
        self.transaction = self.transaction.checked_add(1).unwrap_or_else(|| {
            // Numbers begin anew: no state may seem to have been touched already.
            for place in self.store.places() {
                if let Some(slot) = self.store.get_mut(place) {
                    slot.touched_in = 0;
                }
            }
            1
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Effects;
    use crate::engine::partition::{Partition, Routing};
    use crate::engine::record::{Position, Record, Topic};
    use crate::household::Travellers;
    use crate::units::UtcMillis;

    fn take(partition: &mut Partition<Travellers>, offset: i64, value: &str) {
        let stamp = UtcMillis(1_790_000_000_000);
        let record = Record {
            position: Position { topic: Topic::UserActivity, partition: 0, offset },
            stamp,
            key: Some(b"h1"),
            value: Some(value.as_bytes()),
            origin: None,
        };
        partition.move_time(stamp);
        partition.take(&Travellers::embedded(), &record, &|| None, Routing::Anywhere, &mut Effects::default());
        partition.done_with(offset);
    }

    #[test]
    fn what_was_touched_before_numbers_began_anew_can_still_be_taken_back() {
        let mut partition: Partition<Travellers> = Partition::new(0, 0);
        take(&mut partition, 0, r#"{"user_id":"mia","activity":"meal","timestamp":1789999000}"#);
        partition.commit();
        let committed = partition.unit("h1").cloned();
        assert!(committed.is_some());

        partition.transaction = u32::MAX;
        partition.commit();
        take(&mut partition, 1, r#"{"user_id":"mia","activity":"meal","timestamp":1789999600}"#);
        assert_ne!(partition.unit("h1").cloned(), committed);
        partition.abort(&Travellers::embedded());
        assert_eq!(partition.unit("h1").cloned(), committed);
    }
}
