//! Records with where they stood.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Headers, OwnedRecord, base64, present};
use crate::engine::{Position, Topic};
use crate::event::decode::time;
use crate::units::UtcMillis;

#[derive(Deserialize)]
struct EnvelopeWire<'a> {
    topic: Value,
    #[serde(default)]
    key: Value,
    key_base64: Option<String>,
    #[serde(default)]
    timestamp: Value,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    value_base64: Option<String>,
    #[serde(default)]
    partition: Option<i32>,
    #[serde(default)]
    offset: Option<i64>,
    #[serde(default, deserialize_with = "headers")]
    headers: Headers,
}

/// Reads `{"topic", "key", "timestamp", "value"}` with `partition`, `offset` and `headers` where they are given.
pub fn read(text: &str, line_offset: i64) -> Result<OwnedRecord, String> {
    let wire: EnvelopeWire<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let topic = wire.topic.as_str().and_then(topic_of);
    let topic =
        topic.ok_or("`topic` must be user_activity or flight_status, with or without a prefix that ends in a dot")?;
    let partition = wire.partition.unwrap_or(0);
    let offset = wire.offset.unwrap_or(line_offset);
    if partition < 0 || offset < 0 {
        return Err("`partition` and `offset` must be 0 or more".to_owned());
    }
    let key = match (wire.key, wire.key_base64) {
        (Value::Null, None) => None,
        (Value::String(key), None) => Some(key.into_bytes()),
        (Value::Null, Some(key)) => Some(base64::decode(&key).ok_or("`key_base64` must be padded Base64")?),
        _ => return Err("`key` must be a text, or null where there is none".to_owned()),
    };
    let value = match (wire.value, wire.value_base64) {
        (Some(value), None) => raw_value(value),
        (None, Some(value)) => Some(base64::decode(&value).ok_or("`value_base64` must be padded Base64")?),
        _ => return Err("one of `value` and `value_base64` is expected".to_owned()),
    };
    Ok(OwnedRecord {
        position: Position { topic, partition, offset },
        stamp: stamp(&wire.timestamp)?,
        key,
        value,
        headers: wire.headers,
    })
}

/// A topic by its role, whatever prefix an installation gives its names.
fn topic_of(name: &str) -> Option<Topic> {
    let role = name.rsplit('.').next().unwrap_or(name);
    [Topic::UserActivity, Topic::FlightStatus].into_iter().find(|topic| topic.as_str() == role)
}

/// RFC 3339 or milliseconds: the stamp of a record, other than a time in its payload, is never in seconds.
fn stamp(value: &Value) -> Result<UtcMillis, String> {
    let stamp = match value {
        Value::String(text) => time::rfc3339(text),
        Value::Number(number) => number.as_i64().map(UtcMillis),
        _ => None,
    };
    let plausible = stamp.filter(|stamp| (time::EARLIEST..time::TOO_LATE).contains(stamp));
    plausible.ok_or_else(|| "`timestamp` must be RFC 3339 or milliseconds since 1970, in 2000 to 2199".to_owned())
}

/// A text is the payload itself; `null` is none; anything else is JSON as it is written.
fn raw_value(value: &RawValue) -> Option<Vec<u8>> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(payload) => Some(payload.into_bytes()),
            // Escapes that make no character: to be refused later, as written.
            Err(_) => Some(text.as_bytes().to_vec()),
        },
        _ => Some(text.as_bytes().to_vec()),
    }
}

/// `{"name": "text"}`, or in order and with any bytes: `[["name", "text"], ["name", {"base64": "…"}], ["name", null]]`.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Headers, D::Error> {
    const ALLOWED: &str = "`headers` must be an object of texts, or an array of pairs of a name and a text, \
                           null or {\"base64\": …}";
    let malformed = || serde::de::Error::custom(ALLOWED);
    let pairs: Vec<(String, Value)> = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Object(object) => object.into_iter().collect(),
        array @ Value::Array(_) => serde_json::from_value(array).map_err(|_| malformed())?,
        _ => return Err(malformed()),
    };
    let headers: Option<Headers> =
        pairs.into_iter().map(|(name, value)| Some((name, header_value(&value)?.bytes))).collect();
    headers.ok_or_else(malformed)
}

/// A header's value: bytes, or none.
struct HeaderValue {
    bytes: Option<Vec<u8>>,
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    let bytes = match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Object(object) => Some(object.get("base64")?.as_str().and_then(base64::decode)?),
        _ => return None,
    };
    Some(HeaderValue { bytes })
}

pub fn write(record: &OwnedRecord) -> String {
    let mut line = Map::new();
    line.insert("topic".to_owned(), record.position.topic.as_str().into());
    line.insert("partition".to_owned(), record.position.partition.into());
    line.insert("offset".to_owned(), record.position.offset.into());
    // Whole and readable back whatever the stamp is.
    line.insert("timestamp".to_owned(), record.stamp.to_rfc3339().into());
    put_bytes(&mut line, "key", record.key.as_deref());
    put_bytes(&mut line, "value", record.value.as_deref());
    if !record.headers.is_empty() {
        line.insert("headers".to_owned(), write_headers(&record.headers));
    }
    Value::Object(line).to_string()
}

/// A text as it is; what is no text under a name that ends in `_base64`; `null` where there is nothing.
pub fn put_bytes(line: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => line.insert(name.to_owned(), Value::Null),
        Some((_, Ok(text))) => line.insert(name.to_owned(), text.into()),
        Some((bytes, Err(_))) => line.insert(format!("{name}_base64"), base64::encode(bytes).into()),
    };
}

/// In order, as pairs of a name and a text, `null`, or `{"base64": …}`.
#[must_use]
pub fn write_headers(headers: &[(String, Option<Vec<u8>>)]) -> Value {
    let value = |bytes: Option<&[u8]>| match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => Value::Null,
        Some((_, Ok(text))) => text.into(),
        Some((bytes, Err(_))) => json!({ "base64": base64::encode(bytes) }),
    };
    headers.iter().map(|(name, bytes)| json!([name, value(bytes.as_deref())])).collect()
}
