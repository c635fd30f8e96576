//! What other threads may ask the workers: which of them owns a partition, and what it knows of somebody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::Thread;

use dashmap::DashMap;
use tokio::sync::oneshot;

use super::missing::{Account, Missing};
use super::record::Topic;
use crate::event::recommendation::Estimate;

/// A question to the owner of a partition.
#[derive(Debug)]
pub enum Query {
    /// Estimates of a household, or of one of its people; empty where it is not known.
    Household { household: String, user: Option<String>, reply: oneshot::Sender<Vec<Estimate>> },
    /// Everybody in the partition, by household and user, a slice at a time: the worker must not stand still for long.
    Everybody { partition: i32, after: Option<String>, reply: oneshot::Sender<Slice> },
}

/// Some households of a partition.
#[derive(Debug, Default)]
pub struct Slice {
    pub estimates: Vec<Estimate>,
    /// The last household in it; `None`: there are no more after it.
    pub next_after: Option<String>,
}

/// A worker as others reach it.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub sender: mpsc::Sender<Query>,
    /// The worker sleeps between records; a question wakes it.
    pub thread: Thread,
}

impl Mailbox {
    /// `false` where the worker is gone.
    #[must_use]
    pub fn ask(&self, query: Query) -> bool {
        let sent = self.sender.send(query).is_ok();
        self.thread.unpark();
        sent
    }
}

#[derive(Clone, Debug)]
pub struct Owner {
    pub mailbox: Mailbox,
    /// States are complete; until then answers would be of the past.
    pub live: bool,
    pub progress: Progress,
}

/// What is left of a restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    #[default]
    Unknown,
    /// Records of the state topic still to be read.
    States { left: u64 },
    /// Records of the input still to be replayed.
    Records { left: u64 },
}

/// Sums over the partitions that are being restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restoring {
    pub partitions: u64,
    pub states: u64,
    pub records: u64,
}

/// The partitions that this process owns.
#[derive(Debug, Default)]
pub struct Directory {
    owners: DashMap<(Topic, i32), Owner>,
    /// What is missing in partitions that a worker will not go on with.
    refused: DashMap<(Topic, i32), Vec<Missing>>,
    /// Workers that have joined their group at least once.
    joined: DashMap<(Topic, usize), bool>,
    failed: AtomicBool,
    /// Inputs that can't be worked on as things stand, and why.
    doubts: DashMap<Topic, String>,
}

impl Directory {
    pub fn own(&self, topic: Topic, partition: i32, mailbox: Mailbox, live: bool) {
        self.owners.insert((topic, partition), Owner { mailbox, live, progress: Progress::Unknown });
    }

    pub fn set_live(&self, topic: Topic, partition: i32) {
        if let Some(mut owner) = self.owners.get_mut(&(topic, partition)) {
            owner.live = true;
        }
    }

    pub fn report(&self, topic: Topic, partition: i32, progress: Progress) {
        if let Some(mut owner) = self.owners.get_mut(&(topic, partition)) {
            owner.progress = progress;
        }
    }

    pub fn refuse(&self, topic: Topic, partition: i32, missing: &[Missing]) {
        self.refused.insert((topic, partition), missing.to_vec());
    }

    /// What stands in the way of this process.
    #[must_use]
    pub fn refused(&self) -> Account {
        let mut account = Account::default();
        for entry in &self.refused {
            let (topic, partition) = *entry.key();
            entry.iter().for_each(|missing| account.add(topic, partition, *missing));
        }
        account
    }

    /// A worker waits for its partitions, or for their states: more may have to be refused.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        let is_loading = |owner: &Owner| !owner.live && !matches!(owner.progress, Progress::Records { .. });
        self.joined.iter().any(|joined| !*joined)
            || self.owners.iter().any(|entry| is_loading(&entry) && !self.refused.contains_key(entry.key()))
    }

    pub fn disown(&self, topic: Topic, partition: i32) {
        self.refused.remove(&(topic, partition));
        self.owners.remove(&(topic, partition));
    }

    #[must_use]
    pub fn owner(&self, topic: Topic, partition: i32) -> Option<Owner> {
        self.owners.get(&(topic, partition)).map(|owner| owner.clone())
    }

    /// Owned partitions of a topic, in order.
    #[must_use]
    pub fn partitions(&self, topic: Topic) -> Vec<(i32, Owner)> {
        let mut partitions: Vec<(i32, Owner)> = self
            .owners
            .iter()
            .filter(|entry| entry.key().0 == topic)
            .map(|entry| (entry.key().1, entry.value().clone()))
            .collect();
        partitions.sort_by_key(|(partition, _)| *partition);
        partitions
    }

    /// A worker exists and has not joined its group yet.
    pub fn expect_worker(&self, topic: Topic, worker: usize) {
        self.joined.insert((topic, worker), false);
    }

    pub fn set_joined(&self, topic: Topic, worker: usize, joined: bool) {
        self.joined.insert((topic, worker), joined);
    }

    pub fn set_failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// `None`: nothing stands in the way of a topic's workers any more.
    pub fn set_doubt(&self, topic: Topic, why: Option<String>) {
        match why {
            Some(why) => drop(self.doubts.insert(topic, why)),
            None => drop(self.doubts.remove(&topic)),
        }
    }

    /// Topics that a topic's workers need are not what they were.
    #[must_use]
    pub fn is_in_doubt(&self, topic: Topic) -> bool {
        self.doubts.contains_key(&topic)
    }

    /// A worker ended with an error.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// What is left to be restored in this process.
    #[must_use]
    pub fn restoring(&self) -> Restoring {
        let mut restoring = Restoring::default();
        for owner in self.owners.iter().filter(|entry| !entry.live) {
            restoring.partitions += 1;
            match owner.progress {
                Progress::Unknown => {}
                Progress::States { left } => restoring.states += left,
                Progress::Records { left } => restoring.records += left,
            }
        }
        restoring
    }

    /// Why this process should not be asked yet; `None` when it is ready.
    #[must_use]
    pub fn not_ready(&self) -> Option<String> {
        if self.has_failed() {
            return Some("a worker has failed".to_owned());
        }
        if let Some(doubt) = self.doubts.iter().next() {
            return Some(doubt.clone());
        }
        let outside = self.joined.iter().filter(|entry| !*entry.value()).count();
        if outside > 0 {
            return Some(format!("{outside} workers are outside their group"));
        }
        let restoring = self.restoring();
        (restoring.partitions > 0).then(|| {
            format!(
                "{} partitions are being restored: {} stored states and {} records are left",
                restoring.partitions, restoring.states, restoring.records
            )
        })
    }
}
