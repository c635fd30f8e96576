//! What can be measured without Kafka: numbers derived by simulation, and the core held against known truths.
//!
//! Nothing here is read by the service while it runs.

pub mod estimator;
pub mod priors;
