//! Families that do not exist, with body clocks that are known.
//!
//! What cannot be had from real families, at any size: records as they would arrive, and beside them the true CBTmin of
//! everybody, to hold estimates against. The truth comes from an oscillator with a period, a light gain and an offset of the
//! person's own, driven by the light that they truly see. Records tell of that light only in part; the truth is never derived
//! from the records.
//!
//! [`records`], [`truth`] and [`outputs`] are streams, in order of time over all families: memory grows with the number of
//! families, not of days. They know no clock, no thread and no I/O, and the same [`Scenario`] gives the same bytes.
//!
//! Everything goes by models/simulate.toml. People sleep by habit with jitter; children nap by wake windows, now and then
//! not at all; some facts arrive hours late; families fly, and flights are delayed, cancelled, diverted. After landing, sleep
//! lies between the clock on the wall and the body's: mid-sleep = w wall + (1 − w) clock. Nobody follows any advice.
//!
//! [`Scenario::demo`] puts eight families with a script first: minutes after the live part begins, a nap that does not come, a
//! flight that is three hours late, and a day of other news.
//!
//! | file | what |
//! |---|---|
//! | [`scenario`] | what is to be simulated |
//! | `stream` | all families merged by time |
//! | `family`, `demo` | who lives together; the script of a demonstration |
//! | `person`, `habit` | age, habits, the true clock |
//! | `life`, `naps` | a day: decided, lived, written down |
//! | `booking`, `feed`, `travel` | journeys booked, flights told and flown, where that leaves somebody |
//! | `wire`, `pending` | the JSON, and its order |
//! | `numbers`, `places`, `interval`, `random` | what these rest on |

mod booking;
mod demo;
mod family;
mod feed;
mod habit;
mod interval;
mod life;
mod naps;
mod numbers;
mod pending;
mod person;
mod places;
pub(crate) mod random;
pub mod scenario;
mod stream;
mod travel;
mod wire;

#[cfg(test)]
mod tests;

pub use numbers::Rates;
pub use scenario::Scenario;
pub use stream::{Output, Outputs, SimulatedRecord, TruePhase, outputs, records, truth};
