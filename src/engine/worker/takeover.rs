//! A partition taken over: its states from the state topic, then its log from the marker up to what its group has
//! committed, silently; from there on it is live.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::{Kept, Worker};
use crate::engine::checkpoint::Mark;
use crate::engine::codec::Marker;
use crate::engine::cursor::{self, Cursor};
use crate::engine::directory::{Directory, Progress};
use crate::engine::latest::Latest;
use crate::engine::log::{Bounds, Committed, Log, LogError, Start};
use crate::engine::missing::{Kind, Missing};
use crate::engine::ownership::{Loading, Owned};
use crate::engine::partition::Partition;
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
    /// What must be accepted first.
    pub(super) missing: Vec<Missing>,
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
        if self.settings.checkpoints.is_some() && !new.is_empty() {
            // Before anything is read: what is found must be of these topics, or of ones that came after them.
            self.identify_topics()?;
        }
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
                        is_refused: false,
                    });
                } else {
                    let beginning = Self::beginning_without_states(bounds, committed.as_ref());
                    if !self.is_accepted(number, &beginning.missing) {
                        return Err(self.refusal());
                    }
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

    /// Notes which topics the markers to be read and to be written speak of.
    fn identify_topics(&mut self) -> Result<(), LogError> {
        let now = self.log.topic_ids()?;
        if self.topics.has_other_input(&now) || self.topics.has_other_states(&now) {
            // What is in memory belongs to the one, what would be read to the other.
            return Err(LogError::Client(format!(
                "{} or its state topic was made anew since this member joined",
                self.log.topic_name()
            )));
        }
        self.topics = now;
        Ok(())
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
    pub(super) fn beginning_without_states(input: Bounds, committed: Option<&Committed>) -> Beginning {
        let mut missing = Vec::new();
        if committed.is_some() && input.low > 0 {
            missing.push(Missing { kind: Kind::Unstored, records: input.low, stored: 0 });
        }
        Beginning { mark: None, until: committed.map(|committed| committed.offset), start: input.low, missing }
    }

    /// What the marker says of the states before it is so: they lie in this topic, and not in one that had its name.
    pub(super) fn is_vouched_for(&self, marker: &Marker) -> bool {
        !marker.topics.has_other_states(&self.topics)
    }

    /// Where the state topic was made anew under whoever wrote the marker, each state in it is good up to its own position,
    /// and those that did not change since are not there: the input is read from its beginning.
    pub(super) fn beginning_with_states(
        &self,
        number: i32,
        marker: &Marker,
        input: Bounds,
        committed: Option<&Committed>,
    ) -> Result<Beginning, LogError> {
        marker
            .check_layout(P::INPUT, number, self.settings.partitions, self.settings.placement)
            .map_err(LogError::Fatal)?;
        let stored = marker.committed;
        let mark = if self.is_vouched_for(marker) {
            Mark { offset: marker.offset, stream_time: marker.stream_time }
        } else {
            Mark::default()
        };
        let mut missing = Vec::new();
        let until = match committed {
            None => {
                missing.push(Missing { kind: Kind::Expired, records: 0, stored });
                marker.committed
            }
            Some(Committed { offset, .. }) if *offset < marker.committed => {
                missing.push(Missing { kind: Kind::SetBack, records: marker.committed - offset, stored });
                marker.committed
            }
            Some(Committed { offset, metadata }) => {
                if *offset > marker.committed && !cursor::is_of_a_worker(metadata) {
                    missing.push(Missing { kind: Kind::SetForward, records: offset - marker.committed, stored });
                }
                *offset
            }
        };
        let start = mark.offset.max(input.low);
        if marker.topics.has_other_input(&self.topics) {
            missing = vec![Missing { kind: Kind::Remade, records: 0, stored }];
        } else if marker.offset > input.high {
            missing = vec![Missing { kind: Kind::Emptied, records: marker.offset - input.high, stored }];
        } else if start > mark.offset {
            missing.push(Missing { kind: Kind::Deleted, records: start - mark.offset, stored });
        }
        if marker.program != *self.settings.program && until > start {
            self.metrics.replayed_by_another.increment((until - start).unsigned_abs());
            warn!(
                topic = format!("{}{}", self.settings.prefix, P::INPUT.as_str()),
                partition = number,
                records = until - start,
                then = marker.program,
                now = &*self.settings.program,
                "records are replayed by another program than applied them: states may differ from what was said"
            );
        }
        Ok(Beginning { mark: Some(mark), until: Some(until), start, missing })
    }

    /// Whether the operator has said that a partition may go on as it is. Where he has not, everybody's partitions are looked
    /// at before the start is refused, so that one refusal names them all.
    pub(super) fn is_accepted(&mut self, number: i32, missing: &[Missing]) -> bool {
        if missing.iter().any(|missing| !(self.settings.accept_gap && missing.is_acceptable())) {
            self.shared.directory.refuse(P::INPUT, number, missing);
            return false;
        }
        for missing in missing {
            self.metrics.gap.increment(missing.lost());
            self.loaded.accept(P::INPUT, number, *missing);
        }
        true
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
