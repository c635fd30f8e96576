//! A list in which most have nothing, no larger than a pointer while it is empty.

use serde::{Deserialize, Serialize};

/// A list that is allocated when the first item comes, and freed with the last.
#[expect(clippy::box_collection, reason = "an empty vector is three words in every state, this is one")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rare<T>(Option<Box<Vec<T>>>);

impl<T> Rare<T> {
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |list| list.as_slice())
    }

    /// Takes the items out.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0.map_or_else(Vec::new, |list| *list)
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |list| size_of::<Vec<T>>() + list.capacity() * size_of::<T>())
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare(None)
    }
}

impl<T> From<Vec<T>> for Rare<T> {
    fn from(mut list: Vec<T>) -> Rare<T> {
        list.shrink_to_fit();
        Rare((!list.is_empty()).then(|| Box::new(list)))
    }
}

impl<T> FromIterator<T> for Rare<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Rare<T> {
        Vec::from_iter(items).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_a_pointer_and_owns_nothing() {
        assert_eq!(size_of::<Rare<u64>>(), size_of::<usize>());
        let emptied = Rare::from(Rare::from(vec![1_u64]).into_vec().split_off(1));
        assert_eq!((&emptied, emptied.heap_bytes()), (&Rare::default(), 0));
        assert_eq!(Rare::from(vec![1, 2]).as_slice(), [1, 2]);
    }
}
