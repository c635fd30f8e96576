//! Which states of a partition its state topic does not have yet, and how they get there.
//!
//! Nothing is written per event: the input is the change log. States that changed are *dirty*; now and then a *round*
//! takes all of them and writes them in slices, inside the ordinary transactions, each with the offset up to which it is
//! complete. States go on changing meanwhile. When the last of the round is written, a marker follows: every effect of
//! the records before the round's beginning is in the topic.

use super::processor::Unit;
use super::store::Store;
use crate::units::UtcMillis;

/// Whether the state topic has a state as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// As it is, or there is no state topic.
    #[default]
    Yes,
    /// It has changed since: the next round writes it.
    Dirty,
    /// The round under way writes it.
    InRound,
}

/// Where a partition stood: the next record's offset, and stream time there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub offset: i64,
    pub stream_time: Option<UtcMillis>,
}

/// What goes into the state topic.
#[derive(Debug)]
pub enum Entry<'a, U> {
    /// A state as it is now.
    State(&'a U),
    /// Nothing is known under this key any more.
    Gone(&'a str),
    /// The round is complete.
    Complete(Mark),
}

#[derive(Debug, Default)]
struct Round {
    begun_at: Mark,
    gone: Vec<Box<str>>,
    units: Vec<u32>,
    /// How many of `gone` and of `units` are committed, and how many the open transaction has written.
    gone_done: usize,
    units_done: usize,
    gone_open: usize,
    units_open: usize,
    complete_open: bool,
}

/// A partition's books.
#[derive(Debug, Default)]
pub struct Checkpoint {
    kept: bool,
    /// In the order in which they were touched first.
    dirty: Vec<u32>,
    /// Keys whose states were written as vacant and then forgotten.
    gone: Vec<Box<str>>,
    round: Option<Round>,
    /// Of the last complete round.
    complete: Option<Mark>,
}

impl Checkpoint {
    /// From here on changes are noted. `complete`: the mark that the state topic has; where it has none, the first thing
    /// written is that nothing came before `standing`.
    pub fn keep(&mut self, complete: Option<Mark>, standing: Mark) {
        self.kept = true;
        self.complete = complete;
        if complete.is_none() {
            self.round = Some(Round { begun_at: standing, ..Round::default() });
        }
    }

    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// A state was changed.
    pub fn note(&mut self, unit: u32, written: &mut Written) {
        if self.kept && *written == Written::Yes {
            *written = Written::Dirty;
            self.dirty.push(unit);
        }
    }

    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.round.is_some()
    }

    /// Entries of the round under way.
    #[must_use]
    pub fn round_size(&self) -> usize {
        self.round.as_ref().map_or(0, |round| round.units.len() + round.gone.len())
    }

    /// States that a round beginning now would write, and what is left of the one under way.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let left = self
            .round
            .as_ref()
            .map_or(0, |round| (round.units.len() - round.units_done) + (round.gone.len() - round.gone_done));
        left + self.dirty.len() + self.gone.len()
    }

    /// A round would write nothing that the state topic does not have.
    #[must_use]
    pub fn is_complete_at(&self, mark: Mark) -> bool {
        self.round.is_none() && self.backlog() == 0 && self.complete == Some(mark)
    }

    /// Begins a round at a record boundary, unless one is under way.
    pub fn begin<U: Unit>(&mut self, mark: Mark, store: &mut Store<U>) {
        if self.round.is_some() || !self.kept {
            return;
        }
        let units = std::mem::take(&mut self.dirty);
        for unit in &units {
            if let Some(slot) = store.get_mut(*unit)
                && slot.written == Written::Dirty
            {
                slot.written = Written::InRound;
            }
        }
        self.round = Some(Round { begun_at: mark, gone: std::mem::take(&mut self.gone), units, ..Round::default() });
    }

    /// Writes up to `most` entries of the round under way, and its end where nothing else is left. They count once
    /// [`Self::commit`] says so.
    ///
    /// # Errors
    /// `write`'s.
    pub fn write<U: Unit, E>(
        &mut self,
        most: usize,
        store: &Store<U>,
        mut write: impl FnMut(Entry<'_, U>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let Some(round) = &mut self.round else { return Ok(0) };
        let mut count = 0;
        // Keys that are gone come first: one of them may have come back and be written below.
        while count < most && round.gone_open < round.gone.len() {
            write(Entry::Gone(&round.gone[round.gone_open]))?;
            round.gone_open += 1;
            count += 1;
        }
        while count < most && round.units_open < round.units.len() {
            if let Some(slot) = store.get(round.units[round.units_open])
                && slot.written != Written::Yes
            {
                write(Entry::State(&slot.unit))?;
                count += 1;
            }
            round.units_open += 1;
        }
        let all_written = round.units_open == round.units.len() && round.gone_open == round.gone.len();
        if count < most && all_written && !round.complete_open {
            write(Entry::Complete(round.begun_at))?;
            round.complete_open = true;
            count += 1;
        }
        Ok(count)
    }

    /// What was written since the last commit stands. `forget` is told of every vacant state that the topic now knows to
    /// be vacant; the next round takes its key out of the topic.
    pub fn commit<U: Unit>(&mut self, store: &mut Store<U>, mut forget: impl FnMut(&mut Store<U>, u32)) {
        let Some(round) = &mut self.round else { return };
        for unit in &round.units[round.units_done..round.units_open] {
            let Some(slot) = store.get_mut(*unit) else { continue };
            if slot.written == Written::Yes {
                continue;
            }
            slot.written = Written::Yes;
            if slot.unit.is_vacant() {
                self.gone.push(slot.unit.key().into());
                forget(store, *unit);
            }
        }
        round.units_done = round.units_open;
        round.gone_done = round.gone_open;
        if round.complete_open {
            self.complete = Some(round.begun_at);
            self.round = None;
        }
    }

    /// What was written since the last commit does not stand, and the partition is back at `standing`.
    pub fn abort(&mut self, standing: Mark) {
        if let Some(round) = &mut self.round {
            // A round that began in the aborted transaction: the records in between have no effect yet.
            if round.begun_at.offset > standing.offset {
                round.begun_at = standing;
            }
            round.units_open = round.units_done;
            round.gone_open = round.gone_done;
            round.complete_open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixtures::Tally;

    fn mark(offset: i64) -> Mark {
        Mark { offset, stream_time: Some(UtcMillis(offset)) }
    }

    fn changed(checkpoint: &mut Checkpoint, store: &mut Store<Tally>, key: &str) {
        let unit = store.find(key).unwrap_or_else(|| store.insert(Tally::new(key, 0)));
        if let Some(slot) = store.get_mut(unit) {
            checkpoint.note(unit, &mut slot.written);
        }
    }

    /// What a slice of up to `most` entries holds: keys, and the marker's offset.
    fn slice(checkpoint: &mut Checkpoint, store: &Store<Tally>, most: usize) -> Vec<String> {
        let mut written = Vec::new();
        let result: Result<usize, ()> = checkpoint.write(most, store, |entry| {
            written.push(match entry {
                Entry::State(unit) => unit.name.clone(),
                Entry::Gone(key) => format!("no {key}"),
                Entry::Complete(mark) => format!("marker of {}", mark.offset),
            });
            Ok(())
        });
        assert_eq!(result, Ok(written.len()));
        written
    }

    #[test]
    fn a_round_of_an_aborted_transaction_is_written_again_with_a_marker_of_what_stands() {
        let (mut checkpoint, mut store) = (Checkpoint::default(), Store::default());
        checkpoint.keep(Some(mark(3)), mark(3));
        changed(&mut checkpoint, &mut store, "anna");
        checkpoint.begin(mark(5), &mut store);
        assert_eq!(slice(&mut checkpoint, &store, 10), ["anna", "marker of 5"]);
        // Records 3 and 4 will be read again: their effects are not in what is written now.
        checkpoint.abort(mark(3));
        assert_eq!(slice(&mut checkpoint, &store, 10), ["anna", "marker of 3"]);
    }

    #[test]
    fn an_abort_takes_back_slices_but_not_the_round_of_an_earlier_transaction() {
        let (mut checkpoint, mut store) = (Checkpoint::default(), Store::default());
        checkpoint.keep(Some(mark(0)), mark(0));
        for key in ["anna", "ben", "mia"] {
            changed(&mut checkpoint, &mut store, key);
        }
        checkpoint.begin(mark(5), &mut store);
        assert_eq!(slice(&mut checkpoint, &store, 1), ["anna"]);
        checkpoint.commit(&mut store, |_, _| {});
        assert_eq!(slice(&mut checkpoint, &store, 1), ["ben"]);
        checkpoint.abort(mark(6));
        assert_eq!(slice(&mut checkpoint, &store, 10), ["ben", "mia", "marker of 5"]);
        checkpoint.commit(&mut store, |_, _| {});
        assert!(checkpoint.is_complete_at(mark(5)));
    }
}
