//! What a worker commits beside an offset: whose offset it is, and how far the record there has come.

use crate::units::UtcMillis;

/// Of an offset between two records. An offset without it was set by another hand: Kafka's own tools write none.
const BETWEEN_RECORDS: &str = "zoner";

/// The last timer that a moving record fired before its transaction ended; committed with the record's own offset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub due: UtcMillis,
    pub key: String,
}

impl Cursor {
    /// As the metadata of a committed offset; `None`: it stands between two records.
    #[must_use]
    pub fn metadata(cursor: Option<&Cursor>) -> String {
        cursor.map_or_else(|| BETWEEN_RECORDS.to_owned(), |cursor| format!("timers:{}:{}", cursor.due.0, cursor.key))
    }

    /// `None` where the metadata holds no cursor.
    #[must_use]
    pub fn from_metadata(metadata: &str) -> Option<Cursor> {
        let (due, key) = metadata.strip_prefix("timers:")?.split_once(':')?;
        Some(Cursor { due: UtcMillis(due.parse().ok()?), key: key.to_owned() })
    }
}

/// Whether a worker has committed the offset that this was found with.
#[must_use]
pub fn is_of_a_worker(metadata: &str) -> bool {
    metadata == BETWEEN_RECORDS || Cursor::from_metadata(metadata).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_of_a_worker_is_told_from_one_that_a_tool_has_set() {
        let cursor = Cursor { due: UtcMillis(-5), key: "a:household".to_owned() };
        let inside = Cursor::metadata(Some(&cursor));
        assert_eq!(Cursor::from_metadata(&inside), Some(cursor));
        let between = Cursor::metadata(None);
        assert_eq!(Cursor::from_metadata(&between), None);
        assert!(is_of_a_worker(&inside) && is_of_a_worker(&between));
        assert!(!is_of_a_worker("") && !is_of_a_worker("set by hand"));
    }
}
