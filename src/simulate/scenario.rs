//! What is to be simulated.

use crate::flight::zones;
use crate::simulate::interval::{hours_of, to_minute};
use crate::simulate::numbers::{Numbers, Rates};
use crate::simulate::places::Place;
use crate::units::{Span, UtcMillis};

/// Which families, when, and how much goes wrong. The same scenario gives the same bytes, on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// How many; family n lives the same life however many there are.
    pub families: u32,
    /// No record is stamped before this time …
    pub start: UtcMillis,
    /// … nor at or after this one.
    pub end: UtcMillis,
    pub seed: u64,
    pub rates: Rates,
    /// Set in a demonstration: what is stamped before is history, to be written at once; what follows is to be written as
    /// time passes, and the first families have something scripted to tell soon after.
    pub live_from: Option<UtcMillis>,
}

impl Scenario {
    /// Families that live by the rates of models/simulate.toml.
    #[must_use]
    pub fn new(families: u32, start: UtcMillis, end: UtcMillis, seed: u64) -> Scenario {
        Scenario { families, start, end, seed, rates: Numbers::embedded().rates, live_from: None }
    }

    /// A demonstration: at least eight days of history from `start`, then a live part with a script (see the module's
    /// documentation), set for a fortnight; shorten [`Scenario::end`] at will.
    ///
    /// [`Scenario::live_from`] lies 8 to 9 days after `start`, at a quarter past noon in London.
    #[must_use]
    pub fn demo(start: UtcMillis, seed: u64, families: u32) -> Scenario {
        let script = &Numbers::embedded().demo;
        let earliest = start + hours_of(24.0 * script.history);
        let live_from = Place::of(*b"LHR").map_or(earliest, |home| {
            let minute = libm::round(script.live_hour * 60.0) as i32;
            let days = zones::local_date(home.zone(), earliest).iter_days().take(3);
            let mut noons = days.map(|date| zones::to_utc(home.zone(), date, minute));
            noons.find(|noon| *noon >= earliest).unwrap_or(earliest)
        });
        let live_from = to_minute(live_from);
        Scenario { live_from: Some(live_from), ..Scenario::new(families, start, live_from + Span::days(14), seed) }
    }
}
