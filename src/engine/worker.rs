//! The worker: partitions, one consumer, one transactional producer, one thread.
//!
//! Poll a batch; for each record fire due timers, decode, apply, write effects into the open transaction; offsets into
//! the transaction; commit. Effects of the records below the group's committed offset were published by whoever
//! committed it: while a partition is rebuilt from its log they are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::clock::Clock;
use super::directory::{Directory, Mailbox, Query, Slice};
use super::effects::Effects;
use super::log::{Batch, Commit, GroupEvent, Log, LogError};
use super::outbox::Outbox;
use super::ownership::{Owned, Ownership};
use super::partition::{Cursor, Partition, Routing, Taken, Totals};
use super::placement::Placement;
use super::processor::{Processor, Unit as _};
use super::record::Record;
use crate::telemetry::{PartitionMetrics, WorkerMetrics};
use crate::units::Span;

/// How a worker works; the same for every worker of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Records taken at once.
    pub batch: usize,
    /// A transaction that recommends nothing is committed after this time.
    pub commit_interval: Duration,
    /// … or after this many records.
    pub records_per_transaction: usize,
    /// One record may make tens of thousands of timers due: a transaction ends after this many.
    pub timers_per_transaction: usize,
    /// How far stream time may fall behind the clock before a tick is written.
    pub tick_interval: Span,
    /// Ticks are written at all: the topic has its broker's clock, or the clock is simulated.
    pub ticks: bool,
    pub placement: Placement,
    /// Partitions of the input topic.
    pub partitions: i32,
    /// A log that no longer reaches back to its beginning is accepted, and counted.
    pub accept_gap: bool,
}

/// What all workers of a process share.
pub struct Shared {
    pub directory: Directory,
    pub clock: Arc<dyn Clock>,
    pub stop: AtomicBool,
}

/// Why a worker's run ended.
#[derive(Debug)]
pub enum Exit {
    /// Asked to.
    Stopped,
    /// Another took over, or the clients broke: join again with new ones.
    Rejoin(String),
    /// Joining again would not help.
    Failed(String),
}

/// The transaction that is open, if any work was done since the last one.
struct Open {
    /// By [`Clock::elapsed`].
    since: Duration,
    records: usize,
    timers: usize,
    begun: bool,
}

pub struct Worker<P: Processor, L: Log> {
    processor: Arc<P>,
    log: L,
    shared: Arc<Shared>,
    settings: Settings,
    metrics: WorkerMetrics,
    mailbox: Mailbox,
    queries: mpsc::Receiver<Query>,
    owned: Ownership<P>,
    effects: Effects,
    outbox: Outbox,
    open: Option<Open>,
    next_observation: Duration,
}

/// States that outlive the clients: on the embedded cluster, which stores no transactional offsets, they are all there
/// is to go on from.
pub type Kept<P> = Vec<Partition<P>>;

impl<P: Processor, L: Log> Worker<P, L> {
    pub fn new(processor: Arc<P>, log: L, shared: Arc<Shared>, settings: Settings, worker: usize) -> Self {
        let (sender, queries) = mpsc::channel();
        let metrics = WorkerMetrics::new(P::INPUT, worker);
        let owned = Ownership::new(settings.partitions);
        Worker {
            processor,
            log,
            shared,
            settings,
            metrics,
            mailbox: Mailbox { sender, thread: std::thread::current() },
            queries,
            owned,
            effects: Effects::default(),
            outbox: Outbox::default(),
            open: None,
            next_observation: Duration::ZERO,
        }
    }

    /// Works until told to stop. `kept` takes over partitions of an earlier run and gives them back at the end.
    pub fn run(mut self, worker: usize, mut kept: Option<&mut Kept<P>>, leave: bool) -> Exit {
        let result = self.work(worker, kept.as_deref_mut());
        let result = match result {
            Ok(()) => self.finish_transaction(),
            other => other,
        };
        if let Some(kept) = kept {
            for mut owned in self.owned.take_all() {
                self.shared.directory.disown(P::INPUT, owned.partition.number());
                owned.partition.abort(&self.processor);
                kept.push(owned.partition);
            }
        }
        for owned in self.owned.iter() {
            self.shared.directory.disown(P::INPUT, owned.partition.number());
        }
        self.shared.directory.set_joined(P::INPUT, worker, false);
        match result {
            Ok(()) => {
                self.log.close(leave);
                Exit::Stopped
            }
            Err(error) => {
                if matches!(error, LogError::Fenced(_)) {
                    self.metrics.fenced.increment(1);
                }
                self.log.close(false);
                match error {
                    LogError::Fatal(why) => Exit::Failed(why),
                    other => Exit::Rejoin(other.to_string()),
                }
            }
        }
    }

    fn work(&mut self, worker: usize, mut kept: Option<&mut Kept<P>>) -> Result<(), LogError> {
        while !self.shared.stop.load(Ordering::Acquire) {
            self.step(worker, kept.as_deref_mut())?;
        }
        Ok(())
    }

    /// One round: what the group did, what was asked, what has arrived. [`Worker::run`] is a loop over it; a simulation
    /// decides itself when the next one comes.
    ///
    /// # Errors
    /// What ends this worker's membership.
    pub fn step(&mut self, worker: usize, mut kept: Option<&mut Kept<P>>) -> Result<(), LogError> {
        for event in self.log.group_events()? {
            self.on_group_event(event, kept.as_deref_mut())?;
            self.shared.directory.set_joined(P::INPUT, worker, true);
        }
        self.answer_queries()?;
        let batch = self.log.fetch(self.settings.batch, self.patience())?;
        match self.take_batch(&batch) {
            Err(LogError::Abort(why)) => self.abandon(&why)?,
            other => other?,
        }
        drop(batch);
        self.write_ticks()?;
        self.observe();
        Ok(())
    }

    fn open_for(&self, open: &Open) -> Duration {
        self.shared.clock.elapsed().saturating_sub(open.since)
    }

    /// How long to wait for records.
    fn patience(&self) -> Duration {
        const IDLE: Duration = Duration::from_millis(10);
        match &self.open {
            Some(open) => self.settings.commit_interval.saturating_sub(self.open_for(open)).min(IDLE),
            None => IDLE,
        }
    }

    fn on_group_event(&mut self, event: GroupEvent, kept: Option<&mut Kept<P>>) -> Result<(), LogError> {
        self.metrics.rebalances.increment(1);
        match event {
            GroupEvent::Assigned(partitions) => self.take_over(&partitions, kept),
            GroupEvent::Revoked { partitions, lost } => {
                info!(topic = P::INPUT.as_str(), ?partitions, lost, "partitions revoked");
                if lost {
                    self.abandon("the assignment was lost")?;
                } else {
                    self.finish_transaction()?;
                }
                for partition in &partitions {
                    self.owned.remove(*partition);
                    self.shared.directory.disown(P::INPUT, *partition);
                }
                self.log.unassign(&partitions)
            }
        }
    }

    fn take_over(&mut self, partitions: &[i32], mut kept: Option<&mut Kept<P>>) -> Result<(), LogError> {
        let new: Vec<i32> = partitions.iter().copied().filter(|p| self.owned.get(*p).is_none()).collect();
        let committed = self.log.committed(&new)?;
        let mut starts = Vec::with_capacity(new.len());
        for (number, committed) in new.iter().copied().zip(committed) {
            let memory = kept.as_deref_mut().and_then(|kept| {
                let place = kept.iter().position(|partition| partition.number() == number)?;
                Some(kept.swap_remove(place))
            });
            let (partition, restore_until, cursor) = if let Some(partition) = memory {
                (partition, None, None)
            } else {
                let bounds = self.log.bounds(number)?;
                self.check_reach(number, bounds.low, committed.as_ref().map(|c| c.offset))?;
                let cursor = committed.as_ref().and_then(|c| Cursor::from_metadata(&c.metadata));
                let until = committed.map(|c| c.offset).filter(|offset| *offset > bounds.low || cursor.is_some());
                (Partition::new(number, bounds.low), until, cursor)
            };
            let mut partition = partition;
            partition.keep_undo(restore_until.is_none());
            let start = partition.next_offset();
            starts.push((number, start));
            debug!(topic = P::INPUT.as_str(), partition = number, start, ?restore_until, "partition assigned");
            self.shared.directory.own(P::INPUT, number, self.mailbox.clone(), restore_until.is_none());
            let metrics = PartitionMetrics::new(P::INPUT, number);
            self.owned.insert(
                number,
                Owned {
                    partition,
                    restore_until,
                    cursor,
                    delivered: start,
                    position_valid_from: start,
                    last_tick: None,
                    metrics,
                },
            );
        }
        let restoring = self.owned.iter().filter(|owned| !owned.is_live()).count();
        info!(topic = P::INPUT.as_str(), partitions = ?new, restoring, "partitions assigned");
        self.log.assign(&starts)
    }

    /// States are rebuilt from the log's beginning: it must still be there.
    fn check_reach(&self, number: i32, low: i64, committed: Option<i64>) -> Result<(), LogError> {
        let Some(committed) = committed.filter(|_| low > 0) else { return Ok(()) };
        let topic = P::INPUT.as_str();
        if self.settings.accept_gap {
            warn!(topic, partition = number, missing = low, "records are gone: states are rebuilt without them");
            return Ok(());
        }
        Err(LogError::Fatal(format!(
            "partition {number} of {topic} begins at offset {low} but the group has processed it up to {committed}: the \
             states of the first {low} records can't be rebuilt (set retention.ms=-1 on the topic; --accept-gap goes on \
             without them)"
        )))
    }

    fn take_batch(&mut self, batch: &L::Batch) -> Result<(), LogError> {
        if batch.is_empty() {
            self.finish_restores();
            return if self.commit_is_due() { self.commit(None) } else { Ok(()) };
        }
        let started = self.shared.clock.elapsed();
        for index in 0..batch.len() {
            let partition = batch.record(index).position.partition;
            if let Some(owned) = self.owned.get_mut(partition) {
                owned.delivered = owned.delivered.max(batch.record(index).position.offset + 1);
            }
        }
        for index in 0..batch.len() {
            self.take_record(batch, index)?;
        }
        self.metrics.batch.record(self.shared.clock.elapsed().saturating_sub(started));
        self.finish_restores();
        if self.commit_is_due() { self.commit(None) } else { Ok(()) }
    }

    fn take_record(&mut self, batch: &L::Batch, index: usize) -> Result<(), LogError> {
        let record = batch.record(index);
        let number = record.position.partition;
        let offset = record.position.offset;
        let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
        if offset < owned.partition.next_offset() {
            return Ok(());
        }
        let mut suppressed = owned.restore_until.is_some_and(|until| offset < until);
        if !suppressed && owned.cursor.is_none() {
            Self::go_live(owned, &self.shared.directory);
        }

        loop {
            let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
            let Some(timer) = owned.partition.next_timer(record.stamp) else { break };
            let published = match &owned.cursor {
                // The record at the committed offset: its first timers were published with the last transaction.
                Some(cursor) if !suppressed => {
                    (timer.due, owned.partition.key_of(timer.unit)) <= (cursor.due, cursor.key.as_str())
                }
                _ => suppressed,
            };
            if !published {
                Self::go_live(owned, &self.shared.directory);
            }
            owned.partition.fire(&self.processor, timer, Some(record.position), &mut self.effects);
            if published {
                self.effects.clear();
                continue;
            }
            let more_at_once = owned.partition.is_due_again(timer);
            let cursor = Cursor { due: timer.due, key: owned.partition.key_of(timer.unit).to_owned() };
            self.open().timers += 1;
            self.emit(&record)?;
            if self.open().timers >= self.settings.timers_per_transaction && !more_at_once {
                self.commit(Some(&(number, cursor)))?;
            }
        }

        let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
        if !suppressed {
            Self::go_live(owned, &self.shared.directory);
        }
        owned.partition.move_time(record.stamp);
        let routing = Routing::Placed { placement: self.settings.placement, partitions: self.settings.partitions };
        let origin = || batch.origin(index);
        let taken = owned.partition.take(&self.processor, &record, &origin, routing, &mut self.effects);
        owned.partition.done_with(offset);
        suppressed |= !owned.is_live();
        if suppressed {
            self.effects.clear();
            return Ok(());
        }
        self.open().records += 1;
        match taken {
            Taken::Applied { name } | Taken::Time { name } => {
                self.outbox.count_event(name);
                if self.effects.is_empty() {
                    self.outbox.count_effects(&self.effects);
                    self.effects.clear();
                    return Ok(());
                }
                self.emit(&record)
            }
            Taken::Forward { key } => {
                self.begin()?;
                self.outbox.forward(&mut self.log, P::INPUT, &record, &key, &batch.headers(index))
            }
            Taken::Refused(rejection) => {
                debug!(topic = P::INPUT.as_str(), partition = number, offset, %rejection, "dead letter");
                self.begin()?;
                self.outbox.dead_letter(&mut self.log, &record, &rejection, &batch.headers(index))
            }
        }
    }

    /// The partition has caught up with what its group has committed: from here on effects are published.
    fn go_live(owned: &mut Owned<P>, directory: &Directory) {
        if owned.restore_until.take().is_some() {
            owned.cursor = None;
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
    fn finish_restores(&mut self) {
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
            }
        }
    }

    fn open(&mut self) -> &mut Open {
        let clock = &self.shared.clock;
        self.open.get_or_insert_with(|| Open { since: clock.elapsed(), records: 0, timers: 0, begun: false })
    }

    fn begin(&mut self) -> Result<(), LogError> {
        if !self.open().begun {
            self.log.begin()?;
            self.open().begun = true;
        }
        Ok(())
    }

    /// Writes the effects of one record or timer.
    fn emit(&mut self, record: &Record<'_>) -> Result<(), LogError> {
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

    fn commit_is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| {
            self.outbox.is_urgent()
                || self.open_for(open) >= self.settings.commit_interval
                || open.records >= self.settings.records_per_transaction
        })
    }

    fn finish_transaction(&mut self) -> Result<(), LogError> {
        if self.open.is_none() {
            return Ok(());
        }
        match self.commit(None) {
            Err(LogError::Abort(why)) => self.abandon(&why),
            other => other,
        }
    }

    /// Commits outputs and offsets. `within`: a partition's record is not finished; its own offset is committed with
    /// the last fired timer, and positions of the client are not looked at.
    fn commit(&mut self, within: Option<&(i32, Cursor)>) -> Result<(), LogError> {
        if self.open.is_none() {
            return Ok(());
        }
        let mut commits = Vec::new();
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            if !owned.is_live() {
                continue;
            }
            let position_counts = within.is_none() && owned.partition.next_offset() >= owned.position_valid_from;
            if position_counts && let Some(position) = self.log.position(number) {
                owned.partition.skip_to(position);
            }
            let cursor = within.filter(|(partition, _)| *partition == number).map(|(_, cursor)| cursor);
            if owned.partition.is_unchanged() && cursor.is_none() {
                continue;
            }
            commits.push(Commit {
                partition: number,
                offset: owned.partition.next_offset(),
                metadata: cursor.map(Cursor::to_metadata).unwrap_or_default(),
            });
        }
        if commits.is_empty() && self.open.as_ref().is_some_and(|open| !open.begun) {
            self.open = None;
            return Ok(());
        }
        self.begin()?;
        let started = self.shared.clock.elapsed();
        self.log.commit(&commits)?;
        self.metrics.commit.record(self.shared.clock.elapsed().saturating_sub(started));
        self.metrics.committed.increment(1);
        for commit in &commits {
            if let Some(owned) = self.owned.get_mut(commit.partition) {
                owned.partition.commit();
            }
        }
        self.open = None;
        self.outbox.committed(&self.metrics, self.shared.clock.as_ref());
        Ok(())
    }

    /// Aborts the open transaction; memory returns to the last commit, and what was handed out since is read again.
    fn abandon(&mut self, why: &str) -> Result<(), LogError> {
        warn!(topic = P::INPUT.as_str(), why, "transaction aborted");
        self.metrics.aborted.increment(1);
        if self.open.take().is_some_and(|open| open.begun) {
            self.log.abort()?;
        }
        self.outbox.aborted();
        self.effects.clear();
        let mut rewinds = Vec::new();
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            if owned.is_live() {
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

    /// Says what time it is to partitions whose log has nothing more to say while a timer is due.
    fn write_ticks(&mut self) -> Result<(), LogError> {
        if !self.settings.ticks || self.open.is_some() {
            return Ok(());
        }
        let now = self.shared.clock.now();
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            let overdue = owned.partition.earliest_timer().is_some_and(|due| due <= now);
            let behind = owned.partition.stream_time().is_some_and(|time| now - time > self.settings.tick_interval);
            if !(owned.is_live() && overdue && behind) {
                continue;
            }
            let recently = owned.last_tick.is_some_and(|last| now - last < self.settings.tick_interval);
            let next_offset = owned.partition.next_offset();
            let position = if next_offset >= owned.position_valid_from {
                self.log.position(number).unwrap_or(next_offset).max(next_offset)
            } else {
                next_offset
            };
            let at_end = self.log.end(number).is_some_and(|end| position >= end);
            if recently || !at_end {
                continue;
            }
            self.log.tick(number, now)?;
            owned.last_tick = Some(now);
            self.metrics.ticks.increment(1);
        }
        Ok(())
    }

    fn answer_queries(&mut self) -> Result<(), LogError> {
        let Ok(first) = self.queries.try_recv() else { return Ok(()) };
        // An answer tells what is committed, not what may yet be aborted.
        self.finish_transaction()?;
        let mut next = Some(first);
        while let Some(query) = next {
            self.answer(query);
            next = self.queries.try_recv().ok();
        }
        Ok(())
    }

    fn answer(&self, query: Query) {
        match query {
            Query::Household { household, user, reply } => {
                let number = self.settings.placement.partition(household.as_bytes(), self.settings.partitions);
                let estimates = self.owned.get(number).and_then(|owned| {
                    let at = owned.partition.stream_time()?;
                    let unit = owned.partition.unit(&household)?;
                    Some(self.processor.estimates(unit, user.as_deref(), at))
                });
                // Who asked may have gone away.
                let _ = reply.send(estimates.unwrap_or_default());
            }
            Query::Everybody { partition, after, reply } => {
                let _ = reply.send(self.slice(partition, after.as_deref()));
            }
        }
    }

    fn slice(&self, partition: i32, after: Option<&str>) -> Slice {
        /// An estimate takes some hundred microseconds.
        const HOUSEHOLDS: usize = 200;
        let mut slice = Slice::default();
        let Some(owned) = self.owned.get(partition) else { return slice };
        let Some(at) = owned.partition.stream_time() else { return slice };
        let units = owned.partition.units();
        let first = after.map_or(0, |after| units.partition_point(|unit| unit.key() <= after));
        let end = units.len().min(first + HOUSEHOLDS);
        for unit in &units[first..end] {
            slice.estimates.extend(self.processor.estimates(unit, None, at));
        }
        if end < units.len() {
            slice.next_after = units[first..end].last().map(|unit| unit.key().to_owned());
        }
        slice
    }

    fn observe(&mut self) {
        const EVERY: Duration = Duration::from_secs(1);
        let now = self.shared.clock.elapsed();
        if now < self.next_observation {
            return;
        }
        self.next_observation = now + EVERY;
        let clock_now = self.shared.clock.now();
        let mut totals = Totals::default();
        let mut remaining = 0;
        for owned in self.owned.iter() {
            let number = owned.partition.number();
            let partition_totals = owned.partition.totals();
            totals.travellers += partition_totals.travellers;
            totals.travelling += partition_totals.travelling;
            totals.state_bytes += partition_totals.state_bytes;
            let position = self.log.position(number).unwrap_or(0).max(owned.partition.next_offset());
            if let Some(end) = self.log.end(number) {
                owned.metrics.lag_records.set((end - position).max(0) as f64);
            }
            if let Some(time) = owned.partition.stream_time() {
                owned.metrics.lag_seconds.set((clock_now - time).0.max(0) as f64 / 1_000.0);
            }
            if let Some(until) = owned.restore_until {
                remaining += (until - owned.partition.next_offset()).max(0);
            }
        }
        self.metrics.travellers.set(totals.travellers as f64);
        self.metrics.travelling.set(totals.travelling as f64);
        self.metrics.state_bytes.set(totals.state_bytes as f64);
        self.metrics.restore_remaining.set(remaining as f64);
    }
}
