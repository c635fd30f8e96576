//! Where a person's clock is, and how sure that is: an unscented Kalman filter on the oscillator.
//!
//! The state is x = [R, ψ, n, τ, ln g, δ, β, w]: the oscillator's amplitude, phase and light adaptation; its period; a factor
//! on light's effect; how long after the middle of sleep the person's CBTmin comes; how long before the oscillator's own
//! minimum (the model's absolute phase is off by an hour or two in people, its shifts are right); and how near to the wall's
//! night the person sleeps when wall and clock differ. Sleep in settled life observes ψ + (δ + β)ω, a laboratory marker
//! ψ + βω, a night after a flight (1 − w) times what the clock is behind; the person's CBTmin is where ψ + βω = π.
//!
//! Knows light by quarter hours, sleeps, shifts of the local clock and instants. Does not know time zones, ages or where
//! its facts come from, so that people and simulations use it alike. Nothing depends on when somebody asks: sample points
//! are redrawn and noise is added at 00, 06, 12 and 18 UTC and where something is observed, and only there.
//!
//! | file | what |
//! |---|---|
//! | [`numbers`] | `models/filter.toml` |
//! | [`person`] | what is known of somebody |
//! | [`prior`] | what is believed before anything was seen |
//! | [`belief`] | one normal distribution: moved by light, sharpened by observations |
//! | `circle` | what lies a turn apart is the same |
//! | `ensemble` | its sample points on their way |
//! | [`happening`] | what is told beside light |
//! | `laboratory` | what tests say of the phase angle |
//! | [`life`] | when sleep is an observation |
//! | `mixture` | a few of them with weights |
//! | `compromise` | what nights after a flight say |
//! | [`track`] | all of that through time |
//! | [`crossing`] | when the sample points have their minimum: the published estimate |
//! | `said` | several minima in one sentence |
//! | `matrix` | small matrices |

#![expect(clippy::needless_range_loop, reason = "rows and columns of small matrices are clearer by index")]
#![expect(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "the comparison that is false for NaN too is the one that is meant"
)]

pub mod belief;
mod circle;
mod compromise;
pub mod crossing;
mod ensemble;
pub mod happening;
mod laboratory;
mod life;
mod matrix;
mod mixture;
pub mod numbers;
pub mod person;
pub mod prior;
mod said;
pub mod track;

#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod silence_tests;
#[cfg(test)]
mod tests;

pub use belief::{Belief, Surprise};
pub use crossing::Published;
pub use happening::Happening;
pub use laboratory::TestResult;
pub use life::{Life, MainSleep};
pub use numbers::FilterNumbers;
pub use person::{EveningLight, Person};
pub use prior::{Prior, Slopes};
pub use track::{Run, Track};

use crate::circadian::Hannay19;
use crate::circadian::hannay19::KnownDrives;
use crate::units::{Lux, Span};

/// Sample points are redrawn and noise is added at multiples of this from the epoch.
pub const REDRAWN: Span = Span::hours(6);

/// Light in a quarter of an hour, with how it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightBin {
    pub light: Lux,
    pub source: LightSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LightSource {
    /// Eyes shut.
    Asleep,
    Measured,
    /// Somebody said what kind of light it was.
    Context,
    /// From the hour and the place.
    Imputed,
}

/// The oscillator and the numbers, shared by everybody.
#[derive(Clone, Debug)]
pub struct FilterModel {
    pub numbers: FilterNumbers,
    oscillator: Hannay19,
}

impl FilterModel {
    #[must_use]
    pub fn new(oscillator: Hannay19, numbers: FilterNumbers) -> FilterModel {
        FilterModel { numbers, oscillator }
    }

    /// What light does to clocks of this model.
    fn drives(&self) -> KnownDrives<'_> {
        KnownDrives::new(&self.oscillator)
    }

    /// The model and the numbers shipped with the program.
    #[must_use]
    pub fn embedded() -> FilterModel {
        FilterModel::new(Hannay19::embedded(), FilterNumbers::embedded())
    }
}
