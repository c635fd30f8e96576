//! Effects and offsets into a transaction; its commit, its abort.

use tracing::{info, warn};

use super::{Open, Sabotage, Worker};
use crate::engine::cursor::Cursor;
use crate::engine::log::{Commit, Log, LogError};
use crate::engine::processor::Processor;
use crate::engine::record::Record;

impl<P: Processor, L: Log> Worker<P, L> {
    pub(super) fn open(&mut self) -> &mut Open {
        let clock = &self.shared.clock;
        self.open.get_or_insert_with(|| Open {
            since: clock.elapsed(),
            records: 0,
            timers: 0,
            begun: false,
            has_states: false,
        })
    }

    pub(super) fn begin(&mut self) -> Result<(), LogError> {
        if !self.open().begun {
            self.log.begin()?;
            self.open().begun = true;
        }
        Ok(())
    }

    /// Writes the effects of one record or timer.
    pub(super) fn emit(&mut self, record: &Record<'_>) -> Result<(), LogError> {
        self.outbox.count_effects(&self.effects);
        if !self.effects.list.is_empty() {
            self.begin()?;
            let list = std::mem::take(&mut self.effects.list);
            for effect in &list {
                self.outbox.write(&mut self.log, effect, record)?;
            }
        }
        self.effects.clear();
        Ok(())
    }

    pub(super) fn commit_is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            self.outbox.is_urgent()
                || self.open_for(open) >= self.settings.commit_interval
                || open.records >= self.settings.records_per_transaction
        })
    }

    pub(super) fn finish_transaction(&mut self) -> Result<(), LogError> {
        if self.open.is_none() {
            return Ok(());
        }
        let committed = self.commit(None);
        self.abandon_or(committed)
    }

    /// Commits outputs and offsets, and a slice of the checkpoint where one is due. `within`: a partition's record is not
    /// finished; its own offset is committed with the last fired timer, and positions of the client are not looked at.
    pub(super) fn commit(&mut self, within: Option<&(i32, Cursor)>) -> Result<(), LogError> {
        if self.open.is_none() {
            return Ok(());
        }
        if within.is_some() {
            return self.commit_offsets(within, &[]);
        }
        self.pass_over_control_records();
        let checkpointed = self.write_slices()?;
        self.commit_offsets(None, &checkpointed)
    }

    /// Commits what was written on behalf of these partitions, whose offsets may be what they were.
    pub(super) fn commit_with(&mut self, checkpointed: &[i32]) -> Result<(), LogError> {
        self.commit_offsets(None, checkpointed)
    }

    pub(super) fn pass_over_control_records(&mut self) {
        for owned in self.owned.iter_mut().filter(|owned| owned.is_live()) {
            if owned.partition.next_offset() >= owned.position_valid_from
                && let Some(position) = self.log.position(owned.partition.number())
            {
                owned.partition.skip_to(position);
            }
        }
    }

    /// Every partition that anything was written for sends its offset, changed or not: it is the offset that fences a
    /// member whose partition belongs to another by now.
    fn commit_offsets(&mut self, within: Option<&(i32, Cursor)>, checkpointed: &[i32]) -> Result<(), LogError> {
        let mut commits = Vec::new();
        for owned in self.owned.iter().filter(|owned| owned.is_live()) {
            let number = owned.partition.number();
            let cursor = within.filter(|(partition, _)| *partition == number).map(|(_, cursor)| cursor);
            if owned.partition.is_unchanged() && cursor.is_none() && !checkpointed.contains(&number) {
                continue;
            }
            commits.push(Commit {
                partition: number,
                offset: owned.partition.next_offset(),
                metadata: Cursor::metadata(cursor),
            });
        }
        if commits.is_empty() && self.open.as_ref().is_some_and(|open| !open.begun) {
            self.open = None;
            return Ok(());
        }
        self.begin()?;
        let started = self.shared.clock.elapsed();
        self.log.commit(&commits)?;
        let now = self.shared.clock.elapsed();
        self.metrics.commit.record(now.saturating_sub(started));
        self.metrics.committed.increment(1);
        for commit in &commits {
            if let Some(owned) = self.owned.get_mut(commit.partition) {
                let was_under_way = owned.partition.checkpoint().is_under_way();
                owned.partition.commit();
                owned.committed_cursor = Cursor::from_metadata(&commit.metadata);
                if was_under_way && !owned.partition.checkpoint().is_under_way() {
                    owned.last_complete = now;
                }
            }
        }
        if self.open.take().is_some_and(|open| open.has_states) {
            self.slices.stored();
        }
        self.outbox.committed(&self.metrics, self.shared.clock.as_ref());
        Ok(())
    }

    /// Aborts the open transaction where that is what an error asks for.
    pub(super) fn abandon_or(&mut self, result: Result<(), LogError>) -> Result<(), LogError> {
        match result {
            Err(LogError::Abort(why)) => self.abandon(&why),
            Err(LogError::Regrouped(why)) => self.yield_to_the_group(&why),
            other => other,
        }
    }

    /// Aborts the open transaction, because something has failed.
    fn abandon(&mut self, why: &str) -> Result<(), LogError> {
        warn!(topic = P::INPUT.as_str(), why, "transaction aborted");
        self.metrics.aborted.increment(1);
        if self.open.as_ref().is_some_and(|open| open.has_states) {
            self.slices.failed(self.shared.clock.elapsed());
        }
        self.give_up_transaction()
    }

    /// Aborts the open transaction, if there is one, because somebody else has its partitions now.
    pub(super) fn yield_to_the_group(&mut self, why: &str) -> Result<(), LogError> {
        if self.open.is_some() {
            info!(
                topic = P::INPUT.as_str(),
                why,
                "the group has assigned its partitions anew: the transaction under way is given up, and its records are \
                 taken in again by whoever owns their partitions now"
            );
            self.metrics.regrouped.increment(1);
        }
        self.give_up_transaction()
    }

    /// Memory returns to the last commit, and what was handed out since is read again.
    fn give_up_transaction(&mut self) -> Result<(), LogError> {
        if self.open.take().is_some_and(|open| open.begun) {
            self.log.abort()?;
        }
        self.outbox.aborted();
        self.effects.clear();
        let mut rewinds = Vec::new();
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            if owned.is_live() {
                if self.settings.sabotage == Some(Sabotage::KeepsAbortedStates) {
                    owned.partition.forget_undo();
                }
                owned.partition.abort(&self.processor);
            } else {
                owned.partition.commit();
            }
            if owned.partition.next_offset() < owned.delivered {
                owned.position_valid_from = owned.delivered;
                rewinds.push((number, owned.partition.next_offset()));
            }
        }
        self.log.rewind(&rewinds)
    }
}
