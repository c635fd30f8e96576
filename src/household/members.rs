//! The travellers of a household, by user id. Many households are one person: that one needs no allocation.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use crate::traveller::Traveller;

/// Travellers in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Traveller>", into = "Vec<Traveller>")]
pub struct Members(Kept);

#[derive(Clone, Debug, Default, PartialEq)]
enum Kept {
    #[default]
    Nobody,
    One(Traveller),
    Many(Vec<Traveller>),
}

impl Members {
    /// Where somebody is.
    ///
    /// # Errors
    /// Where that person would have to be put.
    pub fn place_of(&self, user_id: &str) -> Result<usize, usize> {
        match &self.0 {
            Kept::One(only) if only.is_named(user_id) => Ok(0),
            _ => self.binary_search_by(|traveller| traveller.id().cmp(user_id)),
        }
    }

    pub fn insert(&mut self, place: usize, traveller: Traveller) {
        if matches!(self.0, Kept::Nobody) {
            self.0 = Kept::One(traveller);
            return;
        }
        self.change(|travellers| {
            travellers.reserve_exact(1);
            travellers.insert(place, traveller);
        });
    }

    pub fn remove(&mut self, place: usize) {
        self.change(|travellers| {
            travellers.remove(place);
            travellers.shrink_to_fit();
        });
    }

    fn change(&mut self, act: impl FnOnce(&mut Vec<Traveller>)) {
        let mut travellers = Vec::from(std::mem::take(self));
        act(&mut travellers);
        *self = travellers.into();
    }

    /// Reads a little of what is kept in place. The result means nothing.
    #[must_use]
    pub fn glance(&self) -> u64 {
        match &self.0 {
            Kept::Nobody => 0,
            Kept::One(only) => only.glance(),
            Kept::Many(travellers) => travellers.len() as u64,
        }
    }

    /// Reads a little of what is not.
    #[must_use]
    pub fn glance_deeper(&self) -> u64 {
        match &self.0 {
            Kept::Nobody => 0,
            Kept::One(only) => only.glance_deeper(),
            Kept::Many(travellers) => travellers.iter().fold(0, |read, traveller| read ^ traveller.glance()),
        }
    }

    /// Bytes on the heap, what travellers own there themselves included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let list = match &self.0 {
            Kept::Nobody | Kept::One(_) => 0,
            Kept::Many(travellers) => travellers.capacity() * size_of::<Traveller>(),
        };
        list + self.iter().map(Traveller::heap_bytes).sum::<usize>()
    }
}

impl Deref for Members {
    type Target = [Traveller];

    fn deref(&self) -> &[Traveller] {
        match &self.0 {
            Kept::Nobody => &[],
            Kept::One(only) => std::slice::from_ref(only),
            Kept::Many(travellers) => travellers,
        }
    }
}

impl DerefMut for Members {
    fn deref_mut(&mut self) -> &mut [Traveller] {
        match &mut self.0 {
            Kept::Nobody => &mut [],
            Kept::One(only) => std::slice::from_mut(only),
            Kept::Many(travellers) => travellers,
        }
    }
}

impl From<Vec<Traveller>> for Members {
    fn from(mut travellers: Vec<Traveller>) -> Members {
        if travellers.len() > 1 {
            return Members(Kept::Many(travellers));
        }
        Members(travellers.pop().map_or(Kept::Nobody, Kept::One))
    }
}

impl From<Members> for Vec<Traveller> {
    fn from(members: Members) -> Vec<Traveller> {
        match members.0 {
            Kept::Nobody => Vec::new(),
            Kept::One(only) => vec![only],
            Kept::Many(travellers) => travellers,
        }
    }
}
