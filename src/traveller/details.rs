//! What most people do not have of whom only a sensor speaks: behind one pointer, so that they stay small.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::clock::SettledClock;
use super::persona::Known;
use super::sleeps::Sleeps;
use super::{Due, Said, Timers};

/// All of a traveller but the list of facts and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    pub sleeps: Sleeps,
    pub known: Option<Box<Known>>,
    pub clock: Option<Box<SettledClock>>,
    pub said: Option<Box<Said>>,
    pub timers: Timers,
}

static NOTHING: Details = Details {
    sleeps: Sleeps::none(),
    known: None,
    clock: None,
    said: None,
    timers: Timers { nap: Due::NEVER, plan: Due::NEVER },
};

/// [`Details`], allocated when the first of them is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rest(Option<Box<Details>>);

impl Rest {
    /// To be called only to write something other than what is there.
    pub fn write(&mut self) -> &mut Details {
        self.0.get_or_insert_with(|| Box::new(NOTHING.clone()))
    }

    pub fn known_mut(&mut self) -> Option<&mut Known> {
        self.0.as_mut()?.known.as_deref_mut()
    }

    /// Bytes on the heap, without what the details own there themselves.
    #[must_use]
    pub fn own_heap_bytes(&self) -> usize {
        if self.0.is_some() { size_of::<Details>() } else { 0 }
    }
}

impl Deref for Rest {
    type Target = Details;

    fn deref(&self) -> &Details {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

/// Details that were emptied again are none.
impl PartialEq for Rest {
    fn eq(&self, other: &Rest) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::UtcMillis;

    #[test]
    fn a_stranger_has_none_and_emptied_ones_are_none() {
        let mut rest = Rest::default();
        assert_eq!(rest.own_heap_bytes(), 0);
        assert_eq!(rest.timers.nap.get(), None);
        rest.write().timers.nap = Some(UtcMillis(7)).into();
        assert_ne!(rest, Rest::default());
        rest.write().timers.nap = Due::NEVER;
        assert_eq!(rest, Rest::default());
    }
}
