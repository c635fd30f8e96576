//! States into the state topic: a round an interval, spread over half of it, a slice with a commit that is due anyway.

use std::time::Duration;

use tracing::{debug, warn};

use super::Worker;
use crate::engine::checkpoint::{Entry, Mark};
use crate::engine::codec::{self, MARKER_KEY, Marker};
use crate::engine::log::{Destination, Log, LogError, Output};
use crate::engine::processor::{Processor, Unit as _};

/// Slices do not follow one another faster than this: what a commit costs should be shared.
const SLICE_EVERY: Duration = Duration::from_millis(50);

/// The longest time between two attempts at a state topic that takes nothing.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A slice when somebody waits for the partition: as much as a transaction may hold up its readers.
const LARGEST_SLICE: usize = 50_000;

/// A revoked partition's next owner waits no longer for what it could as well read from the input.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);

/// When slices are written. Where the state topic does not take them, the transactions that carry them are aborted: advice
/// must not wait for that, so they come ever more seldom until one is taken.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// The last one, by [`crate::engine::clock::Clock::elapsed`].
    last: Duration,
    /// None before this.
    not_before: Duration,
    failures: u32,
}

impl Slices {
    /// How long ago the last one was; `None` where it is too early for another.
    fn since_last(&self, now: Duration) -> Option<Duration> {
        let since_last = now.saturating_sub(self.last);
        (since_last >= SLICE_EVERY && now >= self.not_before).then_some(since_last)
    }

    pub(super) fn stored(&mut self) {
        self.failures = 0;
    }

    pub(super) fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + (SLICE_EVERY * 2_u32.saturating_pow(self.failures.min(16))).min(LONGEST_REST);
    }
}

impl<P: Processor, L: Log> Worker<P, L> {
    /// Opens a transaction for a slice that is due while there is nothing else to commit.
    pub(super) fn write_checkpoints(&mut self) -> Result<(), LogError> {
        if self.settings.checkpoints.is_none() || self.open.is_some() {
            return Ok(());
        }
        let now = self.shared.clock.elapsed();
        if self.slices.since_last(now).is_none() {
            return Ok(());
        }
        if self.owned.iter().any(|owned| now >= owned.next_round) {
            // Where nothing else arrives, what ends other members' transactions still moves the end of the log.
            self.pass_over_control_records();
        }
        let is_due = self.owned.iter().any(|owned| {
            let due = owned.partition.checkpoint().is_under_way()
                || (now >= owned.next_round && !owned.partition.is_checkpointed());
            owned.is_live() && !owned.is_inside_a_record() && due
        });
        if !is_due {
            return Ok(());
        }
        self.open();
        let committed = self.commit(None);
        self.abandon_or(committed)
    }

    /// Begins the rounds that are due and writes a slice of those under way into the open transaction. Only between two
    /// records. The partitions that something was written for.
    pub(super) fn write_slices(&mut self) -> Result<Vec<i32>, LogError> {
        let mut written = Vec::new();
        let Some(checkpoints) = self.settings.checkpoints else { return Ok(written) };
        let now = self.shared.clock.elapsed();
        let Some(since_last) = self.slices.since_last(now) else { return Ok(written) };
        self.slices.last = now;
        let share = since_last.as_secs_f64() / (checkpoints.interval.as_secs_f64() / 2.0).max(0.001);
        for number in self.owned.numbers() {
            let Some(owned) = self.owned.get_mut(number).filter(|owned| owned.is_live()) else { continue };
            if owned.is_inside_a_record() {
                continue;
            }
            if now >= owned.next_round && !owned.partition.checkpoint().is_under_way() {
                owned.next_round = now + checkpoints.interval;
                if !owned.partition.is_checkpointed() {
                    owned.partition.begin_checkpoint();
                }
            }
            if owned.partition.checkpoint().is_under_way() {
                let fair = owned.partition.checkpoint().round_size() as f64 * share;
                self.write_slice(number, (fair as usize).max(checkpoints.smallest_slice).min(LARGEST_SLICE))?;
                written.push(number);
            }
        }
        self.metrics.checkpoint.record(self.shared.clock.elapsed().saturating_sub(now));
        Ok(written)
    }

    fn write_slice(&mut self, number: i32, most: usize) -> Result<(), LogError> {
        self.begin()?;
        self.open().has_states = true;
        let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
        let position = owned.partition.next_offset();
        let (log, metrics, settings, buffer) = (&mut self.log, &self.metrics, &self.settings, &mut self.buffer);
        let topics = &self.topics;
        let mut put = |key: &[u8], value: Option<&[u8]>| {
            log.produce(&Output {
                destination: Destination::State,
                partition: Some(number),
                key: Some(key),
                value,
                headers: &[],
                stamp: None,
            })
        };
        owned.partition.write_checkpoint(most, |entry| match entry {
            Entry::State(unit) => {
                buffer.clear();
                codec::encode_unit(unit, position, buffer).map_err(|error| LogError::Fatal(error.to_string()))?;
                metrics.checkpoint_bytes.increment(buffer.len() as u64);
                metrics.checkpoint_states.increment(1);
                put(unit.key().as_bytes(), Some(buffer))
            }
            Entry::Gone(key) => {
                metrics.checkpoint_gone.increment(1);
                put(key.as_bytes(), None)
            }
            Entry::Complete(Mark { offset, stream_time }) => {
                debug_assert!(offset <= position, "ST-1: a marker of {offset} with what is committed at {position}");
                let marker = Marker {
                    offset,
                    stream_time,
                    committed: position,
                    partitions: settings.partitions,
                    placement: settings.placement.to_string(),
                    program: settings.program.to_string(),
                    topics: topics.clone(),
                };
                let value = codec::encode_marker(&marker).map_err(|error| LogError::Fatal(error.to_string()))?;
                debug!(topic = P::INPUT.as_str(), partition = number, offset, "checkpoint complete");
                put(MARKER_KEY, Some(&value))
            }
        })?;
        Ok(())
    }

    /// Writes everything that the state topic does not have, so that the next owner has nothing to read again. To be called
    /// with no transaction open, while the partitions are still ours.
    pub(super) fn checkpoint_all(&mut self, partitions: &[i32]) -> Result<(), LogError> {
        if self.settings.checkpoints.is_none() {
            return Ok(());
        }
        let begun = self.shared.clock.elapsed();
        for number in partitions {
            while let Some(owned) = self.owned.get_mut(*number).filter(|owned| owned.is_live()) {
                if owned.partition.is_checkpointed() || owned.is_inside_a_record() {
                    break;
                }
                if self.shared.clock.elapsed().saturating_sub(begun) > LONGEST_FAREWELL {
                    warn!(
                        topic = P::INPUT.as_str(),
                        partition = number,
                        left = owned.partition.checkpoint().backlog(),
                        "giving up a partition with states unwritten: its next owner reads the input again"
                    );
                    return Ok(());
                }
                // Begins a round where none is under way; one that is under way is finished first.
                owned.partition.begin_checkpoint();
                self.open();
                self.write_slice(*number, LARGEST_SLICE)?;
                let committed = self.commit_with(&[*number]);
                let is_over = committed.is_err();
                self.abandon_or(committed)?;
                if is_over {
                    warn!(
                        topic = P::INPUT.as_str(),
                        partition = number,
                        "states could not be stored: their next owner reads the input again, from the last checkpoint"
                    );
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_that_are_refused_come_ever_more_seldom_until_one_is_stored() {
        let mut slices = Slices::default();
        let mut now = Duration::from_secs(1);
        let mut rests = Vec::new();
        for _ in 0..20 {
            slices.failed(now);
            let refused_at = now;
            while slices.since_last(now).is_none() {
                now += Duration::from_millis(50);
            }
            rests.push(now.saturating_sub(refused_at));
        }
        assert_eq!(rests[0], Duration::from_millis(100));
        assert!(rests.is_sorted(), "{rests:?}");
        assert_eq!(rests.last(), Some(&LONGEST_REST));
        slices.stored();
        slices.failed(now);
        assert!(slices.since_last(now + Duration::from_millis(100)).is_some());
    }
}
