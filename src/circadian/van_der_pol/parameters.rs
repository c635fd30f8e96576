//! The models' constants and how they are read.

use super::state::MOST_AMPLITUDE;
use crate::circadian::model_file::{ModelError, ModelFile};
use crate::units::{Hours, Lux};

/// Intrinsic periods that the models are used with, hours.
pub(super) const TAU_RANGE: (f64, f64) = (20.0, 28.0);

/// The largest personal factor on G.
pub(super) const MOST_LIGHT_GAIN: f64 = 5.0;

/// Three sets of light parameters circulate with Forger99, all under its name. Entrained phase differs between them by up to
/// 0.2 h and the size of phase responses by some 15 %: always say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forger99Light {
    /// F99: the default of the Python package `circadian`; hcrsimpy ascribes it to Serkh & Forger (2014).
    Serkh,
    /// F99K: the light process of Kronauer, Forger & Jewett (1999), most likely the original; used by Skeldon et al. (2023).
    Kronauer,
    /// F99p6: the gain and rates of the first with the exponent of the second; code of Huang et al. (2021) and LSKF.
    Hybrid,
}

impl Forger99Light {
    pub(super) fn section(self) -> &'static str {
        match self {
            Forger99Light::Serkh => "forger99_serkh",
            Forger99Light::Kronauer => "forger99_kronauer",
            Forger99Light::Hybrid => "forger99_hybrid",
        }
    }
}

/// The constants of a van der Pol model. See `models/oscillators.toml` for units and sources.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VanDerPolParameters {
    /// The intrinsic period: that of the free-running clock in the dark.
    pub tau: Hours,
    pub tau_correction: f64,
    /// μ.
    pub stiffness: f64,
    pub k: f64,
    /// m, how the light response depends on phase.
    pub modulation: f64,
    /// CBTmin comes this long after the minimum of x.
    pub cbt_min_after: Hours,
    /// G. A person's light gain multiplies it.
    pub gain: f64,
    /// Per minute, like `beta`.
    pub alpha0: f64,
    pub beta: f64,
    pub exponent: f64,
    /// I₀.
    pub reference_light: Lux,
    /// Light above this counts as this.
    pub max_light: Lux,
    pub initial_x: f64,
    pub initial_xc: f64,
    pub initial_adaptation: f64,
}

impl VanDerPolParameters {
    /// The parameters in a model's own section and in that of its light, and q, which is 0 for a model that has none.
    pub(super) fn read(
        text: &str,
        model: &str,
        light: &str,
        has_q: bool,
    ) -> Result<(VanDerPolParameters, f64), ModelError> {
        let mut file = ModelFile::parse("oscillators.toml", text)?;
        let mut section = file.section(light)?;
        let gain = section.number("gain", "1", 0.0..=100.0)?;
        let alpha0 = section.number("alpha0", "1/min", 0.0..=1.0)?;
        let beta = section.number("beta", "1/min", 1e-6..=1.0)?;
        let exponent = section.number("exponent", "1", 0.1..=4.0)?;
        let reference_light = Lux(section.number("reference_light", "lux", 1.0..=1e6)?);
        section.finish()?;

        let mut section = file.section(model)?;
        let q = if has_q { section.number("q", "1", 0.0..=1.0)? } else { 0.0 };
        let coordinate = -MOST_AMPLITUDE..=MOST_AMPLITUDE;
        let parameters = VanDerPolParameters {
            tau: Hours(section.number("tau", "h", TAU_RANGE.0..=TAU_RANGE.1)?),
            tau_correction: section.number("tau_correction", "1", 0.9..=1.1)?,
            stiffness: section.number("stiffness", "1", 0.0..=1.0)?,
            k: section.number("k", "1", 0.0..=2.0)?,
            modulation: section.number("modulation", "1", 0.0..=1.0)?,
            cbt_min_after: Hours(section.number("cbt_min_after", "h", 0.0..=6.0)?),
            gain,
            alpha0,
            beta,
            exponent,
            reference_light,
            max_light: Lux(section.number("max_light", "lux", 1.0..=10_000.0)?),
            initial_x: section.number("initial_x", "1", coordinate.clone())?,
            initial_xc: section.number("initial_xc", "1", coordinate)?,
            initial_adaptation: section.number("initial_adaptation", "1", 0.0..=1.0)?,
        };
        section.finish()?;
        Ok((parameters, q))
    }
}
