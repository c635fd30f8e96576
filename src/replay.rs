//! The core over a file: the same partitions, timers and processors as live, without Kafka.
//!
//! A *plain file* is one partition with everybody in it: what one processor says to the other is delivered at once,
//! and timers fire as if ticks had come on time. A *recording* holds what the topics held: every partition has its own
//! time, and internal records are taken from the file instead of being made again.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::effects::{Effect, Effects};
use crate::engine::partition::{Partition, Routing, Taken};
use crate::engine::processor::Processor;
use crate::engine::record::{Position, Record, Topic};
use crate::event::dead_letter::DeadLetter;
use crate::event::encode;
use crate::event::line::{OwnedRecord, RecordingHeader, UNTIMED};
use crate::event::recommendation::{Estimate, Recommendation};
use crate::flight::Flights;
use crate::household::Travellers;
use crate::units::UtcMillis;

/// What comes out while a file is played.
pub trait Listener {
    /// # Errors
    /// The listener can't go on; the replay ends.
    fn recommendation(&mut self, recommendation: &Recommendation) -> std::io::Result<()>;

    /// # Errors
    /// The listener can't go on; the replay ends.
    fn dead_letter(&mut self, letter: &DeadLetter) -> std::io::Result<()>;
}

/// A replay that is under way.
pub struct Replay {
    travellers: Lane<Travellers>,
    flights: Lane<Flights>,
    /// `None`: a plain file.
    recording: Option<RecordingHeader>,
    /// Records between two commits: what is kept to go back by, nothing that anybody sees.
    batch: usize,
    since_commit: usize,
    effects: Effects,
}

/// What one processor says to the other, before it is a record.
struct Follows {
    topic: Topic,
    key: String,
    value: Vec<u8>,
}

impl Follows {
    fn from(effect: &Effect) -> Option<Follows> {
        match effect {
            Effect::Recommend(_) => None,
            Effect::FlightUpdate { household_id, update } => Some(Follows {
                topic: Topic::UserActivity,
                key: household_id.to_string(),
                value: encode::flight_update(household_id, update),
            }),
            Effect::Watch(watch) => Some(Follows {
                topic: Topic::FlightStatus,
                key: watch.flight_key.as_str().to_owned(),
                value: encode::watch(watch),
            }),
        }
    }
}

/// One processor's partitions.
struct Lane<P: Processor> {
    processor: P,
    partitions: BTreeMap<i32, Partition<P>>,
}

impl<P: Processor> Lane<P> {
    fn new(processor: P) -> Self {
        Lane { processor, partitions: BTreeMap::new() }
    }

    fn partition(&mut self, number: i32) -> (&P, &mut Partition<P>) {
        let partition = self.partitions.entry(number).or_insert_with(|| {
            let mut partition = Partition::new(number, 0);
            partition.keep_undo(false);
            partition
        });
        (&self.processor, partition)
    }

    fn commit(&mut self) {
        for partition in self.partitions.values_mut() {
            partition.commit();
        }
    }
}

impl Replay {
    /// A replay in its beginning. `batch`: records between commits (≥ 1).
    #[must_use]
    pub fn new(batch: usize) -> Replay {
        Replay {
            travellers: Lane::new(Travellers::embedded()),
            flights: Lane::new(Flights),
            recording: None,
            batch: batch.max(1),
            since_commit: 0,
            effects: Effects::default(),
        }
    }

    /// The file begins with a recording's header.
    pub fn begin_recording(&mut self, header: RecordingHeader) {
        self.recording = Some(header);
    }

    /// Plays one record.
    ///
    /// # Errors
    /// The listener's.
    pub fn play(&mut self, record: &OwnedRecord, listener: &mut impl Listener) -> std::io::Result<()> {
        debug_assert_ne!(record.stamp, UNTIMED, "the caller gives every record a time");
        let view = record.as_record();
        if self.recording.is_some() {
            self.play_recorded(&view, listener)?;
        } else {
            self.play_plain(&view, listener)?;
        }
        self.since_commit += 1;
        if self.since_commit >= self.batch {
            self.commit();
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.travellers.commit();
        self.flights.commit();
        self.since_commit = 0;
    }

    /// Lets time run on to `until`, with nothing behind it but the clock.
    ///
    /// # Errors
    /// The listener's.
    pub fn run_until(&mut self, until: UtcMillis, listener: &mut impl Listener) -> std::io::Result<()> {
        self.commit();
        if self.recording.is_none() {
            self.travellers.partition(0);
            self.flights.partition(0);
        }
        for partition in self.flights.partitions.values_mut() {
            while let Some(timer) = partition.next_timer(until) {
                partition.fire(&self.flights.processor, timer, None, &mut self.effects);
                self.effects.clear();
            }
            partition.move_time(until);
        }
        for partition in self.travellers.partitions.values_mut() {
            while let Some(timer) = partition.next_timer(until) {
                partition.fire(&self.travellers.processor, timer, None, &mut self.effects);
                tell(&self.effects, None, listener)?;
                self.effects.clear();
            }
            partition.move_time(until);
        }
        self.commit();
        Ok(())
    }

    /// Everybody's estimate at their partition's stream time, by partition, household and user.
    pub fn estimates(&mut self) -> Vec<Estimate> {
        self.commit();
        let mut estimates = Vec::new();
        for partition in self.travellers.partitions.values() {
            let Some(at) = partition.stream_time() else { continue };
            for unit in partition.units() {
                estimates.extend(self.travellers.processor.estimates(unit, None, at));
            }
        }
        estimates
    }

    fn play_plain(&mut self, record: &Record<'_>, listener: &mut impl Listener) -> std::io::Result<()> {
        // One file, one clock: a line of either topic moves the time of both.
        let position = Position { partition: 0, ..record.position };
        let (processor, flights) = self.flights.partition(0);
        while let Some(timer) = flights.next_timer(record.stamp) {
            flights.fire(processor, timer, Some(position), &mut self.effects);
            self.effects.clear();
        }
        flights.move_time(record.stamp);
        let (processor, travellers) = self.travellers.partition(0);
        while let Some(timer) = travellers.next_timer(record.stamp) {
            travellers.fire(processor, timer, Some(position), &mut self.effects);
            // As if a tick had come on time: nothing has expired.
            tell(&self.effects, None, listener)?;
            self.effects.clear();
        }
        travellers.move_time(record.stamp);
        self.deliver(&Record { position, ..*record }, listener)
    }

    /// Hands a record to its processor and what follows from it to the other, until nothing more follows. In the order of
    /// a log, where what follows from a record stands behind it: all that a record has to say is said before.
    fn deliver(&mut self, record: &Record<'_>, listener: &mut impl Listener) -> std::io::Result<()> {
        let mut waiting = VecDeque::new();
        self.take(record, &mut waiting, listener)?;
        while let Some(Follows { topic, key, value }) = waiting.pop_front() {
            let position = Position { topic, ..record.position };
            let (key, value) = (Some(key.as_bytes()), Some(value.as_slice()));
            let follows = Record { position, stamp: record.stamp, key, value, origin: None };
            self.take(&follows, &mut waiting, listener)?;
        }
        Ok(())
    }

    /// Hands one record to its processor, says what it has to say, and puts what follows from it behind what waits.
    fn take(
        &mut self,
        record: &Record<'_>,
        waiting: &mut VecDeque<Follows>,
        listener: &mut impl Listener,
    ) -> std::io::Result<()> {
        let effects = &mut self.effects;
        let taken = match record.position.topic {
            Topic::UserActivity => {
                let (processor, partition) = self.travellers.partition(0);
                partition.take(processor, record, &|| record.origin, Routing::Anywhere, effects)
            }
            Topic::FlightStatus => {
                let (processor, partition) = self.flights.partition(0);
                partition.take(processor, record, &|| record.origin, Routing::Anywhere, effects)
            }
        };
        if let Taken::Refused(rejection) = taken {
            listener.dead_letter(&DeadLetter::new(record, &rejection))?;
        }
        tell(effects, Some(record.stamp), listener)?;
        waiting.extend(effects.list.iter().filter_map(Follows::from));
        effects.clear();
        Ok(())
    }

    fn play_recorded(&mut self, record: &Record<'_>, listener: &mut impl Listener) -> std::io::Result<()> {
        let Some(header) = self.recording else { return Ok(()) };
        let routing = Routing::Placed { placement: header.placement, partitions: header.partitions };
        match record.position.topic {
            Topic::UserActivity => play_partition(&mut self.travellers, record, routing, &mut self.effects, listener),
            Topic::FlightStatus => play_partition(&mut self.flights, record, routing, &mut self.effects, listener),
        }
    }
}

fn play_partition<P: Processor>(
    lane: &mut Lane<P>,
    record: &Record<'_>,
    routing: Routing,
    effects: &mut Effects,
    listener: &mut impl Listener,
) -> std::io::Result<()> {
    let (processor, partition) = lane.partition(record.position.partition);
    while let Some(timer) = partition.next_timer(record.stamp) {
        partition.fire(processor, timer, Some(record.position), effects);
        tell(effects, Some(record.stamp), listener)?;
        effects.clear();
    }
    partition.move_time(record.stamp);
    // As live: the origin is asked for, not known beforehand.
    let unread = Record { origin: None, ..*record };
    match partition.take(processor, &unread, &|| record.origin, routing, effects) {
        Taken::Refused(rejection) => listener.dead_letter(&DeadLetter::new(record, &rejection))?,
        // A misplaced original: the recording also holds what was forwarded.
        Taken::Forward { .. } | Taken::Applied { .. } | Taken::Time { .. } => {}
    }
    tell(effects, Some(record.stamp), listener)?;
    effects.clear();
    Ok(())
}

/// Passes on recommendations that were not over at `moved_at`; other effects stand in the recording themselves.
fn tell(effects: &Effects, moved_at: Option<UtcMillis>, listener: &mut impl Listener) -> std::io::Result<()> {
    for effect in &effects.list {
        if let Effect::Recommend(recommendation) = effect
            && moved_at.is_none_or(|stamp| recommendation.expires_at > stamp)
        {
            listener.recommendation(recommendation)?;
        }
    }
    Ok(())
}
