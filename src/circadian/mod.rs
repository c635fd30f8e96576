//! The body clock: how light moves a person's circadian phase.
//!
//! Everything here is a function of its arguments. This module knows oscillator states, light and instants. It does not
//! know Kafka, the wall clock, threads or random numbers, nor people: no time zones, no sleep logs, no ages. Callers turn
//! those into light by quarter hours, and turn instants into sentences.
//!
//! Two properties are promised to everybody above, and tested:
//!
//! - **Same bits everywhere.** Transcendental functions come from `libm` (not from the platform), the order of evaluation is
//!   fixed and nothing is fused. A replay on another machine ends in the same state.
//! - **Same bits whenever asked.** Integration runs on a grid anchored at the UTC epoch ([`drive`]): stopping at a grid point
//!   and going on later gives what one run gives.
//!
//! Words: *phase* ψ in radians, π (mod 2π) at the minimum of core body temperature (*CBTmin*); *DLMO*, dim-light melatonin
//! onset, 7 h before it; *amplitude* R between 0 and 1; *light drive* B, what the retina passes on.
//!
//! | file | what |
//! |---|---|
//! | [`oscillator`] | the trait that every model of the clock implements |
//! | [`hannay19`] | the single-population model of Hannay, Booth & Forger (2019), used throughout |
//! | [`hannay19tp`] | their two-population model, to check against |
//! | [`van_der_pol`] | Forger99 and Jewett99, to check against and to serve as truth in simulations |
//! | `disc`, `retina` | what the models share: points of the unit disc, adaptation to light |
//! | [`light`] | lux where nobody measured: by context, hour and place |
//! | [`drive`] | integration over light bins on the fixed grid |
//! | [`schedule`] | integration over light that changes at any time |
//! | [`catalogue`] | every oscillator by name |
//! | [`markers`] | when CBTmin and DLMO happen |
//! | [`entrain`] | where habitual life holds the clock |
//! | [`gut`] | the gut's clock, which meals move |
//! | [`filter`] | where a person's clock is, and how sure that is |
//! | [`model_file`] | reading `models/*.toml`: values, units, sources |

pub mod catalogue;
mod disc;
pub mod drive;
pub mod entrain;
pub mod filter;
pub mod gut;
pub mod hannay19;
pub mod hannay19tp;
pub mod light;
pub mod markers;
pub mod model_file;
pub mod oscillator;
mod retina;
pub mod schedule;
pub mod van_der_pol;

#[cfg(test)]
mod errata;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_others;
#[cfg(test)]
mod reference_data;
#[cfg(test)]
mod reference_scheme;

pub use drive::{BIN, CELL};
pub use entrain::{EntrainedDay, habitual_cbt_min, likely_midnight_state, personal_offset, personal_offset_at};
pub use hannay19::{Hannay19, Hannay19Lanes, Hannay19Parameters, Hannay19State};
pub use hannay19tp::{Hannay19Tp, Hannay19TpParameters, Hannay19TpState};
pub use light::{LightContext, LightModel, Place};
pub use markers::{cbt_min_crossings, dlmo, first_crossing};
pub use model_file::ModelError;
pub use oscillator::Oscillator;
pub use retina::Retina;
pub use schedule::LightSchedule;
pub use van_der_pol::{Forger99, Forger99Light, Jewett99, VanDerPolState};

use crate::units::{Hours, Radians};

/// Radians of phase per hour of a 24 h day: converts between offsets in hours and offsets in phase.
///
/// It is a unit conversion, not a prediction: a clock runs faster or slower than this from hour to hour, so the time to a
/// marker comes from [`markers`], never from a division by this number.
pub const PHASE_PER_HOUR: f64 = std::f64::consts::TAU / 24.0;

/// An offset in hours as an offset in phase.
#[must_use]
pub fn phase_of(offset: Hours) -> Radians {
    Radians(offset.0 * PHASE_PER_HOUR)
}

/// An offset in phase as an offset in hours.
#[must_use]
pub fn hours_of(offset: Radians) -> Hours {
    Hours(offset.0 / PHASE_PER_HOUR)
}
