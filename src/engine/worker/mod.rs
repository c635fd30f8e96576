//! The worker: partitions, one consumer, one transactional producer, one thread.
//!
//! Poll a batch; for each record fire due timers, decode, apply, write effects into the open transaction; offsets into
//! the transaction; commit. Effects of the records below the group's committed offset were published by whoever
//! committed it: while a partition is rebuilt they are dropped.
//!
//! | file | what |
//! |---|---|
//! | this one | the loop, the group, one record |
//! | [`takeover`] | a partition from its state topic and its log |
//! | [`loading`] | reading the state topic |
//! | [`transaction`] | effects, offsets, commit, abort |
//! | [`checkpoints`] | states into the state topic, a slice at a time |
//! | [`watch`] | ticks, questions, gauges |

mod checkpoints;
mod loading;
mod takeover;
mod transaction;
mod watch;

pub use takeover::partition_was_added;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use tracing::{debug, info};

use super::clock::Clock;
use super::cursor::Cursor;
use super::directory::{Directory, Mailbox, Query};
use super::effects::Effects;
use super::log::{Batch, GroupEvent, Log, LogError, TopicIds};
use super::outbox::Outbox;
use super::ownership::{Owned, Ownership};
use super::partition::{Partition, Routing, Taken};
use super::placement::Placement;
use super::prefetch;
use super::processor::Processor;
use crate::telemetry::WorkerMetrics;
use crate::units::Span;

/// How a worker works; the same for every worker of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the names of the installation's topics and groups begin with, for messages that name them.
    pub prefix: Box<str>,
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
    /// What is missing in a partition that is taken over is done without, and counted.
    pub accept_gap: bool,
    /// `None`: there is no state topic, states live in memory and in the input alone.
    pub checkpoints: Option<Checkpoints>,
    /// The program, its models and its time-zone rules: what replays a record must be what applied it first.
    pub program: Arc<str>,
    /// Set by the simulator alone, to prove that it notices.
    pub sabotage: Option<Sabotage>,
}

/// What a worker leaves out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// After an abort the input is read again, but states stay as the aborted transaction left them.
    KeepsAbortedStates,
}

/// How states get into the state topic.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints {
    /// From the beginning of a round to the beginning of the next; a round is spread over half of it.
    pub interval: Duration,
    /// A slice has at least so many entries.
    pub smallest_slice: usize,
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
    /// States were written into it.
    has_states: bool,
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
    slices: checkpoints::Slices,
    /// How fast a restore goes.
    pace: takeover::Pace,
    loaded: loading::Loaded,
    /// As of the last time that partitions were taken over.
    topics: TopicIds,
    /// A state as bytes.
    buffer: Vec<u8>,
}

/// States that outlive the clients: on the embedded cluster, which stores no transactional offsets, they are all there
/// is to go on from.
pub type Kept<P> = Vec<Partition<P>>;

impl<P: Processor, L: Log> Worker<P, L> {
    pub fn new(processor: Arc<P>, log: L, shared: Arc<Shared>, settings: Settings, worker: usize) -> Self {
        let (sender, queries) = mpsc::channel();
        let metrics = WorkerMetrics::new(P::INPUT, worker, settings.partitions);
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
            slices: checkpoints::Slices::default(),
            pace: takeover::Pace::default(),
            loaded: loading::Loaded::default(),
            topics: TopicIds::default(),
            buffer: Vec::new(),
        }
    }

    /// Works until told to stop. `kept` takes over partitions of an earlier run and gives them back at the end.
    pub fn run(mut self, worker: usize, mut kept: Option<&mut Kept<P>>, leave: bool) -> Exit {
        let result = self.work(worker, kept.as_deref_mut());
        let result = match result {
            // Nothing that names a topic that is gone is committed. What is left undone the next start takes in again.
            Ok(()) if self.shared.directory.is_in_doubt(P::INPUT) => Ok(()),
            Ok(()) => self.finish_transaction().and_then(|()| self.checkpoint_all(&self.owned.numbers())),
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
        self.metrics.partitions_owned.set(0.0);
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
            // Whose partitions were lost is outside until the group speaks again.
            let is_lost = matches!(event, GroupEvent::Revoked { lost: true, .. });
            self.on_group_event(event, kept.as_deref_mut())?;
            self.shared.directory.set_joined(P::INPUT, worker, !is_lost);
        }
        self.answer_queries()?;
        self.load_states()?;
        let batch = self.log.fetch(self.settings.batch, self.patience())?;
        let taken = self.take_batch(&batch);
        self.abandon_or(taken)?;
        drop(batch);
        self.write_checkpoints()?;
        self.write_ticks()?;
        self.observe();
        Ok(())
    }

    /// The partitions that this worker owns, by number.
    pub fn partitions(&self) -> impl Iterator<Item = &Partition<P>> {
        self.owned.iter().map(|owned| &owned.partition)
    }

    fn open_for(&self, open: &Open) -> Duration {
        self.shared.clock.elapsed().saturating_sub(open.since)
    }

    /// How long to wait for records.
    fn patience(&self) -> Duration {
        const IDLE: Duration = Duration::from_millis(10);
        if self.owned.iter().any(Owned::is_loading) {
            // The time is spent waiting for states.
            return Duration::ZERO;
        }
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
                    self.yield_to_the_group("the assignment was lost")?;
                } else {
                    self.finish_transaction()?;
                    self.checkpoint_all(&partitions)?;
                }
                for partition in &partitions {
                    if self.owned.remove(*partition).is_some_and(|owned| owned.loading.is_some()) {
                        self.log.close_state(*partition)?;
                    }
                    self.shared.directory.disown(P::INPUT, *partition);
                }
                self.log.unassign(&partitions)
            }
        }
    }

    fn take_batch(&mut self, batch: &L::Batch) -> Result<(), LogError> {
        if batch.is_empty() {
            self.finish_restores();
            return if self.commit_is_due() { self.commit(None) } else { Ok(()) };
        }
        let started = self.shared.clock.elapsed();
        for index in 0..batch.len() {
            let position = batch.position(index);
            if let Some(owned) = self.owned.get_mut(position.partition) {
                owned.delivered = owned.delivered.max(position.offset + 1);
            }
        }
        for index in 0..batch.len() {
            if index % prefetch::AHEAD == 0 {
                prefetch::read_ahead(&self.owned, batch, index);
            }
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
        if owned.loading.is_some() {
            return Err(LogError::Client(format!(
                "partition {number} delivered a record before its states were there"
            )));
        }
        if offset < owned.partition.next_offset() {
            return Ok(());
        }
        owned.partition.reach(offset);
        // Only control records lie between: a commit before this record is done names its own offset.
        owned.partition.skip_to(offset);
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
}
