//! The service on a real Kafka, from outside: topics, processes, signals, and subscribers of other makes.
//!
//! `dev/test` starts a Kafka for these tests and says where it is. By hand: `dev/kafka up`, then
//! `ZONER_TEST_KAFKA=HOST:PORT cargo test --release --test kafka`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;

mod history;
#[path = "../simulation/kafka_model/mod.rs"]
mod kafka_model;
#[path = "../simulation/random.rs"]
mod random;

mod comparison;
mod installation;
mod member;
mod own_kafka;
mod proxy;
mod reading;
mod subscribers;

mod bad_records;
mod brokers;
mod checkpoints;
mod closing;
mod commands;
mod copies;
mod crashes;
mod first_producers;
mod flights;
mod letters;
mod model;
mod naps;
mod outage;
mod ownerless;
mod refusals;
mod remade;
