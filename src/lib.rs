//! Zoner repairs a travelling family's plan the moment a nap is missed or a flight changes.
//!
//! One crate, two halves. The **core** is pure: a state, an event and a time in; a new state and a list of effects
//! out. It knows no Kafka, no clock, no thread and no randomness, so that a partition replayed from its log gives the
//! same bytes as it gave live.
//!
//! | core module | what it is for |
//! |---|---|
//! | [`units`] | times, hours, lux, radians: what crosses module borders |
//! | [`rare`] | lists in which most have nothing |
//! | [`event`] | the wire contract: activities, flight status, recommendations, decoding, bad input |
//! | [`circadian`] | light, the oscillator, body-clock markers |
//! | [`flight`] | airports, time zones, flight status merged from its feeds |
//! | [`traveller`] | one person's facts, clock and naps |
//! | [`planner`] | what to do until the body clock has arrived, and how to say it |
//! | [`household`] | people planned together: the unit of state of the `travellers` processor |
//!
//! The **engine** around it does all I/O.
//!
//! | engine module | what it is for |
//! |---|---|
//! | [`engine`] | a worker: partitions, stream time, timers, transactions |
//! | [`replay`] | the same core over a file |
//! | [`copy`] | a topic played again into another: order, time, place |
//! | [`dead_letters`] | what could not be used: what each letter says, and where it may go back to |
//! | [`diff`] | where two collections of recommendations differ |
//! | [`service`] | the workers of a process |
//! | [`models`] | the parameter files that are part of the program |
//! | [`settings`] | configuration in layers |
//! | [`simulate`] | families with known true phases |
//! | [`evaluate`] | what can be measured without Kafka |
//! | [`kafka`] | the only place that names rdkafka |
//! | [`http`] | metrics, health, questions about a traveller |
//! | [`telemetry`] | every metric's name and description |
//! | [`cli`] | one file a command |
#![deny(unsafe_code)]

pub mod circadian;
pub mod cli;
pub mod copy;
pub mod dead_letters;
pub mod diff;
pub mod engine;
pub mod evaluate;
pub mod event;
pub mod flight;
pub mod household;
pub mod http;
pub mod kafka;
pub mod models;
pub mod planner;
pub mod rare;
pub mod replay;
pub mod service;
pub mod settings;
pub mod simulate;
pub mod telemetry;
pub mod traveller;
pub mod units;
