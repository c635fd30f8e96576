//! The only place that names rdkafka: clients, the embedded cluster, topics.

pub mod client;
pub mod embedded;
pub mod feed;
pub mod native;
pub mod reader;
pub mod settings;
pub mod tail;
pub mod topics;
mod wire;

pub use client::KafkaLog;
pub use settings::Cluster;
