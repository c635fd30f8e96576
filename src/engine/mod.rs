//! The stateful worker: one OS thread that owns partitions, their states, timers and one transactional producer.
//!
//! Knows records, transactions and time; knows neither what the states mean ([`Processor`]) nor which client carries
//! the bytes ([`log::Log`], implemented by [`crate::kafka`]).

pub mod calendar;
pub mod checkpoint;
pub mod clock;
pub mod codec;
pub mod cursor;
pub mod directory;
pub mod effects;
#[cfg(test)]
mod fixtures;
mod latest;
pub mod log;
pub mod missing;
pub mod outbox;
mod ownership;
pub mod partition;
pub mod placement;
mod prefetch;
pub mod processor;
pub mod record;
mod recovery;
pub mod store;
mod table;
mod undo;
pub mod worker;

pub use effects::{Effect, Effects};
pub use processor::{Decoded, Moment, Processor, Unit};
pub use record::{Position, Record, Topic};
