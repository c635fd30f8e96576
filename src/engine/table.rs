//! Where the state of a key lies: a flat table of (hash, index), eight bytes a place.
//!
//! One look touches one line of memory, also where the key is new and is then put there: with a million keys each line
//! touched is waited for. The hash is kept beside the index, so neither growing nor passing over others looks at a state.
//! Knows nothing of states; which of several keys of one hash is meant, the caller says.

/// A place that holds nothing; no index is as large.
const EMPTY: u64 = u64::MAX;

/// Open addressing with linear probing; the places are a power of two, a quarter of them or more empty.
#[derive(Debug, Default)]
pub struct Table {
    /// Hash in the high half, index in the low one.
    places: Vec<u64>,
    length: usize,
}

impl Table {
    /// The first index under this hash for which `is_it` holds.
    #[inline]
    pub fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.place_of(hash, &mut is_it).map(|place| self.places[place] as u32)
    }

    /// Puts an index under a hash. It must not be there yet, and must be less than [`u32::MAX`].
    pub fn insert(&mut self, hash: u32, index: u32) {
        if (self.length + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        self.length += 1;
        let place = self.free_place(hash);
        self.places[place] = pack(hash, index);
    }

    /// Takes an index out; `false` where it is not under this hash.
    pub fn remove(&mut self, hash: u32, index: u32) -> bool {
        let Some(mut hole) = self.place_of(hash, &mut |other| other == index) else { return false };
        self.length -= 1;
        // What stands behind the hole without a break moves up, unless that would put it before its home.
        let mask = self.places.len() - 1;
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let entry = self.places[place];
            if entry == EMPTY {
                break;
            }
            let from_home = place.wrapping_sub(self.home(hash_in(entry))) & mask;
            let from_hole = place.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.places[hole] = entry;
                hole = place;
            }
        }
        self.places[hole] = EMPTY;
        true
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.places.capacity() * size_of::<u64>()
    }

    #[inline]
    fn place_of(&self, hash: u32, is_it: &mut impl FnMut(u32) -> bool) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        let mut place = self.home(hash);
        loop {
            let entry = *self.places.get(place)?;
            if entry == EMPTY {
                return None;
            }
            if hash_in(entry) == hash && is_it(entry as u32) {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
    }

    /// Where a hash is looked for first. The factor spreads the 32 bits over the highest of 64 (Knuth, The Art of Computer
    /// Programming 3, 6.4: multiplicative hashing).
    #[inline]
    fn home(&self, hash: u32) -> usize {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = self.places.len().trailing_zeros();
        (u64::from(hash).wrapping_mul(GOLDEN) >> (64 - bits)) as usize
    }

    fn free_place(&self, hash: u32) -> usize {
        let mask = self.places.len() - 1;
        let mut place = self.home(hash);
        while self.places[place] != EMPTY {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        const FIRST: usize = 16;
        let places = (self.places.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.places, vec![EMPTY; places]);
        for entry in before.into_iter().filter(|entry| *entry != EMPTY) {
            let place = self.free_place(hash_in(entry));
            self.places[place] = entry;
        }
    }
}

#[inline]
fn pack(hash: u32, index: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(index)
}

#[inline]
fn hash_in(entry: u64) -> u32 {
    (entry >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few hashes, so that many stand in one another's way, also around the end of the table.
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            steps in proptest::collection::vec((0u32..24, 0u32..200, any::<bool>()), 0..400),
            spread in prop_oneof![Just(1u32), Just(0x9999_9999)],
        ) {
            let mut table = Table::default();
            let mut model: BTreeMap<u32, u32> = BTreeMap::new();
            for (hash, index, is_insertion) in steps {
                let hash = hash.wrapping_mul(spread);
                if is_insertion && !model.contains_key(&index) {
                    table.insert(hash, index);
                    model.insert(index, hash);
                } else if !is_insertion {
                    let is_there = model.get(&index) == Some(&hash);
                    prop_assert_eq!(table.remove(hash, index), is_there);
                    if is_there {
                        model.remove(&index);
                    }
                }
                prop_assert_eq!(table.len(), model.len());
            }
            for index in 0..200 {
                for hash in (0..24u32).map(|hash| hash.wrapping_mul(spread)) {
                    let expected = (model.get(&index) == Some(&hash)).then_some(index);
                    prop_assert_eq!(table.find(hash, |other| other == index), expected);
                }
            }
        }
    }
}
