//! The van der Pol models: [`Forger99`] (Forger, Jewett & Kronauer 1999) and [`Jewett99`] (Jewett, Forger & Kronauer 1999).
//!
//! The state is (x, xc, n): x follows core body temperature, xc is its companion a quarter turn ahead, n the adaptation of the
//! retina. Per hour, with B = G (1 − n) α (1 − m x)(1 − m xc) and α = α₀ (L/I₀)ᵖ:
//!
//! ```text
//! Forger99   dx/dt  = π/12 (xc + B)
//!            dxc/dt = π/12 (μ (xc − 4/3 xc³) − x ((24/(c τ))² + kB))
//! Jewett99   dx/dt  = π/12 (xc + μ (x/3 + 4/3 x³ − 256/105 x⁷) + B)
//!            dxc/dt = π/12 (q B xc − x ((24/(c τ))² + kB))
//! ```
//!
//! Phase is the angle of (x, −v), where v = 12/π dx/dt: it turns forwards, and is π exactly where x has its minimum. v holds
//! the light of the moment, so phase jumps where light changes, and light may give x several minima within an hour or two: the
//! markers take the lowest ([`Oscillator::temperature`]).
//!
//! n has an exact solution while the light is constant; x and xc are stepped by the classical Runge–Kutta scheme. The light
//! response has no saturation, so light is clamped (`max_light`): direct sun would throw the models off their cycle.

mod equations;
mod parameters;
mod state;
#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_PI_2, PI, TAU};

pub use self::equations::{Equations, ForgerEquations, JewettEquations};
pub use self::parameters::{Forger99Light, VanDerPolParameters};
pub use self::state::VanDerPolState;
use crate::circadian::disc::{turns_and_angle, within};
use crate::circadian::model_file::ModelError;
use crate::circadian::oscillator::Oscillator;
use crate::circadian::retina::Retina;
use crate::units::{Hours, Lux, Radians, Span};

/// The model file as shipped.
const EMBEDDED: &str = include_str!("../../../models/oscillators.toml");

/// The longest step of the scheme: shorter than the grid's, because nothing turns these equations' own motion into a slow one.
const LONGEST_STEP_HOURS: f64 = 0.25;

/// Once around in the dark, with a third to spare.
const MOST_STEPS_AROUND: u32 = 128;

/// From a quarter of an hour to below a nanosecond.
const BISECTIONS: u32 = 52;

/// The simpler model of Forger, Jewett & Kronauer (1999), with one of three sets of light parameters ([`Forger99Light`]).
pub type Forger99 = VanDerPol<ForgerEquations>;

/// The revised model of Jewett, Forger & Kronauer (1999). Its CBTmin comes 0.8 h after the minimum of x.
pub type Jewett99 = VanDerPol<JewettEquations>;

/// A van der Pol model, ready to step.
#[derive(Clone, Copy, Debug)]
pub struct VanDerPol<E> {
    parameters: VanDerPolParameters,
    equations: E,
}

impl Forger99 {
    /// The oscillator with the parameters shipped with the program and the light parameters of one school.
    ///
    /// # Panics
    /// Never: the model file is part of the program and is read by its tests.
    #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded(light: Forger99Light) -> Forger99 {
        Forger99::from_toml(EMBEDDED, light).expect("the embedded oscillators.toml is valid")
    }

    /// Reads the sections `[forger99]` and `[forger99_…]` of an oscillator model file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str, light: Forger99Light) -> Result<Forger99, ModelError> {
        let (parameters, _) = VanDerPolParameters::read(text, "forger99", light.section(), false)?;
        Ok(VanDerPol { parameters, equations: ForgerEquations::new(&parameters) })
    }
}

impl Jewett99 {
    /// The oscillator with the parameters shipped with the program.
    ///
    /// # Panics
    /// Never: the model file is part of the program and is read by its tests.
    #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> Jewett99 {
        Jewett99::from_toml(EMBEDDED).expect("the embedded oscillators.toml is valid")
    }

    /// Reads the sections `[jewett99]` and `[jewett99_light]` of an oscillator model file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<Jewett99, ModelError> {
        let (parameters, q) = VanDerPolParameters::read(text, "jewett99", "jewett99_light", true)?;
        Ok(VanDerPol { parameters, equations: JewettEquations::new(&parameters, q) })
    }
}

impl<E: Equations> VanDerPol<E> {
    #[must_use]
    pub fn parameters(&self) -> &VanDerPolParameters {
        &self.parameters
    }

    /// The same oscillator with a person's own intrinsic period and light gain, a factor on G that is 1 for the published
    /// model. `tau` is taken into 20–28 h, the gain into 0–5; NaN leaves the model's own value.
    #[must_use]
    pub fn personal(&self, tau: Hours, light_gain: f64) -> VanDerPol<E> {
        let mut parameters = self.parameters;
        if !tau.0.is_nan() {
            parameters.tau = Hours(tau.0.clamp(parameters::TAU_RANGE.0, parameters::TAU_RANGE.1));
        }
        if !light_gain.is_nan() {
            parameters.gain *= light_gain.clamp(0.0, parameters::MOST_LIGHT_GAIN);
        }
        VanDerPol { parameters, equations: self.equations.with_tau(&parameters) }
    }

    /// v = 12/π dx/dt and 12/π dxc/dt under the drive G (1 − n) α.
    #[inline]
    fn velocity(&self, x: f64, xc: f64, drive: f64) -> (f64, f64) {
        let modulation = self.parameters.modulation;
        let light = drive * ((1.0 - modulation * x) * (1.0 - modulation * xc));
        self.equations.velocity(x, xc, light)
    }

    fn slope(&self, state: &VanDerPolState, drive: &Retina) -> f64 {
        let light = self.parameters.gain * (drive.alpha * (1.0 - state.adaptation));
        self.velocity(state.x, state.xc, light).0
    }
}

/// One piece of classical Runge–Kutta; `drives` at its start, middle and end.
fn advance<E: Equations>(
    model: &VanDerPol<E>,
    (x, xc): (f64, f64),
    [start, middle, end]: [f64; 3],
    hours: f64,
) -> (f64, f64) {
    // The models' unit of time is 12/π hours.
    let h = hours * (PI / 12.0);
    let (x1, c1) = model.velocity(x, xc, start);
    let (x2, c2) = model.velocity(x + 0.5 * h * x1, xc + 0.5 * h * c1, middle);
    let (x3, c3) = model.velocity(x + 0.5 * h * x2, xc + 0.5 * h * c2, middle);
    let (x4, c4) = model.velocity(x + h * x3, xc + h * c3, end);
    (x + h / 6.0 * (x1 + 2.0 * (x2 + x3) + x4), xc + h / 6.0 * (c1 + 2.0 * (c2 + c3) + c4))
}

impl<E: Equations> Oscillator for VanDerPol<E> {
    type State = VanDerPolState;
    type Drive = Retina;

    fn initial_state(&self) -> VanDerPolState {
        let parameters = &self.parameters;
        VanDerPolState::new(parameters.initial_x, parameters.initial_xc, parameters.initial_adaptation)
    }

    /// Along the way that the clock takes in the dark: the new phase is what [`Oscillator::phase`] says in the dark. Adaptation
    /// stays; amplitude comes nearer to that of the free-running clock.
    fn moved_to(&self, state: VanDerPolState, phase: Radians) -> VanDerPolState {
        let (_, target) = turns_and_angle(phase.0);
        let past = |(x, xc): (f64, f64)| {
            let gap = VanDerPolState::new(x, xc, 0.0).phase_towards(self.velocity(x, xc, 0.0).0).0 - target;
            gap - TAU * libm::round(gap / TAU)
        };
        let mut before = (state.x, state.xc);
        for _ in 0..MOST_STEPS_AROUND {
            if past(before) <= 0.0 && past(before) > -FRAC_PI_2 {
                let after = advance(self, before, [0.0; 3], LONGEST_STEP_HOURS);
                if past(after) > 0.0 {
                    break;
                }
            }
            before = advance(self, before, [0.0; 3], LONGEST_STEP_HOURS);
        }
        // Bisection inside the step that passes it.
        let (mut low, mut high) = (0.0, LONGEST_STEP_HOURS);
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if past(advance(self, before, [0.0; 3], middle)) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        let (x, xc) = advance(self, before, [0.0; 3], low);
        VanDerPolState::new(x, xc, state.adaptation).with_phase_near(phase)
    }

    fn unwound(&self, state: VanDerPolState) -> VanDerPolState {
        VanDerPolState { turns: 0, ..state }
    }

    fn drive(&self, light: Lux) -> Retina {
        let parameters = &self.parameters;
        let lux = within(light.0, 0.0, parameters.max_light.0);
        let alpha = parameters.alpha0 * libm::pow(lux / parameters.reference_light.0, parameters.exponent);
        Retina::new(alpha, parameters.beta)
    }

    fn step(&self, state: VanDerPolState, drive: &Retina, length: Span) -> VanDerPolState {
        if length == Span::ZERO {
            return state;
        }
        let pieces = drive.pieces(length.as_hours().0, LONGEST_STEP_HOURS);
        let mut state = state;
        for _ in 0..pieces.count {
            let adaptation = drive.adapt(state.adaptation, &pieces);
            let drives = drive.drives(self.parameters.gain, adaptation);
            let (x, xc) = advance(self, (state.x, state.xc), drives, pieces.hours);
            state = state.followed_by(x, xc, adaptation[2]);
        }
        state
    }

    fn phase(&self, state: &VanDerPolState, drive: &Retina) -> Radians {
        state.phase_towards(self.slope(state, drive))
    }

    fn temperature(&self, state: &VanDerPolState) -> Option<f64> {
        Some(state.x)
    }

    fn cbt_min_after_phase(&self) -> Span {
        Span::from_hours(self.parameters.cbt_min_after)
    }
}
