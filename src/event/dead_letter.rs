//! What is said of a record that could not be used.

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::decode::MAX_VALUE_BYTES;
use super::line::base64;
use super::recommendation::rfc3339;
use super::rejection::{Code, Rejection, Stage};
use crate::engine::Record;
use crate::units::UtcMillis;

/// A record that could not be used, and why: a line of `replay --dead-letters`. On Kafka the fields of `error` are
/// headers (`error.code` …), and key, value and headers are as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetter {
    /// Why, and where it stands.
    pub error: DeadLetterError,
    /// The record key. `null`: it had none, or is in `key_base64`.
    pub key: Option<String>,
    /// The record key, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_base64: Option<String>,
    /// The record's value as received; the first 64 KiB of one that is too large. `null`: it had none, or is in
    /// `value_base64`.
    pub value: Option<String>,
    /// The value, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
}

/// Why a record could not be used, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetterError {
    /// What is wrong.
    pub code: Code,
    /// Names the field and what is allowed; never a personal value.
    pub message: String,
    /// On Kafka as the cluster calls it, with the installation's prefix; of a replayed file `user_activity` or
    /// `flight_status`.
    pub topic: String,
    /// Partition of `topic`.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
    /// The record's own stamp.
    #[schemars(with = "rfc3339::Text")]
    #[serde(with = "rfc3339")]
    pub timestamp: UtcMillis,
    /// How far it got.
    pub stage: Stage,
    /// Full length of a value that is too large, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_bytes: Option<u64>,
    /// SHA-256 of a whole value that is too large, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_sha256: Option<String>,
}

impl DeadLetter {
    #[must_use]
    pub fn new(record: &Record<'_>, rejection: &Rejection) -> DeadLetter {
        let (key, key_base64) = text_or_base64(record.key);
        let (value, value_base64) = text_or_base64(record.value.map(kept));
        let error = DeadLetterError::new(record, rejection);
        DeadLetter { error, key, key_base64, value, value_base64 }
    }
}

impl DeadLetterError {
    #[must_use]
    pub fn new(record: &Record<'_>, rejection: &Rejection) -> DeadLetterError {
        let too_large = record.value.filter(|value| value.len() > MAX_VALUE_BYTES);
        DeadLetterError {
            code: rejection.code,
            message: rejection.message.clone(),
            topic: record.position.topic.as_str().to_owned(),
            partition: record.position.partition,
            offset: record.position.offset,
            timestamp: record.stamp,
            stage: rejection.stage,
            value_bytes: too_large.map(|value| value.len() as u64),
            value_sha256: too_large.map(hexadecimal_sha256),
        }
    }

    /// The same, with the topic as the cluster calls it.
    #[must_use]
    pub fn in_topic(self, name: &str) -> DeadLetterError {
        DeadLetterError { topic: name.to_owned(), ..self }
    }

    /// Names and values of the Kafka headers.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("error.code", self.code.as_str().to_owned()),
            ("error.message", self.message.clone()),
            ("error.topic", self.topic.clone()),
            ("error.partition", self.partition.to_string()),
            ("error.offset", self.offset.to_string()),
            ("error.timestamp", self.timestamp.to_rfc3339()),
            ("error.stage", self.stage.as_str().to_owned()),
        ];
        headers.extend(self.value_bytes.map(|bytes| ("error.value_bytes", bytes.to_string())));
        headers.extend(self.value_sha256.clone().map(|digest| ("error.value_sha256", digest)));
        headers
    }
}

/// The part of a value that a dead letter keeps: all of it, unless it is too large.
#[must_use]
pub fn kept(value: &[u8]) -> &[u8] {
    value.get(..MAX_VALUE_BYTES).unwrap_or(value)
}

fn text_or_base64(bytes: Option<&[u8]>) -> (Option<String>, Option<String>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => (None, None),
        Some((_, Ok(text))) => (Some(text.to_owned()), None),
        Some((bytes, Err(_))) => (None, Some(base64::encode(bytes))),
    }
}

fn hexadecimal_sha256(value: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(value).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Position, Topic};
    use crate::event::decode;

    fn letter(key: Option<&[u8]>, value: &[u8]) -> DeadLetter {
        let position = Position { topic: Topic::UserActivity, partition: 3, offset: 7 };
        let record = Record { position, stamp: UtcMillis(0), key, value: Some(value), origin: None };
        let rejection = decode::activity(&record).expect_err("a bad record");
        DeadLetter::new(&record, &rejection)
    }

    #[test]
    fn a_value_that_is_too_large_is_cut_and_identified() {
        let letter = letter(Some(b"h1"), &vec![b'x'; 70_000]);
        assert_eq!(letter.value.as_deref().map(str::len), Some(MAX_VALUE_BYTES));
        assert_eq!(letter.error.value_bytes, Some(70_000));
        let headers = letter.error.headers();
        assert_eq!(headers[0], ("error.code", "too_large".to_owned()));
        assert_eq!(headers[8].1.len(), 64);
    }

    #[test]
    fn what_is_not_text_is_kept_as_base64() {
        let letter = letter(Some(&[0xff]), &[0xfe]);
        assert_eq!((letter.key, letter.key_base64.as_deref()), (None, Some("/w==")));
        assert_eq!((letter.value, letter.value_base64.as_deref()), (None, Some("/g==")));
        assert_eq!(letter.error.value_bytes, None);
    }
}
