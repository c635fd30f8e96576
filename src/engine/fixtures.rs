//! A unit of state for the tests of what the engine does with any.

use serde::{Deserialize, Serialize};

use super::processor::{Population, Unit};
use crate::units::UtcMillis;

/// So many of something, by a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub name: String,
    pub count: u64,
}

impl Tally {
    pub fn new(name: &str, count: u64) -> Tally {
        Tally { name: name.to_owned(), count }
    }
}

impl Unit for Tally {
    const SCHEMA: u16 = 1;

    fn key(&self) -> &str {
        &self.name
    }
    fn next_due(&self) -> Option<UtcMillis> {
        None
    }
    fn is_vacant(&self) -> bool {
        false
    }
    fn population(&self) -> Population {
        Population::default()
    }
    fn resident_bytes(&self) -> usize {
        self.name.len()
    }
}
