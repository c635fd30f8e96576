//! A list of 32-bit words, the first few of them without an allocation.

use serde::{Deserialize, Serialize};

/// Words of the first allocation.
const FIRST_ON_THE_HEAP: usize = 12;

/// Words that fit in place.
const FEW: usize = 7;

/// A growing list of words. Most people whose only reports are a watch's light never need the heap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<u32>", into = "Vec<u32>")]
pub struct Words(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Few { length: u8, words: [u32; FEW] },
    Many(Vec<u32>),
}

impl Words {
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        match &self.0 {
            Kept::Few { length, words } => &words[..usize::from(*length)],
            Kept::Many(words) => words,
        }
    }

    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u32] {
        match &mut self.0 {
            Kept::Few { length, words } => &mut words[..usize::from(*length)],
            Kept::Many(words) => words,
        }
    }

    /// # Panics
    /// If `place` is beyond the end, as for a vector.
    pub fn insert(&mut self, place: usize, word: u32) {
        match &mut self.0 {
            Kept::Few { length, words } if usize::from(*length) < FEW => {
                let end = usize::from(*length);
                words.copy_within(place..end, place + 1);
                words[place] = word;
                *length += 1;
            }
            Kept::Few { words, .. } => {
                let mut many = Vec::with_capacity(FIRST_ON_THE_HEAP);
                many.extend_from_slice(words);
                many.insert(place, word);
                self.0 = Kept::Many(many);
            }
            Kept::Many(words) => {
                if words.len() == words.capacity() {
                    // By little, not to the double: memory is dearer here than copying.
                    words.reserve_exact(room_for(words.len() + 1) - words.len());
                }
                words.insert(place, word);
            }
        }
    }

    /// # Panics
    /// If there is no word at `place`, as for a vector.
    pub fn remove(&mut self, place: usize) {
        match &mut self.0 {
            Kept::Few { length, words } => {
                let end = usize::from(*length);
                assert!(place < end, "no word at {place} of {end}");
                words.copy_within(place + 1..end, place);
                *length -= 1;
            }
            Kept::Many(words) => {
                words.remove(place);
            }
        }
    }

    /// Takes the first `count` out.
    pub fn remove_first(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let left = &self.as_slice()[count..];
        if left.len() <= FEW {
            *self = left.to_vec().into();
        } else if let Kept::Many(words) = &mut self.0 {
            words.drain(..count);
            words.shrink_to(room_for(words.len()));
        }
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Kept::Few { .. } => 0,
            Kept::Many(words) => words.capacity() * size_of::<u32>(),
        }
    }
}

/// Capacity for a list on the heap: allocators keep four sizes to a doubling, and what lies between is lost.
fn room_for(length: usize) -> usize {
    let doubling = 1 << length.max(1).ilog2();
    length.next_multiple_of(usize::max(doubling / 4, 4))
}

impl Default for Words {
    fn default() -> Words {
        Words(Kept::Few { length: 0, words: [0; FEW] })
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Words) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Words {}

impl From<Vec<u32>> for Words {
    fn from(list: Vec<u32>) -> Words {
        if list.len() > FEW {
            return Words(Kept::Many(list));
        }
        let mut words = [0; FEW];
        words[..list.len()].copy_from_slice(&list);
        Words(Kept::Few { length: list.len() as u8, words })
    }
}

impl From<Words> for Vec<u32> {
    fn from(words: Words) -> Vec<u32> {
        words.as_slice().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_as_small_as_it_can_be() {
        assert_eq!(size_of::<Words>(), 32);
        let words = Words::from((0..7).collect::<Vec<u32>>());
        assert_eq!(words.heap_bytes(), 0);
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_vector(steps in proptest::collection::vec((any::<u32>(), 0u8..8), 0..60)) {
            let mut words = Words::default();
            let mut vector: Vec<u32> = Vec::new();
            for (word, action) in steps {
                let place = word as usize % (vector.len() + 1);
                if action == 0 {
                    words.remove_first(place);
                    vector.drain(..place);
                } else {
                    words.insert(place, word);
                    vector.insert(place, word);
                }
                prop_assert_eq!(words.as_slice(), vector.as_slice());
            }
            prop_assert_eq!(&Words::from(vector), &words);
        }
    }
}
