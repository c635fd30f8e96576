//! Complaints that repeat are told once, and then now and then: clients that have lost their brokers complain many times a
//! second each, and once more of what is past when somebody listens to them again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same complaint is kept quiet.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub struct Repeats {
    told: Mutex<BTreeMap<String, Told>>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    /// So often since then.
    kept_quiet: u64,
}

impl Repeats {
    pub const fn new() -> Repeats {
        Repeats { told: Mutex::new(BTreeMap::new()) }
    }

    /// Whether a complaint of this kind is to be told now, with how often it was not since it was told last.
    pub fn note(&self, kind: &str, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(kind) {
            Some(told) if now.saturating_duration_since(told.at) < QUIET => {
                told.kept_quiet += 1;
                None
            }
            Some(told) => {
                told.at = now;
                Some(std::mem::take(&mut told.kept_quiet))
            }
            None => {
                told.insert(kind.to_owned(), Told { at: now, kept_quiet: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_a_minute_with_how_often_it_came_and_something_else_at_once() {
        let (repeats, begin) = (Repeats::default(), Instant::now());
        assert_eq!(repeats.note("down", begin), Some(0));
        for second in 1..60 {
            assert_eq!(repeats.note("down", begin + Duration::from_secs(second)), None);
        }
        assert_eq!(repeats.note("refused", begin + Duration::from_secs(59)), Some(0));
        assert_eq!(repeats.note("down", begin + QUIET), Some(59));
        assert_eq!(repeats.note("down", begin + QUIET * 2), Some(0));
    }
}
