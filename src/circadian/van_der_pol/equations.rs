//! What the two models do not share: the right-hand sides, in units of 12/π hours.

use super::parameters::VanDerPolParameters;

/// The right-hand side of a van der Pol model.
pub trait Equations: Copy + std::fmt::Debug {
    /// (12/π dx/dt, 12/π dxc/dt) under the light drive B.
    fn velocity(&self, x: f64, xc: f64, light: f64) -> (f64, f64);

    /// The same equations with the τ of `parameters`.
    #[must_use]
    fn with_tau(&self, parameters: &VanDerPolParameters) -> Self;
}

/// Forger, Jewett & Kronauer (1999), equations 1 and 2.
#[derive(Clone, Copy, Debug)]
pub struct ForgerEquations {
    stiffness: f64,
    k: f64,
    /// (24/(cτ))².
    pull: f64,
}

/// Jewett, Forger & Kronauer (1999), with the light process of Kronauer, Forger & Jewett (1999).
#[derive(Clone, Copy, Debug)]
pub struct JewettEquations {
    stiffness: f64,
    k: f64,
    q: f64,
    /// (24/(cτ))².
    pull: f64,
}

fn pull(parameters: &VanDerPolParameters) -> f64 {
    let ratio = 24.0 / (parameters.tau_correction * parameters.tau.0);
    ratio * ratio
}

impl ForgerEquations {
    pub(super) fn new(parameters: &VanDerPolParameters) -> ForgerEquations {
        ForgerEquations { stiffness: parameters.stiffness, k: parameters.k, pull: pull(parameters) }
    }
}

impl Equations for ForgerEquations {
    #[inline]
    fn velocity(&self, x: f64, xc: f64, light: f64) -> (f64, f64) {
        let own = self.stiffness * (xc - 4.0 / 3.0 * (xc * xc * xc));
        (xc + light, own - x * (self.pull + self.k * light))
    }

    fn with_tau(&self, parameters: &VanDerPolParameters) -> ForgerEquations {
        ForgerEquations { pull: pull(parameters), ..*self }
    }
}

impl JewettEquations {
    pub(super) fn new(parameters: &VanDerPolParameters, q: f64) -> JewettEquations {
        JewettEquations { stiffness: parameters.stiffness, k: parameters.k, q, pull: pull(parameters) }
    }
}

impl Equations for JewettEquations {
    #[inline]
    fn velocity(&self, x: f64, xc: f64, light: f64) -> (f64, f64) {
        let square = x * x;
        let cube = square * x;
        let own = self.stiffness * (x / 3.0 + 4.0 / 3.0 * cube - 256.0 / 105.0 * (cube * (square * square)));
        (xc + own + light, self.q * light * xc - x * (self.pull + self.k * light))
    }

    fn with_tau(&self, parameters: &VanDerPolParameters) -> JewettEquations {
        JewettEquations { pull: pull(parameters), ..*self }
    }
}
