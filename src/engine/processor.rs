//! The seam between the engine and the pure core: what a processor must say about its records and its states.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::effects::Effects;
use super::record::{Position, Record, Topic};
use crate::event::recommendation::Estimate;
use crate::event::rejection::Rejection;
use crate::units::UtcMillis;

/// What a state may know of the record or timer that changes it. Nothing here comes from a wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Stream time of the partition; while a timer fires, its due time.
    pub now: UtcMillis,
    /// The record's own stamp before any forwarding: `in_future` and precedence are judged by it.
    pub judged_at: UtcMillis,
    /// The record applied, or the one that moved time past the timer. `None` where nothing stands behind the
    /// time (`replay --until`).
    pub position: Option<Position>,
}

/// A decoded record and whose state it concerns.
#[derive(Clone, Debug)]
pub struct Decoded<'a, E> {
    /// Household id or flight key. `None`: the record concerns no state (a tick).
    pub key: Option<Cow<'a, str>>,
    /// Written by the engine: exempt from placement.
    pub internal: bool,
    /// Metric label.
    pub name: &'static str,
    pub event: E,
}

/// A pure state machine over the records of one topic.
pub trait Processor: Send + Sync + 'static {
    type Unit: Unit;
    type Event<'a>;

    /// `travellers` or `flights`.
    const NAME: &'static str;
    const INPUT: Topic;

    /// Bytes to an event. Depends on nothing but the record.
    ///
    /// # Errors
    /// What is wrong with the record, for the dead letters.
    fn decode<'a>(&self, record: &Record<'a>) -> Result<Decoded<'a, Self::Event<'a>>, Rejection>;

    fn new_unit(&self, key: &str) -> Self::Unit;

    /// Whether [`Moment::judged_at`] makes a difference to this event. Where it does not, a forwarded record's headers
    /// are not looked at.
    fn asks_for_origin(&self, _unit: &Self::Unit, _event: &Self::Event<'_>) -> bool {
        true
    }

    /// Changes a state by an event.
    fn apply(&self, unit: &mut Self::Unit, event: Self::Event<'_>, moment: &Moment, effects: &mut Effects);

    /// Changes a state by an event so small that it can be taken back by [`Processor::revert`]: no copy of the state is
    /// kept for it. It must do what [`Processor::apply`] would, and touch no timer. `None`: nothing was changed, the event
    /// is not of that kind.
    fn apply_small(&self, _unit: &mut Self::Unit, _event: &Self::Event<'_>, _moment: &Moment) -> Option<Small> {
        None
    }

    /// Takes back a small change, the latest first.
    fn revert(&self, _unit: &mut Self::Unit, _revert: Revert) {}

    /// Fires the unit's first due timer, the one at `unit.next_due()`; by user, then kind, where several are due at
    /// once. `moment.now` is its due time. That timer must not be due again at the same time.
    fn fire(&self, unit: &mut Self::Unit, moment: &Moment, effects: &mut Effects);

    /// Estimates of everybody in the unit as of `at`, by user id; only those of `user` where one is given.
    fn estimates(&self, unit: &Self::Unit, user: Option<&str>, at: UtcMillis) -> Vec<Estimate>;
}

/// What a small change was, as its processor writes it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revert(pub u64);

/// Outcome of [`Processor::apply_small`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Small {
    /// The event was known already.
    Unchanged,
    Changed {
        revert: Revert,
        /// Heap bytes that the state has gained.
        grown: u32,
    },
}

/// What influences one another and is therefore kept, copied and restored together.
pub trait Unit: Clone + Send + Serialize + DeserializeOwned + 'static {
    /// Version of its serialised form. A change of that form needs the next number, an [`Unit::upgrade`] from the last
    /// one, and a golden file.
    const SCHEMA: u16;

    /// Brings the bytes of a state of version `from` to version `from + 1`.
    ///
    /// # Errors
    /// The bytes are not of that version.
    fn upgrade(from: u16, _state: &[u8]) -> Result<Vec<u8>, String> {
        Err(format!("this program has no way up from state version {from}"))
    }

    fn key(&self) -> &str;

    /// Whether this is its key.
    fn has_key(&self, key: &str) -> bool {
        self.key() == key
    }

    /// When its first timer is due.
    fn next_due(&self) -> Option<UtcMillis>;

    /// Nothing left to remember: the store may forget it.
    fn is_vacant(&self) -> bool;

    /// People in it, and how many of them are on a journey now.
    fn population(&self) -> Population;

    /// Heap and inline bytes, for the `state_bytes` metric.
    fn resident_bytes(&self) -> usize;

    /// Reads a little of all that the most frequent events touch, so that it is in the cache when they come; follows no
    /// pointer. The result means nothing.
    fn glance(&self) -> u64 {
        0
    }

    /// The same for what lies behind a pointer.
    fn glance_deeper(&self) -> u64 {
        0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    pub travellers: u32,
    pub travelling: u32,
}
