//! What a running process answers: metrics, health, and what it knows of a traveller.
//!
//! Runs on tokio, beside the workers; asks them by message and never touches a state.

mod problem;
pub mod routes;

pub use routes::{Answers, CLUSTER, GROUP, PARTITION_COUNT, PARTITIONS, serve};
