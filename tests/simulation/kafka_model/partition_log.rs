//! One partition's log as a broker keeps it: records, control records, the last stable offset, aborted ranges.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Epoch, ProducerId};

/// What a producer wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970.
    pub stamp: i64,
}

#[derive(Clone, Debug)]
enum Body {
    Data(Rc<Stored>),
    /// The end of a producer's transaction; takes an offset, is shown to nobody.
    Control,
}

#[derive(Clone, Debug)]
struct Entry {
    offset: i64,
    /// Set where the record belongs to a transaction.
    producer: Option<ProducerId>,
    body: Body,
}

/// The part of an aborted transaction that lies in this partition.
#[derive(Clone, Copy, Debug)]
struct Aborted {
    producer: ProducerId,
    first: i64,
    last: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    ReadCommitted,
    ReadUncommitted,
}

/// What lies at an offset for a reader.
#[derive(Clone, Debug)]
pub enum Seen {
    Record {
        offset: i64,
        record: Rc<Stored>,
        transactional: bool,
    },
    /// A control record, or a record of an aborted transaction: a reader's position moves past it.
    Nothing {
        offset: i64,
    },
}

#[derive(Debug, Default)]
pub struct PartitionLog {
    /// By offset; compaction leaves gaps.
    entries: Vec<Entry>,
    start: i64,
    end: i64,
    /// First offset of every open transaction.
    open: BTreeMap<ProducerId, i64>,
    aborted: Vec<Aborted>,
    /// The newest epoch of each producer that this partition has heard of.
    epochs: BTreeMap<ProducerId, Epoch>,
}

/// A producer of that id with a newer epoch exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleEpoch;

impl PartitionLog {
    /// The first offset that exists.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The offset after the last entry. There is one replica: what is written is readable.
    pub fn high_watermark(&self) -> i64 {
        self.end
    }

    /// Where the first open transaction begins: no reader of committed records gets further.
    pub fn last_stable_offset(&self) -> i64 {
        self.open.values().copied().min().unwrap_or(self.end)
    }

    pub fn append(&mut self, record: Stored) -> i64 {
        self.push(None, Body::Data(Rc::new(record)))
    }

    /// A record of an open transaction.
    pub fn append_in_transaction(
        &mut self,
        producer: ProducerId,
        epoch: Epoch,
        record: Stored,
    ) -> Result<i64, StaleEpoch> {
        let known = self.epochs.entry(producer).or_insert(epoch);
        if epoch < *known {
            return Err(StaleEpoch);
        }
        *known = epoch;
        self.open.entry(producer).or_insert(self.end);
        Ok(self.push(Some(producer), Body::Data(Rc::new(record))))
    }

    /// The marker that ends a producer's transaction here. A partition of the transaction into which nothing was written
    /// gets one too.
    pub fn append_marker(&mut self, producer: ProducerId, epoch: Epoch, commit: bool) {
        let known = self.epochs.entry(producer).or_insert(epoch);
        *known = (*known).max(epoch);
        let marker = self.push(Some(producer), Body::Control);
        if let Some(first) = self.open.remove(&producer)
            && !commit
        {
            self.aborted.push(Aborted { producer, first, last: marker });
        }
    }

    fn push(&mut self, producer: Option<ProducerId>, body: Body) -> i64 {
        let offset = self.end;
        self.entries.push(Entry { offset, producer, body });
        self.end += 1;
        offset
    }

    fn is_aborted(&self, entry: &Entry) -> bool {
        entry.producer.is_some_and(|producer| {
            self.aborted
                .iter()
                .any(|range| range.producer == producer && (range.first..=range.last).contains(&entry.offset))
        })
    }

    /// Where reading ends for now.
    pub fn limit(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadCommitted => self.last_stable_offset(),
            Isolation::ReadUncommitted => self.end,
        }
    }

    /// What a reader meets from `from` on.
    pub fn read(&self, from: i64, isolation: Isolation) -> impl Iterator<Item = Seen> + '_ {
        self.recall(from.max(self.start), isolation)
    }

    /// The same from somebody who remembers what has been deleted; not what has been compacted.
    pub fn recall(&self, from: i64, isolation: Isolation) -> impl Iterator<Item = Seen> + '_ {
        let limit = self.limit(isolation);
        let first = self.entries.partition_point(|entry| entry.offset < from);
        self.entries[first..].iter().take_while(move |entry| entry.offset < limit).map(move |entry| match &entry.body {
            Body::Data(record) if isolation == Isolation::ReadUncommitted || !self.is_aborted(entry) => Seen::Record {
                offset: entry.offset,
                record: Rc::clone(record),
                transactional: entry.producer.is_some(),
            },
            _ => Seen::Nothing { offset: entry.offset },
        })
    }

    /// Records with their offsets.
    pub fn records(&self, isolation: Isolation) -> Vec<(i64, Rc<Stored>)> {
        self.read(self.start, isolation)
            .filter_map(|seen| match seen {
                Seen::Record { offset, record, .. } => Some((offset, record)),
                Seen::Nothing { .. } => None,
            })
            .collect()
    }

    /// Retention, or somebody who deletes records: the log begins at `before`.
    pub fn delete_before(&mut self, before: i64) {
        self.start = self.start.max(before.min(self.last_stable_offset()));
    }

    /// Records of transactions that were committed, those too that an open transaction before them still hides.
    pub fn decided(&self) -> impl Iterator<Item = &Stored> {
        let is_open = |entry: &Entry| {
            entry.producer.is_some_and(|producer| self.open.get(&producer).is_some_and(|first| *first <= entry.offset))
        };
        self.entries.iter().filter(move |entry| !is_open(entry) && !self.is_aborted(entry)).filter_map(|entry| {
            match &entry.body {
                Body::Data(record) => Some(record.as_ref()),
                Body::Control => None,
            }
        })
    }

    /// Of every key the last record below `until` stays; what was aborted goes, and control records with it. Nothing at
    /// or above the last stable offset is touched. `forgets_tombstones`: they have been there for long enough.
    pub fn compact(&mut self, until: i64, forgets_tombstones: bool) {
        let until = until.min(self.last_stable_offset());
        let mut kept = Vec::with_capacity(self.entries.len());
        let mut newer: BTreeSet<Vec<u8>> = BTreeSet::new();
        for entry in self.entries.iter().rev() {
            let stays = entry.offset >= until
                || match &entry.body {
                    Body::Control => false,
                    Body::Data(_) if self.is_aborted(entry) => false,
                    Body::Data(record) => match &record.key {
                        None => true,
                        Some(key) => newer.insert(key.clone()) && !(forgets_tombstones && record.value.is_none()),
                    },
                };
            if stays {
                kept.push(entry.clone());
            }
        }
        kept.reverse();
        self.entries = kept;
    }
}
