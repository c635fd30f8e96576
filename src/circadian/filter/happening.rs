//! What is told to a filter beside light.
//!
//! Knows instants and hours. Does not know what becomes of them: that is [`super::track`]'s and [`super::life`]'s.

use super::life::MainSleep;
use crate::units::{Hours, UtcMillis};

/// Something that says more of the clock than light does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// The local clock is another one from here on, by so many hours in (−12, 12].
    Shift {
        at: UtcMillis,
        by: Hours,
    },
    Sleep(MainSleep),
    /// Seen asleep at this time, so much after the middle of the usual night, or of the one that is assumed of strangers; nothing
    /// is known of start and end.
    SeenAsleep {
        at: UtcMillis,
        from_habit: Hours,
    },
    /// A measured CBTmin with its SD.
    Marker {
        cbt_min: UtcMillis,
        sd: Hours,
    },
}

impl Happening {
    #[must_use]
    pub fn at(&self) -> UtcMillis {
        match self {
            Happening::Shift { at, .. } | Happening::SeenAsleep { at, .. } => *at,
            Happening::Sleep(sleep) => sleep.middle,
            Happening::Marker { cbt_min, .. } => *cbt_min,
        }
    }
}
