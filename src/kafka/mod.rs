//! The only place that names rdkafka: clients, the embedded cluster, topics.

pub mod client;
pub mod embedded;
pub mod feed;
mod group;
mod identity;
mod instance;
pub mod knock;
pub mod markers;
pub mod native;
mod producers;
pub mod properties;
pub mod reader;
mod repeats;
pub mod scan;
pub mod settings;
mod states;
pub mod tail;
pub mod topics;
mod wire;
pub mod writer;

pub use client::KafkaLog;
pub use settings::Cluster;

/// What went wrong, without values of properties, which may be secrets.
#[must_use]
pub fn describe(error: &rdkafka::error::KafkaError) -> String {
    match error {
        rdkafka::error::KafkaError::ClientConfig(_, description, _, value) if !value.is_empty() => {
            description.replace(value.as_str(), "****")
        }
        rdkafka::error::KafkaError::ClientConfig(_, description, ..) => description.clone(),
        other => other.to_string(),
    }
}
