//! A short text kept in place: ids are mostly shorter than a heap allocation's own overhead.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that fit in place: 24 bytes in all, as many as a `String` has before its text.
const IN_PLACE: usize = 22;

/// An immutable text; up to 22 bytes of it need no allocation.
#[derive(Clone)]
pub struct Name(Kept);

#[derive(Clone)]
enum Kept {
    Here { length: u8, bytes: [u8; IN_PLACE] },
    There(Box<str>),
}

impl Name {
    #[must_use]
    pub fn new(text: &str) -> Name {
        let mut bytes = [0; IN_PLACE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Name(Kept::Here { length, bytes })
            }
            _ => Name(Kept::There(text.into())),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Always the bytes of a `str`: `new` puts nothing else in.
            Kept::Here { length, bytes } => std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or(""),
            Kept::There(text) => text,
        }
    }

    /// Compares without looking at the text as text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Here { length, bytes } => &bytes[..usize::from(*length)],
            Kept::There(text) => text.as_bytes(),
        }
    }

    /// Length of a text kept in place, otherwise 0; follows no pointer.
    #[must_use]
    pub fn short_length(&self) -> u8 {
        match &self.0 {
            Kept::Here { length, .. } => *length,
            Kept::There(_) => 0,
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Here { .. } => 0,
            Kept::There(text) => text.len(),
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        Ok(Name::new(&std::borrow::Cow::<'de, str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_come_back_as_they_were() {
        for text in ["", "mia", "0123456789012345678901", "01234567890123456789012", "Zoë–Anaïs and her brothers"] {
            let name = Name::new(text);
            assert_eq!(name.as_str(), text);
            assert_eq!(name.heap_bytes(), if text.len() <= 22 { 0 } else { text.len() });
        }
        assert_eq!(size_of::<Name>(), 24);
    }
}
