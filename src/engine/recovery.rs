//! A partition from its state topic: states are loaded, then the input is read again from the marker.
//!
//! A state may be complete up to a later offset than the marker: until the partition gets there, records for it, and
//! timers of its own, are passed over, because their effects are in it.

use super::checkpoint::{Checkpoint, Entry, Mark};
use super::partition::Partition;
use super::processor::{Processor, Unit as _};
use super::store::Counted;

impl<P: Processor> Partition<P> {
    /// A state as its topic has it, once for each key and before anything else.
    pub fn load(&mut self, unit: P::Unit, position: i64) {
        let place = self.store.insert(unit);
        if let Some(slot) = self.store.get_mut(place) {
            slot.complete_to = position;
        }
    }

    /// Everything is loaded: the states are those at `mark`, the log is read from `start`, and changes are noted from here
    /// on. `complete`: the mark that need not be written again.
    pub fn loaded(&mut self, mark: Option<Mark>, complete: Option<Mark>, start: i64) {
        self.next_offset = start;
        self.stream_time = mark.and_then(|mark| mark.stream_time);
        self.before = self.mark();
        self.checkpoint.keep(complete, self.before);
        for place in self.store.places() {
            let Some(slot) = self.store.get_mut(place) else { continue };
            if slot.unit.is_vacant() {
                // Written as vacant and not taken out of the topic yet: the next round does.
                self.checkpoint.note(place, &mut slot.written);
            } else {
                let counted = Counted::of(&slot.unit);
                self.totals.replace(slot.counted, counted);
                slot.counted = counted;
            }
            if slot.complete_to > self.next_offset {
                self.ahead.push((slot.complete_to, place));
            } else {
                self.reschedule(place);
            }
        }
        self.ahead.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The record at `offset` comes next: states that are complete up to it take part again.
    pub fn reach(&mut self, offset: i64) {
        while let Some((_, place)) = self.ahead.pop_if(|(position, _)| *position <= offset) {
            self.reschedule(place);
        }
    }

    /// Whether the effects of the record at `offset` are in the state already.
    pub(super) fn is_ahead(&self, place: u32, offset: i64) -> bool {
        !self.ahead.is_empty() && self.store.get(place).is_some_and(|slot| slot.complete_to > offset)
    }

    /// See [`Checkpoint::begin`]; only between two records.
    pub fn begin_checkpoint(&mut self) {
        let mark = self.mark();
        self.checkpoint.begin(mark, &mut self.store);
    }

    /// See [`Checkpoint::write`]; only between two records, directly before a commit.
    ///
    /// # Errors
    /// `write`'s.
    pub fn write_checkpoint<E>(
        &mut self,
        most: usize,
        write: impl FnMut(Entry<'_, P::Unit>) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.checkpoint.write(most, &self.store, write)
    }

    /// States, those that are being forgotten included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The state topic has everything, up to the last record.
    #[must_use]
    pub fn is_checkpointed(&self) -> bool {
        self.checkpoint.is_complete_at(self.mark())
    }
}
