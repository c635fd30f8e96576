//! The partitions that a worker owns, each with how far it has been read and restored.

use std::time::Duration;

use super::codec::Marker;
use super::cursor::Cursor;
use super::latest::Latest;
use super::log::{Bounds, Committed};
use super::partition::Partition;
use super::processor::Processor;
use crate::telemetry::PartitionMetrics;
use crate::units::UtcMillis;

pub(super) struct Owned<P: Processor> {
    pub(super) partition: Partition<P>,
    /// Set while its states are read from the state topic.
    pub(super) loading: Option<Loading>,
    /// The group's committed offset while states are rebuilt up to it.
    pub(super) restore_until: Option<i64>,
    /// Timers that the record at the committed offset had fired already.
    pub(super) cursor: Option<Cursor>,
    /// What the group's offset says beside its number: the last commit was made inside a record.
    pub(super) committed_cursor: Option<Cursor>,
    /// The offset after the last record handed to us.
    pub(super) delivered: i64,
    /// After reading again the client's position is ahead of us until we have passed this offset.
    pub(super) position_valid_from: i64,
    pub(super) last_tick: Option<UtcMillis>,
    /// When the next checkpoint begins, by [`super::clock::Clock::elapsed`].
    pub(super) next_round: Duration,
    /// When the last one was complete; at first, when the partition was taken over.
    pub(super) last_complete: Duration,
    pub(super) metrics: PartitionMetrics,
}

/// A partition whose states are being read.
#[derive(Debug)]
pub(super) struct Loading {
    /// Offsets of the state topic: the high watermark when reading began, and what has been read up to now.
    pub(super) until: i64,
    pub(super) reached: i64,
    /// Partitions are read a few at a time.
    pub(super) is_open: bool,
    /// What has been read.
    pub(super) latest: Latest,
    /// The last marker seen.
    pub(super) marker: Option<Marker>,
    /// What the group has committed, and how far the input reaches.
    pub(super) committed: Option<Committed>,
    pub(super) input: Bounds,
    /// Everything has been read, and something is missing: the start is about to be refused.
    pub(super) is_refused: bool,
}

impl Loading {
    /// What the group has committed.
    pub(super) fn committed_offset(&self) -> Option<i64> {
        self.committed.as_ref().map(|committed| committed.offset)
    }

    /// Everything up to the end has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.reached >= self.until
    }

    /// The states have seen more than was committed, and more than there was, when that was asked for.
    pub(super) fn is_older_than(&self, marker: &Marker) -> bool {
        marker.offset > self.input.high || self.committed_offset() < Some(marker.committed)
    }
}

impl<P: Processor> Owned<P> {
    pub(super) fn is_live(&self) -> bool {
        self.restore_until.is_none() && self.loading.is_none()
    }

    /// Its states are being read.
    pub(super) fn is_loading(&self) -> bool {
        self.loading.as_ref().is_some_and(|loading| !loading.is_refused)
    }

    /// The partition stands where a commit was made inside a record, whose other timers are to be fired again. Nothing may
    /// be committed for it here: the offset would lose its cursor, and a marker would name half a record.
    pub(super) fn is_inside_a_record(&self) -> bool {
        self.committed_cursor.is_some() && self.partition.next_offset() == self.partition.committed_offset()
    }
}

/// The partitions of this worker, by number: looked up for every record.
pub(super) struct Ownership<P: Processor>(Vec<Option<Box<Owned<P>>>>);

impl<P: Processor> Ownership<P> {
    pub(super) fn new(partitions: i32) -> Self {
        Ownership((0..partitions).map(|_| None).collect())
    }

    pub(super) fn get(&self, number: i32) -> Option<&Owned<P>> {
        self.0.get(usize::try_from(number).ok()?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, number: i32) -> Option<&mut Owned<P>> {
        self.0.get_mut(usize::try_from(number).ok()?)?.as_deref_mut()
    }

    /// Partitions beyond the count known at the start have no place: the caller refuses them before.
    pub(super) fn insert(&mut self, number: i32, owned: Owned<P>) {
        if let Some(place) = usize::try_from(number).ok().and_then(|place| self.0.get_mut(place)) {
            *place = Some(Box::new(owned));
        }
    }

    pub(super) fn remove(&mut self, number: i32) -> Option<Box<Owned<P>>> {
        self.0.get_mut(usize::try_from(number).ok()?)?.take()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Owned<P>> {
        self.0.iter().filter_map(Option::as_deref)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Owned<P>> {
        self.0.iter_mut().filter_map(Option::as_deref_mut)
    }

    pub(super) fn numbers(&self) -> Vec<i32> {
        self.iter().map(|owned| owned.partition.number()).collect()
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Owned<P>> {
        self.0.iter_mut().filter_map(Option::take).map(|owned| *owned)
    }
}
