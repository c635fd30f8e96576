//! The states of one partition: an arena in chunks and a table of (hash, index).
//!
//! A growing map of inline values stalls for seconds while it moves millions of states; chunks never move, and the
//! table's entries are eight bytes.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::checkpoint::Written;
use super::processor::Unit;
use crate::units::UtcMillis;

const CHUNK: usize = 1 << 10;

/// A state with what the partition notes about it.
#[derive(Debug)]
pub struct Slot<U> {
    pub unit: U,
    /// The transaction that changed it last; tells a first touch from a later one.
    pub touched_in: u64,
    /// The time at which it stands in the calendar.
    pub scheduled: Option<UtcMillis>,
    /// What the partition's totals hold of it.
    pub counted: Counted,
    /// Whether the state topic has it as it is.
    pub written: Written,
    /// After a restore: the offset up to which it was complete.
    pub complete_to: i64,
}

/// A state's share of its partition's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub bytes: u32,
    pub travellers: u16,
    pub travelling: u16,
}

impl Counted {
    pub fn of<U: Unit>(unit: &U) -> Counted {
        let population = unit.population();
        Counted {
            bytes: u32::try_from(unit.resident_bytes()).unwrap_or(u32::MAX),
            travellers: u16::try_from(population.travellers).unwrap_or(u16::MAX),
            travelling: u16::try_from(population.travelling).unwrap_or(u16::MAX),
        }
    }
}

#[derive(Debug)]
pub struct Store<U> {
    chunks: Vec<Vec<Option<Slot<U>>>>,
    table: HashTable<(u32, u32)>,
    free: Vec<u32>,
    next: u32,
}

impl<U> Default for Store<U> {
    fn default() -> Self {
        Store { chunks: Vec::new(), table: HashTable::new(), free: Vec::new(), next: 0 }
    }
}

/// The hash by which [`Store::probable`] looks.
#[must_use]
pub fn hash_of(key: &[u8]) -> u32 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(key);
    (hasher.finish() >> 32) as u32
}

/// Spreads the stored 32 bits over the 64 that the table wants.
pub(super) fn widen(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<U: Unit> Store<U> {
    #[must_use]
    pub fn find(&self, key: &str) -> Option<u32> {
        let hash = hash_of(key.as_bytes());
        self.table
            .find(widen(hash), |(stored, index)| {
                *stored == hash && self.get(*index).is_some_and(|s| s.unit.key() == key)
            })
            .map(|(_, index)| *index)
    }

    /// A state whose key has this hash: nearly always the only one. Reads the table only.
    #[must_use]
    pub fn probable(&self, hash: u32) -> Option<u32> {
        self.table.find(widen(hash), |(stored, _)| *stored == hash).map(|(_, index)| *index)
    }

    /// Adds a state whose key is not in the store.
    pub fn insert(&mut self, unit: U) -> u32 {
        let hash = hash_of(unit.key().as_bytes());
        let index = self.free.pop().unwrap_or_else(|| {
            let index = self.next;
            self.next += 1;
            if index as usize / CHUNK == self.chunks.len() {
                self.chunks.push(Vec::with_capacity(CHUNK));
            }
            self.chunks[index as usize / CHUNK].push(None);
            index
        });
        self.chunks[index as usize / CHUNK][index as usize % CHUNK] = Some(Slot {
            unit,
            touched_in: 0,
            scheduled: None,
            counted: Counted::default(),
            written: Written::Yes,
            complete_to: 0,
        });
        self.table.insert_unique(widen(hash), (hash, index), |(stored, _)| widen(*stored));
        index
    }

    pub fn remove(&mut self, index: u32) -> Option<U> {
        let slot = self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?.take()?;
        let hash = hash_of(slot.unit.key().as_bytes());
        if let Ok(entry) = self.table.find_entry(widen(hash), |(_, stored_index)| *stored_index == index) {
            entry.remove();
        }
        self.free.push(index);
        Some(slot.unit)
    }

    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Slot<U>> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)?.as_ref()
    }

    pub fn get_mut(&mut self, index: u32) -> Option<&mut Slot<U>> {
        self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?.as_mut()
    }

    /// The key of a state; empty where there is none.
    #[must_use]
    pub fn key(&self, index: u32) -> &str {
        self.get(index).map_or("", |slot| slot.unit.key())
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Indices that are or were in use.
    #[must_use]
    pub fn places(&self) -> std::ops::Range<u32> {
        0..self.next
    }

    /// Every state, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &U> {
        self.chunks.iter().flatten().flatten().map(|slot| &slot.unit)
    }

    /// Bytes of the arena and the table, without what the states own on the heap.
    #[must_use]
    pub fn overhead_bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Option<Slot<U>>>() + self.table.capacity() * size_of::<(u32, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixtures::Tally;

    #[test]
    fn what_was_put_in_is_found_until_it_is_removed() {
        let mut store = Store::default();
        let indices: Vec<u32> = (0..5_000).map(|n| store.insert(Tally::new(&format!("h{n}"), 0))).collect();
        for (n, index) in indices.iter().enumerate() {
            let key = format!("h{n}");
            assert_eq!(store.find(&key), Some(*index));
            assert!(store.probable(hash_of(key.as_bytes())).is_some());
        }
        for n in (0..5_000).step_by(2) {
            store.remove(indices[n]);
        }
        assert_eq!(store.len(), 2_500);
        assert_eq!(store.find("h42"), None);
        assert_eq!(store.find("h43"), Some(indices[43]));
        let reused = store.insert(Tally::new("new", 0));
        assert!(reused < 5_000, "a freed place is used again");
        assert_eq!(store.find("new"), Some(reused));
    }
}
