//! States from the state topic: read for all partitions together, decoded a partition at a time.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::Worker;
use crate::engine::codec::{self, CodecError, MARKER_KEY};
use crate::engine::cursor::Cursor;
use crate::engine::directory::Progress;
use crate::engine::latest::Latest;
use crate::engine::log::{Batch, Committed, Log, LogError};
use crate::engine::missing::{Account, Missing};
use crate::engine::ownership::{Loading, Owned};
use crate::engine::processor::{Processor, Unit as _};
use crate::engine::record::Topic;

/// State records taken at once.
const STATE_BATCH: usize = 5_000;

/// How long to wait for one.
const STATE_PATIENCE: Duration = Duration::from_millis(5);

/// Partitions are decoded for so long before the group is heard again.
const LONGEST_SILENCE: Duration = Duration::from_millis(200);

/// What one worker refuses waits so long for what the others of its process have to say.
const LONGEST_COLLECTION: Duration = Duration::from_secs(5);

/// A group's offsets are asked for again after so long before their lack is believed: a coordinator that was just restarted
/// may answer before it has read them.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// Partitions read at a time: what is read is kept until a partition is complete, and memory that was used once is used
/// again. While one partition is decoded the client fetches others.
const AT_A_TIME: usize = 4;

/// What has been loaded since partitions were assigned last.
#[derive(Clone, Debug, Default)]
pub(super) struct Loaded {
    partitions: usize,
    states: usize,
    /// Of the input, to be replayed.
    records: i64,
    /// The group has processed records of these, and their states are not in the state topic.
    emptied: Vec<i32>,
    /// Of the input, to be replayed for these alone.
    emptied_records: i64,
    /// What is gone on without.
    accepted: Account,
    /// When the last partition was refused, by [`crate::engine::clock::Clock::elapsed`].
    refused_at: Option<Duration>,
}

impl Loaded {
    pub(super) fn accept(&mut self, topic: Topic, partition: i32, missing: Missing) {
        self.accepted.add(topic, partition, missing);
    }

    /// Once for all of them, because whoever empties a topic seldom empties one partition.
    fn tell<P: Processor>(&self, prefix: &str) {
        let states_name = states_name::<P>(prefix);
        for what in self.accepted.accepted(prefix) {
            warn!("going on with --accept-gap: {what}");
        }
        if !self.emptied.is_empty() {
            warn!(
                topic = P::INPUT.as_str(),
                partitions = ?self.emptied,
                to_replay = self.emptied_records,
                "{states_name} does not hold the states of these partitions, although their group has processed them: it was \
                 emptied or made anew. Their states are rebuilt from all that the input still holds, which takes longer than a restore; \
                 nothing is missing in them, unless records were deleted from the input (then --accept-gap has said so)"
            );
        }
        let Loaded { partitions, states, records, .. } = *self;
        info!(topic = P::INPUT.as_str(), partitions, states, to_replay = records, "states loaded");
    }
}

impl<P: Processor, L: Log> Worker<P, L> {
    /// Reads on in the state topic, for every partition whose states are not there yet.
    pub(super) fn load_states(&mut self) -> Result<(), LogError> {
        if !self.owned.iter().any(Owned::is_loading) {
            if self.owned.iter().any(|owned| owned.loading.is_some()) {
                return self.refuse();
            }
            let loaded = std::mem::take(&mut self.loaded);
            if loaded.partitions > 0 {
                loaded.tell::<P>(&self.settings.prefix);
            }
            return Ok(());
        }
        self.open_more()?;
        let is_complete = self
            .owned
            .iter()
            .filter(|owned| owned.is_loading())
            .any(|owned| owned.loading.as_ref().is_some_and(Loading::is_complete));
        let patience = if is_complete { Duration::ZERO } else { STATE_PATIENCE };
        let batch = self.log.fetch_state(STATE_BATCH, patience)?;
        for index in 0..batch.len() {
            self.load_record(&batch, index)?;
        }
        // Before any reader is closed: a client waits for the records that it has handed out.
        drop(batch);
        let begun = self.shared.clock.elapsed();
        for number in self.owned.numbers() {
            let Some(owned) = self.owned.get_mut(number).filter(|owned| owned.is_loading()) else { continue };
            let Some(loading) = &mut owned.loading else { continue };
            // By position: the last record is followed by the marker of its transaction, which is never handed out.
            loading.reached = self.log.state_position(number).unwrap_or(loading.reached).max(loading.reached);
            let left = (loading.until - loading.reached).max(0).unsigned_abs();
            self.shared.directory.report(P::INPUT, number, Progress::States { left });
            let may_go_on = self.shared.clock.elapsed().saturating_sub(begun) < LONGEST_SILENCE;
            if loading.is_complete() && may_go_on {
                self.finish_loading(number)?;
            }
        }
        Ok(())
    }

    /// Refuses the start, once all that this process owns has been looked at.
    fn refuse(&mut self) -> Result<(), LogError> {
        let now = self.shared.clock.elapsed();
        let since = *self.loaded.refused_at.get_or_insert(now);
        let waited = now.saturating_sub(since);
        if waited < SECOND_LOOK || self.shared.directory.is_loading() && waited < LONGEST_COLLECTION {
            return Ok(());
        }
        let refused: Vec<(i32, Option<i64>)> = self
            .owned
            .iter()
            .filter_map(|owned| Some((owned.partition.number(), owned.loading.as_ref()?.committed_offset())))
            .collect();
        let numbers: Vec<i32> = refused.iter().map(|(number, _)| *number).collect();
        let again = self.log.committed(&numbers)?;
        let has_changed = |((_, then), now): (&(i32, Option<i64>), &Option<Committed>)| {
            *then != now.as_ref().map(|committed| committed.offset)
        };
        if refused.iter().zip(&again).any(has_changed) {
            return Err(LogError::Client("the group's offsets are others than it said a moment ago".to_owned()));
        }
        Err(self.refusal())
    }

    /// Says what is missing in all that this process owns.
    pub(super) fn refusal(&self) -> LogError {
        LogError::Fatal(self.shared.directory.refused().refusal(&self.settings.prefix))
    }

    /// Begins with as many partitions as may be read together.
    fn open_more(&mut self) -> Result<(), LogError> {
        let open = |loading: &Loading| loading.is_open && !loading.is_complete();
        let mut count =
            self.owned.iter().filter_map(|owned| owned.loading.as_ref()).filter(|loading| open(loading)).count();
        let waiting =
            self.owned.iter_mut().filter_map(|owned| Some((owned.partition.number(), owned.loading.as_mut()?)));
        for (number, loading) in waiting {
            if !loading.is_open && !loading.is_complete() && count < AT_A_TIME {
                loading.is_open = true;
                self.log.open_state(number, loading.reached)?;
                count += 1;
            }
        }
        Ok(())
    }

    fn load_record(&mut self, batch: &L::Batch, index: usize) -> Result<(), LogError> {
        let record = batch.record(index);
        let position = record.position;
        let Some(owned) = self.owned.get_mut(position.partition) else { return Ok(()) };
        let Some(loading) = &mut owned.loading else { return Ok(()) };
        match (record.key, record.value) {
            (Some(MARKER_KEY), Some(value)) => {
                let marker = codec::decode_marker(value).map_err(|error| {
                    unreadable(
                        &states_name::<P>(&self.settings.prefix),
                        position.partition,
                        "the marker",
                        position.offset,
                        &error,
                    )
                })?;
                loading.marker = Some(marker);
            }
            (Some(key), value) => loading.latest.put(key, value, position.offset),
            (None, _) => warn!(?position, "a state record without a key"),
        }
        Ok(())
    }

    fn finish_loading(&mut self, number: i32) -> Result<(), LogError> {
        // Its successor first: the client has something to fetch while this one is decoded.
        self.open_more()?;
        self.log.close_state(number)?;
        let Some(mut loading) = self.owned.get_mut(number).and_then(|owned| owned.loading.take()) else {
            return Ok(());
        };
        if loading.marker.as_ref().is_some_and(|marker| loading.is_older_than(marker)) {
            // This process stood still, and somebody else has had the partition meanwhile: the group will say so. Until then
            // it must not be taken for a topic that was emptied.
            loading.input = self.log.bounds(number)?;
            loading.committed = self.log.committed(&[number])?.pop().flatten();
            if let Some(owned) = self.owned.get_mut(number) {
                owned.cursor = loading.committed.as_ref().and_then(|c| Cursor::from_metadata(&c.metadata));
            }
        }
        let beginning = match &loading.marker {
            Some(marker) => self.beginning_with_states(number, marker, loading.input, loading.committed.as_ref())?,
            None => Self::beginning_without_states(loading.input, loading.committed.as_ref()),
        };
        if !self.is_accepted(number, &beginning.missing) {
            // Whatever was refused before: this partition has been looked at once.
            self.loaded.refused_at = Some(self.shared.clock.elapsed());
            if let Some(owned) = self.owned.get_mut(number) {
                owned.loading = Some(Loading { is_refused: true, latest: Latest::default(), ..loading });
            }
            return Ok(());
        }
        let units = std::mem::take(&mut loading.latest).decode::<P::Unit>().map_err(|found| {
            unreadable(&states_name::<P>(&self.settings.prefix), number, &found.key, found.offset, &found.error)
        })?;
        let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
        let mut known = 0;
        for (position, unit) in units {
            known += u64::from(!unit.is_vacant());
            owned.partition.load(unit, position);
        }
        self.metrics.restored.increment(known);
        let is_vouched_for = loading.marker.as_ref().is_some_and(|marker| self.is_vouched_for(marker));
        let names_its_topics = loading.marker.as_ref().is_some_and(|marker| marker.topics == self.topics);
        let complete = beginning.mark.filter(|_| beginning.missing.is_empty() && names_its_topics);
        let Some(owned) = self.owned.get_mut(number) else { return Ok(()) };
        if complete.is_none() {
            // A marker is written at once, and an offset with it: what was accepted is remembered, whoever finds no offsets
            // later knows that this was begun, and which topics it was begun with.
            owned.next_round = self.shared.clock.elapsed();
        }
        if beginning.until != loading.committed_offset() {
            owned.cursor = None;
        }
        owned.partition.loaded(beginning.mark, complete, beginning.start);
        owned.restore_until = beginning.until.filter(|until| *until > beginning.start || owned.cursor.is_some());
        owned.delivered = beginning.start;
        owned.position_valid_from = beginning.start;
        owned.partition.keep_undo(owned.is_live());
        self.loaded.partitions += 1;
        self.loaded.states += owned.partition.len();
        let records = owned.restore_until.map_or(0, |until| until - beginning.start);
        self.loaded.records += records;
        if !is_vouched_for && records > 0 {
            self.loaded.emptied.push(number);
            self.loaded.emptied_records += records;
        }
        debug!(
            topic = P::INPUT.as_str(),
            partition = number,
            states = owned.partition.len(),
            from = beginning.start,
            until = owned.restore_until,
            "states of a partition loaded"
        );
        if owned.is_live() {
            owned.partition.reach(i64::MAX);
            self.shared.directory.set_live(P::INPUT, number);
        }
        self.log.resume(number, beginning.start)
    }
}

/// The topic of a processor's states, as the cluster calls it.
pub(super) fn states_name<P: Processor>(prefix: &str) -> String {
    format!("{prefix}zoner.state.{}", P::NAME)
}

fn unreadable(topic: &str, partition: i32, key: &str, offset: i64, error: &CodecError) -> LogError {
    let instead = match error {
        CodecError::Newer { .. } => "",
        _ => ". Deleted and made anew (zoner topics create), the topic is rebuilt from what the input still holds",
    };
    LogError::Fatal(format!(
        "state of {key} can't be read ({topic}, partition {partition}, offset {offset}): {error}{instead}"
    ))
}
