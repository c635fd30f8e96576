//! What is checked of every record before its fields: size, encoding, JSON, and whose it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::engine::Record;
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::field::{Id, Text, is_id};
use crate::event::wire::{Scalar, bad_field, missing_field};
use crate::units::UtcMillis;

use super::{MAX_FUTURE, MAX_VALUE_BYTES};

/// The record's value as text that begins like a JSON object.
pub fn object_text<'a>(record: &Record<'a>) -> Result<&'a str, Rejection> {
    let value = record.value.unwrap_or_default();
    if value.len() > MAX_VALUE_BYTES {
        let message = format!("the value must be at most {MAX_VALUE_BYTES} bytes: it has {}", value.len());
        return Err(Rejection::decode(Code::TooLarge, message));
    }
    let text = std::str::from_utf8(value).map_err(|error| {
        let message = format!("the value must be UTF-8: byte {} is not", error.valid_up_to());
        Rejection::decode(Code::NotUtf8, message)
    })?;
    let first = text.bytes().find(|byte| !byte.is_ascii_whitespace());
    match first {
        // Checked here because an array would do for a struct.
        Some(b'{') => Ok(text),
        Some(_) => Err(Rejection::decode(Code::NotJson, "the value must be one JSON object")),
        None => Err(Rejection::decode(Code::NotJson, "the record has no value: one JSON object is expected")),
    }
}

/// What a failed deserialization says about the record. Never quotes the record.
#[cold]
pub fn unreadable(text: &str, error: &serde_json::Error) -> Rejection {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let (line, column) = (error.line(), error.column());
        let message = format!("the value must be one JSON object: it is not JSON at line {line}, column {column}");
        return Rejection::decode(Code::NotJson, message);
    }
    // JSON, and every field takes any value: what is left are repeated fields, of which serde names ours, numbers
    // beyond every range, and escapes that make no character.
    let reason = error.to_string();
    let repeated = reason.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
    let message = repeated.map_or_else(
        || {
            let (line, column) = (error.line(), error.column());
            format!("a number is out of range, or an escaped text is not Unicode, at line {line}, column {column}")
        },
        |field| format!("`{field}` must be given once"),
    );
    Rejection::decode(Code::BadField, message)
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    activity: Option<Text<'a>>,
}

/// The `activity` of a record, whatever else is in it. `None` where it has none.
pub fn activity_of(text: &str) -> Result<Option<Cow<'_, str>>, Rejection> {
    let tag: Tag<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    match tag.activity {
        None => Ok(None),
        Some(Text(Scalar::Text(name))) => Ok(Some(name)),
        Some(_) => Err(bad_field("activity", "a text")),
    }
}

/// The word that seems to be the record's activity, where it is easily found.
///
/// The record may turn out to be another one: the word may stand inside a text or deeper in the object.
pub fn guess_activity(text: &str) -> Option<&str> {
    const FIELD: &[u8; 10] = b"\"activity\"";
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FIELD));
    let bytes = text.as_bytes();
    let mut at = FINDER.find(bytes)? + FIELD.len();
    let mut skip = |wanted: u8| {
        while bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        at += 1;
        (bytes[at - 1] == wanted).then_some(at)
    };
    skip(b':')?;
    let start = skip(b'"')?;
    let length = bytes[start..].iter().position(|byte| *byte == b'"')?;
    text.get(start..start + length)
}

#[cold]
pub fn unknown_activity(allowed: &[&str]) -> Rejection {
    Rejection::decode(Code::UnknownActivity, format!("`activity` must be one of {}", allowed.join(", ")))
}

/// Refuses observations that are ahead of the record that tells of them.
pub fn observed(name: &str, time: UtcMillis, record_stamp: UtcMillis) -> Result<UtcMillis, Rejection> {
    if time.0.saturating_sub(record_stamp.0) > MAX_FUTURE.0 {
        let message = format!("`{name}` must be at most 5 minutes ahead of the record's own timestamp");
        return Err(Rejection::validate(Code::InFuture, message));
    }
    Ok(time)
}

/// The household that the record belongs to. The record key is the authority; without one it is `household_id`, else
/// `user_id`.
pub fn household<'a>(
    record: &Record<'a>,
    household_id: Option<&Id<'a>>,
    user_id: Option<&Cow<'a, str>>,
) -> Result<Cow<'a, str>, Rejection> {
    let key = key_text(record)?;
    if key.is_some_and(|key| !is_id(key)) {
        return Err(bad_field("record key", "a text of 1 to 128 bytes without control characters"));
    }
    let household_id = household_id.map(|id| id.read("household_id")).transpose()?;
    match (key, household_id) {
        (Some(key), Some(household_id)) if household_id != key => Err(mismatch("household_id")),
        (Some(key), _) => Ok(Cow::Borrowed(key)),
        (None, Some(household_id)) => Ok(household_id),
        (None, None) => user_id.cloned().ok_or_else(|| {
            let message = "the record has no key, and neither `household_id` nor `user_id` to take it from";
            Rejection::decode(Code::NoKey, message)
        }),
    }
}

/// The record key. An empty one counts as none.
pub fn key_text<'a>(record: &Record<'a>) -> Result<Option<&'a str>, Rejection> {
    let Some(key) = record.key.filter(|key| !key.is_empty()) else { return Ok(None) };
    let text =
        std::str::from_utf8(key).map_err(|_| Rejection::decode(Code::NotUtf8, "the record key must be UTF-8"))?;
    Ok(Some(text))
}

#[cold]
pub fn mismatch(name: &str) -> Rejection {
    Rejection::validate(Code::KeyMismatch, format!("`{name}` must equal the record key, or be left out"))
}

/// `activity` is missing.
#[cold]
pub fn no_activity(allowed: &[&str]) -> Rejection {
    missing_field("activity", &format!("it is one of {}", allowed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guess_finds_the_first_activity() {
        assert_eq!(guess_activity(r#"{"activity":"meal"}"#), Some("meal"));
        assert_eq!(guess_activity(r#"{"user_id": 1, "activity" :  "sleep", "x": 2}"#), Some("sleep"));
        assert_eq!(guess_activity(r#"{"activity":7}"#), None);
        assert_eq!(guess_activity(r#"{"activity""#), None);
        assert_eq!(guess_activity(r#"{"activity":"meal"#), None);
        assert_eq!(guess_activity(r#"{"user_id":"a"}"#), None);
        assert_eq!(guess_activity(""), None);
    }
}
