//! A partition taken over: its states from the state topic, then its log from the marker up to what its group has
//! committed, silently; from there on it is live.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::loading::states_name;
use super::{Kept, Worker};
use crate::engine::checkpoint::Mark;
use crate::engine::codec::Marker;
use crate::engine::directory::{Directory, Progress};
use crate::engine::latest::Latest;
use crate::engine::log::{Bounds, Committed, Log, LogError, Start};
use crate::engine::ownership::{Loading, Owned};
use crate::engine::partition::{Cursor, Partition};
use crate::engine::processor::Processor;
use crate::engine::record::Topic;
use crate::telemetry::PartitionMetrics;

/// How fast a restore goes: what was left when it was looked at last, and when that was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    left: i64,
    at: Duration,
    per_second: f64,
}

impl Pace {
    /// Seconds left at the pace of the last seconds; `None` where nothing can be said yet.
    pub(super) fn observe(&mut self, left: i64, now: Duration) -> Option<f64> {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        if left > 0 && left < self.left && seconds > 0.0 {
            let latest = (self.left - left) as f64 / seconds;
            // One slow second should not frighten anybody.
            self.per_second = if self.per_second > 0.0 { f64::midpoint(self.per_second, latest) } else { latest };
        } else if left == 0 {
            self.per_second = 0.0;
        }
        (self.left, self.at) = (left, now);
        (self.per_second > 0.0).then(|| left as f64 / self.per_second)
    }
}

/// What a partition begins with once its states are there.
pub(super) struct Beginning {
    /// Where the states are complete; `None`: there are none.
    pub(super) mark: Option<Mark>,
    /// Effects of records before this offset were published.
    pub(super) until: Option<i64>,
    /// The first record read.
    pub(super) start: i64,
}

/// Why nobody may go on with a partition that was added while a member runs that started with so many.
#[must_use]
pub fn partition_was_added(topic: Topic, added: i32, partitions: i32) -> String {
    format!(
        "partition {added} of {} did not exist when this member started with {partitions}: with more partitions households \
         move between them, and their states would be split. Replay the input into topics of another prefix",
        topic.as_str()
    )
}

impl<P: Processor, L: Log> Worker<P, L> {
    pub(super) fn take_over(&mut self, partitions: &[i32], mut kept: Option<&mut Kept<P>>) -> Result<(), LogError> {
        if let Some(added) = partitions.iter().find(|number| **number >= self.settings.partitions) {
            return Err(LogError::Fatal(partition_was_added(P::INPUT, *added, self.settings.partitions)));
        }
        let new: Vec<i32> = partitions.iter().copied().filter(|p| self.owned.get(*p).is_none()).collect();
        let committed = self.log.committed(&new)?;
        let mut starts = Vec::with_capacity(new.len());
        for (number, committed) in new.iter().copied().zip(committed) {
            let memory = kept.as_deref_mut().and_then(|kept| {
                let place = kept.iter().position(|partition| partition.number() == number)?;
                Some(kept.swap_remove(place))
            });
            let cursor = committed.as_ref().and_then(|c| Cursor::from_metadata(&c.metadata));
            let owned = if let Some(partition) = memory {
                self.owned_from(partition, None, None)
            } else {
                let bounds = self.log.bounds(number)?;
                let mut owned = self.owned_from(Partition::new(number, bounds.low), None, cursor);
                if self.settings.checkpoints.is_some() {
                    let states = self.log.state_bounds(number)?;
                    owned.loading = Some(Loading {
                        until: states.high,
                        reached: states.low,
                        is_open: false,
                        latest: Latest::default(),
                        marker: None,
                        committed,
                        input: bounds,
                    });
                } else {
                    let beginning = self.beginning_without_states(number, bounds, committed.as_ref())?;
                    owned.restore_until = beginning.until.filter(|until| *until > bounds.low || owned.cursor.is_some());
                }
                owned
            };
            let mut owned = owned;
            owned.partition.keep_undo(owned.is_live());
            let paused = owned.loading.is_some();
            starts.push(Start { partition: number, offset: owned.partition.next_offset(), paused });
            self.shared.directory.own(P::INPUT, number, self.mailbox.clone(), owned.is_live());
            self.owned.insert(number, owned);
        }
        let restoring = self.owned.iter().filter(|owned| !owned.is_live()).count();
        info!(topic = P::INPUT.as_str(), partitions = ?new, restoring, "partitions assigned");
        self.log.assign(&starts)
    }

    fn owned_from(&self, partition: Partition<P>, restore_until: Option<i64>, cursor: Option<Cursor>) -> Owned<P> {
        let number = partition.number();
        let start = partition.next_offset();
        let now = self.shared.clock.elapsed();
        // Rounds of one member's partitions follow one another instead of coinciding.
        let share = f64::from(number + 1) / f64::from(self.settings.partitions.max(1));
        let interval = self.settings.checkpoints.map_or(Duration::ZERO, |checkpoints| checkpoints.interval);
        Owned {
            metrics: PartitionMetrics::new(P::INPUT, number),
            partition,
            loading: None,
            restore_until,
            cursor,
            committed_cursor: None,
            delivered: start,
            position_valid_from: start,
            last_tick: None,
            next_round: now + interval.mul_f64(share),
            last_complete: now,
        }
    }

    /// Where nothing is in the state topic, the log is all there is: it must reach back to its beginning.
    pub(super) fn beginning_without_states(
        &self,
        number: i32,
        input: Bounds,
        committed: Option<&Committed>,
    ) -> Result<Beginning, LogError> {
        let beginning = Beginning { mark: None, until: committed.map(|committed| committed.offset), start: input.low };
        let Some(committed) = committed.filter(|_| input.low > 0) else { return Ok(beginning) };
        let (low, committed) = (input.low, committed.offset);
        let topic = format!("{}{}", self.settings.prefix, P::INPUT.as_str());
        self.accept_or_refuse(
            number,
            low,
            format!(
                "partition {number} of {topic} begins at offset {low} and no states are stored, but the group has processed \
                 it up to {committed}: what the first {low} records did is lost (--accept-gap goes on without them)"
            ),
        )?;
        Ok(beginning)
    }

    pub(super) fn beginning_with_states(
        &self,
        number: i32,
        marker: &Marker,
        input: Bounds,
        committed: Option<&Committed>,
    ) -> Result<Beginning, LogError> {
        let topic = format!("{}{}", self.settings.prefix, P::INPUT.as_str());
        marker
            .check_layout(P::INPUT, number, self.settings.partitions, self.settings.placement)
            .map_err(LogError::Fatal)?;
        if marker.offset > input.high {
            return Err(LogError::Fatal(format!(
                "the states of partition {number} of {topic} are of offset {}, but it ends at {}: the topic was emptied or \
                 made anew. Delete {} and the offsets of group {}zoner-{} as well to begin from nothing",
                marker.offset,
                input.high,
                states_name::<P>(&self.settings.prefix),
                self.settings.prefix,
                P::NAME,
            )));
        }
        let until = match committed.map(|committed| committed.offset) {
            Some(committed) if committed >= marker.committed => committed,
            Some(committed) => {
                self.accept_or_refuse(
                    number,
                    0,
                    format!(
                        "the group's offset {committed} in partition {number} of {topic} lies before {}, which its states \
                         have seen: it was set back by hand. Use another prefix to process records again; --accept-gap goes \
                         on from {}",
                        marker.committed, marker.committed
                    ),
                )?;
                marker.committed
            }
            None => {
                self.accept_or_refuse(
                    number,
                    0,
                    format!(
                        "states of partition {number} of {topic} are stored up to offset {}, but the group has no offset \
                         there: it expired (offsets.retention.minutes) or was deleted. --accept-gap goes on from {}; what \
                         was recommended after it is said again",
                        marker.committed, marker.committed
                    ),
                )?;
                marker.committed
            }
        };
        let start = marker.offset.max(input.low);
        if start > marker.offset {
            let (from, gone) = (marker.offset, start - marker.offset);
            self.accept_or_refuse(
                number,
                gone,
                format!(
                    "the states of partition {number} of {topic} are of offset {from}, but its log begins at {start}: \
                     {gone} records were deleted before their effects were stored. Lengthen the topic's retention; \
                     --accept-gap goes on without them"
                ),
            )?;
        }
        if marker.program != *self.settings.program && until > start {
            self.metrics.replayed_by_another.increment((until - start).unsigned_abs());
            warn!(
                topic,
                partition = number,
                records = until - start,
                then = marker.program,
                now = &*self.settings.program,
                "records are replayed by another program than applied them: states may differ from what was said"
            );
        }
        let mark = Mark { offset: marker.offset, stream_time: marker.stream_time };
        Ok(Beginning { mark: Some(mark), until: Some(until), start })
    }

    /// Something is missing: an error, unless the operator has said that it may be.
    fn accept_or_refuse(&self, number: i32, records: i64, why: String) -> Result<(), LogError> {
        if !self.settings.accept_gap {
            return Err(LogError::Fatal(why));
        }
        warn!(topic = P::INPUT.as_str(), partition = number, records, why, "going on with --accept-gap");
        self.metrics.gap.increment(records.max(1).unsigned_abs());
        Ok(())
    }

    /// The partition has caught up with what its group has committed: from here on effects are published.
    pub(super) fn go_live(owned: &mut Owned<P>, directory: &Directory) {
        if owned.restore_until.take().is_some() {
            owned.committed_cursor = owned.cursor.take();
            owned.partition.reach(i64::MAX);
            owned.partition.commit();
            owned.partition.keep_undo(true);
            directory.set_live(P::INPUT, owned.partition.number());
            debug!(
                topic = P::INPUT.as_str(),
                partition = owned.partition.number(),
                offset = owned.partition.next_offset(),
                "partition restored"
            );
        }
    }

    /// Ends restores whose committed offset lies at the end of the log, and lets go of what rebuilding has changed.
    pub(super) fn finish_restores(&mut self) {
        let log = &self.log;
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            let Some(until) = owned.restore_until else { continue };
            let reached = if owned.partition.next_offset() >= owned.position_valid_from {
                log.position(number).unwrap_or(0).max(owned.partition.next_offset())
            } else {
                owned.partition.next_offset()
            };
            if reached >= until && owned.cursor.is_none() {
                owned.partition.skip_to(until);
                Self::go_live(owned, &self.shared.directory);
            } else {
                owned.partition.commit();
                let left = (until - reached).max(0).unsigned_abs();
                self.shared.directory.report(P::INPUT, number, Progress::Records { left });
            }
        }
    }
}
