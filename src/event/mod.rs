//! The wire contract: what outsiders write and read, and the codes of what cannot be used.
//!
//! Knows JSON and the airport and zone tables (to check names); knows nothing of Kafka, of states or of time passing.

pub mod activity;
pub mod dead_letter;
pub mod decode;
pub mod encode;
pub mod flight;
pub mod line;
pub mod recommendation;
pub mod rejection;
pub mod schema;
pub mod wire;

pub use activity::{Activity, ActivityEvent};
pub use flight::{FlightKey, FlightState, FlightStatus};
pub use recommendation::Recommendation;
pub use rejection::{Code, Rejection};
