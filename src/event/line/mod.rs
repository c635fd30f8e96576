//! Lines of a replay file and of a recording.
//!
//! A line is a record with where it stood (`topic`, `key`, `timestamp`, `value`), or, for people who write files by
//! hand, a bare activity or flight status. [`OwnedRecord::to_line`] writes the first form, which reads back to the
//! same bytes.

mod bare;
pub mod base64;
mod envelope;

#[cfg(test)]
mod tests;

pub use envelope::{put_bytes as bytes_json, write_headers as headers_json};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::engine::placement::Placement;
use crate::engine::record::{FORWARDED_HEADER, Origin};
use crate::engine::{Position, Record, Topic};
use crate::units::UtcMillis;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The first line of a recording.
    Recording(RecordingHeader),
    Record(OwnedRecord),
}

/// How the topics of a recording were laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingHeader {
    /// Of each input topic.
    pub partitions: i32,
    pub placement: Placement,
}

/// A record that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedRecord {
    pub position: Position,
    /// [`UNTIMED`] where neither the line nor one before it has a time.
    pub stamp: UtcMillis,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// In order; a name may occur more than once.
    pub headers: Headers,
}

/// Names and values of a record's headers.
pub type Headers = Vec<(String, Option<Vec<u8>>)>;

/// The stamp of a bare line without a time and without a line before it that has one (a profile at the top of a
/// file). It should get the stamp of the first record that has one.
pub const UNTIMED: UtcMillis = UtcMillis::MIN;

/// Why a line is neither a record nor something that could be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LineError {
    /// As counted by the caller.
    pub line: u64,
    pub message: String,
}

/// Reads one line. Blank lines are for the caller to skip.
///
/// `number` is named in errors, and is the offset of a record whose line gives none. `previous` is the stamp of the
/// record before; a bare profile or trip that has no time of its own takes it.
///
/// What is no JSON object, or not even JSON, is a record of `user_activity` as it stands, so that it is refused like
/// any other bad record.
///
/// # Errors
/// Where the line begins a recording or a record with its `topic`, and something is wrong with that form.
pub fn parse_line(line: &[u8], number: u64, previous: Option<UtcMillis>) -> Result<Line, LineError> {
    let error = |message: String| LineError { line: number, message };
    let offset = i64::try_from(number).unwrap_or(i64::MAX);
    let Some(text) = std::str::from_utf8(line).ok().filter(|text| text.trim_start().starts_with('{')) else {
        return Ok(Line::Record(raw(line, offset, previous)));
    };
    match serde_json::from_str::<Shape<'_>>(text) {
        Ok(Shape { recording: Some(header), .. }) => {
            let header = recording_header(header).map_err(error)?;
            Ok(Line::Recording(header))
        }
        Ok(shape) if shape.topic.is_some() && (shape.value.is_some() || shape.value_base64.is_some()) => {
            envelope::read(text, offset).map(Line::Record).map_err(error)
        }
        Ok(_) => Ok(Line::Record(bare::read(text, offset, previous))),
        // A recording that was cut off in the middle of a line.
        Err(problem) if text.trim_start().starts_with("{\"topic\"") => {
            Err(error(format!("a record with `topic`, `key`, `timestamp` and `value` is expected: {problem}")))
        }
        Err(_) => Ok(Line::Record(raw(line, offset, previous))),
    }
}

/// What tells the forms apart; `null` is present too.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    recording: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    topic: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    value_base64: Option<&'a RawValue>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn recording_header(header: &RawValue) -> Result<RecordingHeader, String> {
    let parsed = serde_json::from_str::<RecordingHeader>(header.get()).ok().filter(|header| header.partitions > 0);
    parsed.ok_or_else(|| {
        "`recording` must be an object with `partitions` above 0 and `placement`, murmur2 or crc32".to_owned()
    })
}

fn raw(line: &[u8], offset: i64, previous: Option<UtcMillis>) -> OwnedRecord {
    OwnedRecord {
        position: Position { topic: Topic::UserActivity, partition: 0, offset },
        stamp: previous.unwrap_or(UNTIMED),
        key: None,
        value: Some(line.to_vec()),
        headers: Vec::new(),
    }
}

impl RecordingHeader {
    /// The first line of a recording, without a line end.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!(r#"{{"recording":{{"partitions":{},"placement":"{}"}}}}"#, self.partitions, self.placement)
    }
}

impl OwnedRecord {
    /// The record as the core takes it.
    #[must_use]
    pub fn as_record(&self) -> Record<'_> {
        Record {
            position: self.position,
            stamp: self.stamp,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            origin: self.origin(),
        }
    }

    /// Where a forwarded record was first written.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        // The last one, as live: what a producer wrote under that name stands before what the engine did.
        let (_, value) = self.headers.iter().rev().find(|(name, _)| name == FORWARDED_HEADER)?;
        Origin::parse(value.as_deref()?)
    }

    /// One line without its end, which [`parse_line`] reads back to an equal record.
    #[must_use]
    pub fn to_line(&self) -> String {
        envelope::write(self)
    }
}
