//! A record as the engine sees it, whichever client it came from.

use serde::{Deserialize, Serialize};

use crate::units::UtcMillis;

/// The processors' input topics. Names on the wire are configuration; these are their roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    UserActivity,
    FlightStatus,
}

impl Topic {
    /// The name without an installation's prefix; the one that recommendations, dead letters and recordings carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Topic::UserActivity => "user_activity",
            Topic::FlightStatus => "flight_status",
        }
    }

    /// The processor that reads it.
    #[must_use]
    pub const fn processor(self) -> &'static str {
        match self {
            Topic::UserActivity => "travellers",
            Topic::FlightStatus => "flights",
        }
    }
}

/// A record of any topic, with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub partition: i32,
    pub offset: i64,
    pub stamp: UtcMillis,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// In order; a name may occur more than once.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Received {
    /// The value of a header: the last of that name that has one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().rev().find(|(known, _)| known == name)?.1.as_deref()
    }
}

/// Where a record stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
}

/// Where a forwarded record was first written (header `zoner.forwarded`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub partition: i32,
    pub offset: i64,
    /// The stamp by which `in_future` and precedence are judged.
    pub stamp: UtcMillis,
}

/// Header of a record that was moved to its own partition: topic, partition, offset and stamp (milliseconds) of the
/// original, separated by slashes.
pub const FORWARDED_HEADER: &str = "zoner.forwarded";

impl Origin {
    /// Reads the value of [`FORWARDED_HEADER`]; `None` where it does not have that form.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Origin> {
        let mut parts = std::str::from_utf8(header).ok()?.split('/').skip(1);
        let partition = parts.next()?.parse().ok()?;
        let offset = parts.next()?.parse().ok()?;
        let stamp = UtcMillis(parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Origin { partition, offset, stamp })
    }
}

/// A record with borrowed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub position: Position,
    pub stamp: UtcMillis,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Set where a worker moved the record to its own partition.
    pub origin: Option<Origin>,
}

impl Record<'_> {
    /// The stamp that the producer's record had: the original's, where this one was forwarded.
    #[must_use]
    pub fn judged_at(&self) -> UtcMillis {
        self.origin.map_or(self.stamp, |origin| origin.stamp)
    }
}
