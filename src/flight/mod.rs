//! Airports, time zones and what is known of a flight.
//!
//! | module | what it is for |
//! |---|---|
//! | [`zones`] | when local clocks change: every question about local time goes there |
//! | [`airports`] | IATA code to place and zone |
//! | [`merge`] | one status from the reports of many feeds, in any order |
//! | [`processor`] | the `flights` processor: who watches which flight, and who is told |
//! | [`daylight`] | where the sun stands |
//! | [`connection`] | whether there is time to change from one flight to the next |
//! | [`itinerary`] | what a status means for a leg that somebody booked |
//!
//! Pure: knows the wire contract ([`crate::event`]) and the engine's seam; no Kafka, no clock.

pub mod airports;
pub mod connection;
pub mod daylight;
pub mod itinerary;
pub mod merge;
pub mod processor;
pub mod zones;

pub use airports::Airport;
pub use itinerary::{LegFate, LegNews, LegStanding, LegTimes};
pub use processor::{Flight, Flights};
pub use zones::LocalTime;
