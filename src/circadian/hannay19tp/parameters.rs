//! The model's constants and how they are read.

use std::f64::consts::{PI, TAU};

use crate::circadian::disc::LEAST_AMPLITUDE;
use crate::circadian::model_file::{ModelError, ModelFile};
use crate::units::{Hours, Lux, Radians};

/// The model file as shipped.
const EMBEDDED: &str = include_str!("../../../models/oscillators.toml");

/// Natural periods that the model is used with, hours.
pub(super) const TAU_RANGE: (f64, f64) = (20.0, 28.0);

/// The largest personal factor on G.
pub(super) const MOST_LIGHT_GAIN: f64 = 5.0;

/// The model's constants, named as in the paper; v is the ventral population, d the dorsal one. See
/// `models/oscillators.toml` for units and sources.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hannay19TpParameters {
    pub tau_v: Hours,
    pub tau_d: Hours,
    pub coupling_vv: f64,
    pub coupling_dd: f64,
    /// From ventral to dorsal.
    pub coupling_vd: f64,
    /// From dorsal to ventral.
    pub coupling_dv: f64,
    pub gamma: f64,
    pub a1: f64,
    pub a2: f64,
    pub beta_l1: f64,
    pub beta_l2: f64,
    pub sigma: f64,
    /// G. A person's light gain multiplies it.
    pub gain: f64,
    /// Per minute, like `beta`.
    pub alpha0: f64,
    pub beta: f64,
    pub exponent: f64,
    /// I₀, lux to the power of `exponent`.
    pub half: f64,
    /// Light above this counts as this.
    pub max_light: Lux,
    pub initial_amplitude_v: f64,
    pub initial_amplitude_d: f64,
    pub initial_phase_v: Radians,
    pub initial_phase_d: Radians,
    pub initial_adaptation: f64,
}

impl Hannay19TpParameters {
    /// Reads section `[hannay19tp]` of an oscillator model file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<Hannay19TpParameters, ModelError> {
        let mut file = ModelFile::parse("oscillators.toml", text)?;
        let mut section = file.section("hannay19tp")?;
        let parameters = Hannay19TpParameters {
            tau_v: Hours(section.number("tau_v", "h", TAU_RANGE.0..=TAU_RANGE.1)?),
            tau_d: Hours(section.number("tau_d", "h", TAU_RANGE.0..=TAU_RANGE.1)?),
            coupling_vv: section.number("coupling_vv", "1/h", 0.0..=1.0)?,
            coupling_dd: section.number("coupling_dd", "1/h", 0.0..=1.0)?,
            coupling_vd: section.number("coupling_vd", "1/h", 0.0..=1.0)?,
            coupling_dv: section.number("coupling_dv", "1/h", 0.0..=1.0)?,
            gamma: section.number("gamma", "1/h", 0.0..=1.0)?,
            a1: section.number("a1", "1", 0.0..=2.0)?,
            a2: section.number("a2", "1", 0.0..=2.0)?,
            beta_l1: section.number("beta_l1", "rad", -PI..=PI)?,
            beta_l2: section.number("beta_l2", "rad", -PI..=PI)?,
            sigma: section.number("sigma", "1", -1.0..=1.0)?,
            gain: section.number("gain", "1", 0.0..=50.0)?,
            alpha0: section.number("alpha0", "1/min", 0.0..=1.0)?,
            beta: section.number("beta", "1/min", 1e-6..=1.0)?,
            exponent: section.number("exponent", "1", 0.1..=4.0)?,
            half: section.number("half", "lux^p", 1.0..=1e9)?,
            max_light: Lux(section.number("max_light", "lux", 1.0..=1e6)?),
            initial_amplitude_v: section.number("initial_amplitude_v", "1", LEAST_AMPLITUDE..=1.0)?,
            initial_amplitude_d: section.number("initial_amplitude_d", "1", LEAST_AMPLITUDE..=1.0)?,
            initial_phase_v: Radians(section.number("initial_phase_v", "rad", -TAU..=TAU)?),
            initial_phase_d: Radians(section.number("initial_phase_d", "rad", -TAU..=TAU)?),
            initial_adaptation: section.number("initial_adaptation", "1", 0.0..=1.0)?,
        };
        section.finish()?;
        Ok(parameters)
    }

    /// The parameters shipped with the program.
    ///
    /// # Panics
    /// Never: the text is part of the program and is read by its tests.
    #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> Hannay19TpParameters {
        // See "Panics": there is nothing that a caller could do.
        Self::from_toml(EMBEDDED).expect("the embedded oscillators.toml is valid")
    }
}
