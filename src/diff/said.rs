//! One recommendation or estimate, as far as comparing needs it.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Whom it is said to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traveller {
    pub household: String,
    pub user: String,
}

/// One line or record.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub traveller: Traveller,
    /// Of all its content, whatever the order of its fields.
    pub digest: u128,
    /// Without where the cause stood in the log: a copy of the log has other offsets.
    pub value: Value,
    pub is_estimate: bool,
}

/// Why a line can't be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSaid {
    #[error("it can't be read: {0}")]
    Unreadable(String),
    /// What a record of activity or a flight status is: it may have a household and a user as well.
    #[error(
        "neither a recommendation nor an estimate: `household_id` and either `recommendation_id` and `user_id` or `estimate_of` are expected"
    )]
    Another,
}

impl Said {
    /// Reads a line; `None` for a blank one.
    ///
    /// # Errors
    /// It is neither a recommendation nor an estimate.
    pub fn parse(line: &[u8]) -> Result<Option<Said>, NotSaid> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let mut value: Value = serde_json::from_slice(line).map_err(|error| NotSaid::Unreadable(error.to_string()))?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let estimate_of = text("estimate_of");
        let is_estimate = estimate_of.is_some();
        let user = estimate_of.or_else(|| text("recommendation_id").and_then(|_| text("user_id")));
        let (Some(household), Some(user)) = (text("household_id"), user) else { return Err(NotSaid::Another) };
        if let Some(cause) = value.get_mut("cause").and_then(Value::as_object_mut) {
            for place in ["topic", "partition", "offset"] {
                cause.shift_remove(place);
            }
        }
        let mut hasher = Sha256::new();
        hash(&value, &mut hasher);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize()[..16]);
        let traveller = Traveller { household, user };
        Ok(Some(Said { traveller, digest: u128::from_be_bytes(digest), value, is_estimate }))
    }

    /// A text field, or nothing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// What made it necessary.
    #[must_use]
    pub fn cause(&self) -> [&str; 4] {
        let cause = |name: &str| self.value["cause"][name].as_str().unwrap_or_default();
        [self.text("reason"), cause("activity"), cause("kind"), cause("at")]
    }
}

/// Fields by name; lengths before contents, so that no two values run together to the same bytes.
fn hash(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let text = value.to_string();
            hasher.update([b'v', text.len() as u8]);
            hasher.update(text);
        }
        Value::String(text) => {
            hasher.update([b's']);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        Value::Array(elements) => {
            hasher.update([b'a']);
            hasher.update((elements.len() as u64).to_be_bytes());
            for element in elements {
                hash(element, hasher);
            }
        }
        Value::Object(fields) => {
            hasher.update([b'o']);
            hasher.update((fields.len() as u64).to_be_bytes());
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in fields {
                hasher.update((name.len() as u64).to_be_bytes());
                hasher.update(name);
                hash(value, hasher);
            }
        }
    }
}
