//! The log as a worker uses it: a consumer in a group and a transactional producer, behind one trait.
//!
//! [`crate::kafka`] implements it on a real cluster. A model of Kafka can stand behind it as well, which is why nothing
//! here names a client.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::{Origin, Position, Record};
use crate::units::UtcMillis;

/// Something that the group did to this member. The member answers with [`Log::assign`] or [`Log::unassign`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    Assigned(Vec<i32>),
    /// `lost`: somebody else may own them already; nothing can be committed for them any more.
    Revoked {
        partitions: Vec<i32>,
        lost: bool,
    },
}

/// Where a partition's group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The next record to process.
    pub offset: i64,
    /// What was committed with it; empty where nothing was.
    pub metadata: String,
}

/// An offset to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub partition: i32,
    pub offset: i64,
    pub metadata: String,
}

/// First offset that exists, and the one after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub low: i64,
    pub high: i64,
}

/// Which topics a processor's input and its states are. A topic that is deleted and made anew keeps its name and gets another
/// id; empty where the cluster has none (brokers before 2.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicIds {
    pub input: String,
    pub states: String,
}

impl TopicIds {
    /// The input is known to be another.
    #[must_use]
    pub fn has_other_input(&self, now: &TopicIds) -> bool {
        differ(&self.input, &now.input)
    }

    /// The state topic is known to be another.
    #[must_use]
    pub fn has_other_states(&self, now: &TopicIds) -> bool {
        differ(&self.states, &now.states)
    }
}

fn differ(then: &str, now: &str) -> bool {
    !then.is_empty() && !now.is_empty() && then != now
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    UserActivity,
    FlightStatus,
    Recommendations,
    DeadLetters,
    /// The processor's own state topic.
    State,
}

/// A record to write inside the transaction.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    pub destination: Destination,
    /// `None`: the one that its key belongs to.
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// `None`: the time of writing.
    pub stamp: Option<UtcMillis>,
}

/// From where a partition that was taken over is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    pub partition: i32,
    pub offset: i64,
    /// Nothing is read before [`Log::resume`]: its states come first.
    pub paused: bool,
}

/// Why an operation of the log did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The transaction must be aborted; after that, work goes on.
    #[error("transaction must be aborted: {0}")]
    Abort(String),
    /// As [`LogError::Abort`], because the group has assigned its partitions anew since the transaction began. No fault: that
    /// happens whenever a member comes or goes.
    #[error("transaction must be aborted after a rebalance: {0}")]
    Regrouped(String),
    /// Another producer or member took over, or the group has given this member up: drop the clients and join again.
    #[error("fenced: {0}")]
    Fenced(String),
    /// The clients can't be used any more: drop them and join again.
    #[error("client failed: {0}")]
    Client(String),
    /// Joining again would fail the same way: the process ends and says why.
    #[error("{0}")]
    Fatal(String),
}

/// Records fetched together. They stay where the client put them.
pub trait Batch {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Without its origin: see [`Batch::origin`].
    fn record(&self, index: usize) -> Record<'_>;

    /// The record's own [`Record::position`], where that costs less.
    fn position(&self, index: usize) -> Position {
        self.record(index).position
    }

    /// The record's own [`Record::key`], where that costs less.
    fn key(&self, index: usize) -> Option<&[u8]> {
        self.record(index).key
    }

    /// Where a forwarded record was first written; reads its headers.
    fn origin(&self, index: usize) -> Option<Origin>;

    /// All headers as received; looked up only where they are needed.
    fn headers(&self, index: usize) -> Vec<(String, Option<Vec<u8>>)>;
}

pub trait Log {
    type Batch: Batch;

    /// The processor's input topic as the cluster calls it, with the installation's prefix.
    fn topic_name(&self) -> &str;

    /// Serves the group. Must be called often; never blocks for long.
    ///
    /// # Errors
    /// What ends this member.
    fn group_events(&mut self) -> Result<Vec<GroupEvent>, LogError>;

    /// Takes over partitions, each from an offset.
    ///
    /// # Errors
    /// The client refused.
    fn assign(&mut self, starts: &[Start]) -> Result<(), LogError>;

    /// Begins reading a partition that was taken over paused, from an offset.
    ///
    /// # Errors
    /// The client refused.
    fn resume(&mut self, partition: i32, offset: i64) -> Result<(), LogError>;

    /// Asks which topics the input and the states are at the moment.
    ///
    /// # Errors
    /// The cluster did not answer, or there is no such topic.
    fn topic_ids(&mut self) -> Result<TopicIds, LogError>;

    /// Asks how far a partition of the state topic reaches: its high watermark as of now, what open transactions hold back
    /// included. With less, the states would be older than the offsets that are committed with them.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn state_bounds(&mut self, partition: i32) -> Result<Bounds, LogError>;

    /// Begins reading a partition of the state topic.
    ///
    /// # Errors
    /// The client refused.
    fn open_state(&mut self, partition: i32, from: i64) -> Result<(), LogError>;

    /// Up to `max` committed records of the state partitions that are open, waiting for the first at most `wait`. Their
    /// positions name the processor's input topic, and offsets of the state topic.
    ///
    /// # Errors
    /// A partition can't be read.
    fn fetch_state(&mut self, max: usize, wait: Duration) -> Result<Self::Batch, LogError>;

    /// As [`Log::position`], of an open state partition.
    fn state_position(&self, partition: i32) -> Option<i64>;

    /// Ends reading a partition of the state topic.
    ///
    /// # Errors
    /// The client refused.
    fn close_state(&mut self, partition: i32) -> Result<(), LogError>;

    /// Gives partitions up.
    ///
    /// # Errors
    /// The client refused.
    fn unassign(&mut self, partitions: &[i32]) -> Result<(), LogError>;

    /// What the group has committed, in the order asked for; `None` where nothing was.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<Option<Committed>>, LogError>;

    /// Asks the cluster how far a partition reaches.
    ///
    /// # Errors
    /// The cluster did not answer.
    fn bounds(&mut self, partition: i32) -> Result<Bounds, LogError>;

    /// Up to `max` records that are there, waiting for the first at most `wait`.
    ///
    /// # Errors
    /// A partition can't be read.
    fn fetch(&mut self, max: usize, wait: Duration) -> Result<Self::Batch, LogError>;

    /// The offset after the last record handed out or passed over (control records count).
    fn position(&self, partition: i32) -> Option<i64>;

    /// The end of the partition as last seen, without asking.
    fn end(&self, partition: i32) -> Option<i64>;

    /// Reads partitions again from these offsets.
    ///
    /// # Errors
    /// The client refused.
    fn rewind(&mut self, offsets: &[(i32, i64)]) -> Result<(), LogError>;

    /// # Errors
    /// The producer can't be used.
    fn begin(&mut self) -> Result<(), LogError>;

    /// # Errors
    /// The producer can't be used.
    fn produce(&mut self, output: &Output<'_>) -> Result<(), LogError>;

    /// Offsets into the transaction, then commits it.
    ///
    /// # Errors
    /// [`LogError::Abort`] or [`LogError::Regrouped`] where aborting and reading again helps.
    fn commit(&mut self, offsets: &[Commit]) -> Result<(), LogError>;

    /// # Errors
    /// The producer can't be used any more.
    fn abort(&mut self) -> Result<(), LogError>;

    /// Writes the time into a partition, outside any transaction.
    ///
    /// # Errors
    /// The record could not be queued.
    fn tick(&mut self, partition: i32, at: UtcMillis) -> Result<(), LogError>;

    /// Ends membership; `leave` gives the partitions up at once, otherwise a static member keeps them for its return.
    fn close(self, leave: bool);
}
