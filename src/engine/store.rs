//! The states of one partition: an arena in chunks, and a [`Table`] of where each lies.
//!
//! A growing map of inline values stalls for seconds while it moves millions of states; chunks never move.

use std::hash::{BuildHasher, Hasher};

use rustc_hash::FxBuildHasher;

use super::checkpoint::Written;
use super::processor::Unit;
use super::table::Table;
use crate::units::UtcMillis;

const CHUNK: usize = 1 << 10;

/// A state with what the partition notes about it.
#[derive(Debug)]
pub struct Slot<U> {
    pub unit: U,
    /// See [`Slot::scheduled`].
    scheduled: UtcMillis,
    /// The transaction that changed it last; tells a first touch from a later one.
    pub touched_in: u32,
    /// What the partition's totals hold of it.
    pub counted: Counted,
    /// Whether the state topic has it as it is.
    pub written: Written,
    /// After a restore: the offset up to which it was complete.
    pub complete_to: i64,
}

/// In place of a time, where a state does not stand in the calendar: half the size of an option.
const NOWHERE: UtcMillis = UtcMillis::MAX;

impl<U> Slot<U> {
    fn new(unit: U) -> Slot<U> {
        Slot {
            unit,
            scheduled: NOWHERE,
            touched_in: 0,
            counted: Counted::default(),
            written: Written::Yes,
            complete_to: 0,
        }
    }

    /// The time at which it stands in the calendar.
    #[must_use]
    pub fn scheduled(&self) -> Option<UtcMillis> {
        (self.scheduled != NOWHERE).then_some(self.scheduled)
    }

    pub fn set_scheduled(&mut self, due: Option<UtcMillis>) {
        self.scheduled = due.unwrap_or(NOWHERE);
    }
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
    table: Table,
    free: Vec<u32>,
    next: u32,
}

impl<U> Default for Store<U> {
    fn default() -> Self {
        Store { chunks: Vec::new(), table: Table::default(), free: Vec::new(), next: 0 }
    }
}

/// The hash by which [`Store::probable`] looks.
#[must_use]
pub fn hash_of(key: &[u8]) -> u32 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(key);
    (hasher.finish() >> 32) as u32
}

/// Spreads the stored 32 bits over the 64 that a table of hashbrown wants.
pub(super) fn widen(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl<U: Unit> Store<U> {
    #[must_use]
    pub fn find(&self, key: &str) -> Option<u32> {
        self.table.find(hash_of(key.as_bytes()), |index| self.get(index).is_some_and(|slot| slot.unit.has_key(key)))
    }

    /// A state whose key has this hash: nearly always the only one. Reads the table only.
    #[must_use]
    #[inline]
    pub fn probable(&self, hash: u32) -> Option<u32> {
        self.table.find(hash, |_| true)
    }

    /// Adds a state whose key is not in the store.
    pub fn insert(&mut self, unit: U) -> u32 {
        let hash = hash_of(unit.key().as_bytes());
        let slot = Some(Slot::new(unit));
        let index = if let Some(index) = self.free.pop() {
            self.chunks[index as usize / CHUNK][index as usize % CHUNK] = slot;
            index
        } else {
            let index = self.next;
            self.next += 1;
            if index as usize / CHUNK == self.chunks.len() {
                self.chunks.push(Vec::with_capacity(CHUNK));
            }
            self.chunks[index as usize / CHUNK].push(slot);
            index
        };
        self.table.insert(hash, index);
        index
    }

    pub fn remove(&mut self, index: u32) -> Option<U> {
        let slot = self.chunks.get_mut(index as usize / CHUNK)?.get_mut(index as usize % CHUNK)?.take()?;
        self.table.remove(hash_of(slot.unit.key().as_bytes()), index);
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
        self.table.len() == 0
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
        self.chunks.len() * CHUNK * size_of::<Option<Slot<U>>>() + self.table.heap_bytes()
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
