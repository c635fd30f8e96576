//! Records as they are written: the one source of both the decoder and the JSON Schemas.
//!
//! Every field is optional here, and a field of the wrong type is kept as such: [`super::decode`] says what is missing
//! or wrong by name, which a failed deserialization cannot. `null` is the same as an absent field.

pub mod activity;
pub mod field;
pub mod flight;
pub mod scalar;

pub use scalar::Scalar;

use super::rejection::{Code, Rejection};

/// The refusal of a field whose value is not one of those allowed.
#[cold]
pub(super) fn bad_field(name: &str, allowed: &str) -> Rejection {
    Rejection::decode(Code::BadField, format!("`{name}` must be {allowed}"))
}

/// The refusal of a record without a field that it needs.
#[cold]
pub(super) fn missing_field(name: &str, allowed: &str) -> Rejection {
    Rejection::decode(Code::MissingField, format!("`{name}` is missing: {allowed}"))
}
