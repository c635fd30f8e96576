//! What the filter needs to know of a person.

use std::f64::consts::PI;

use super::LightBin;
use super::circle::wrap;
use super::prior::Prior;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::entrain::BINS_PER_DAY;
use crate::units::{Hours, Lux, Radians};

/// Light of the evening counts from so long before CBTmin: three hours before melatonin onset.
const EVENING: Hours = Hours(10.0);

/// One person, as far as the filter is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    pub prior: Prior,
    /// SD of what the middle of a main sleep says of the clock in settled life.
    pub sleep_sd: Hours,
    pub evening: EveningLight,
    /// Whether it is known which hours of the day are theirs. Light that is imputed by the wrong clock is hardly known.
    pub knows_hours: bool,
}

/// How many times as much light counts in the evening: young eyes let more through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EveningLight(pub f64);

impl EveningLight {
    /// As in grown-ups.
    pub const PLAIN: EveningLight = EveningLight(1.0);

    /// Light as it counts at a phase of the person's clock (π at CBTmin).
    #[must_use]
    pub fn at(self, bin: LightBin, phase: Radians) -> LightBin {
        let before = -wrap(phase.0 - PI) / PHASE_PER_HOUR;
        let counts = if (0.0..=EVENING.0).contains(&before) { self.0 } else { 1.0 };
        LightBin { light: Lux(bin.light.0 * counts), ..bin }
    }

    /// The light of a usual day from local midnight, as it counts for somebody whose CBTmin is at this local hour.
    #[must_use]
    pub fn over(self, light: &[Lux; BINS_PER_DAY], cbt_min: Hours) -> [Lux; BINS_PER_DAY] {
        std::array::from_fn(|bin| {
            let before = (cbt_min - Hours(bin as f64 / 4.0)).wrap_24();
            Lux(light[bin].0 * if before.0 <= EVENING.0 { self.0 } else { 1.0 })
        })
    }
}
