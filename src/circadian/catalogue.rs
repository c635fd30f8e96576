//! Every oscillator by name, its state as a row of numbers: for comparing models from outside.

use crate::circadian::hannay19::{Hannay19, Hannay19State};
use crate::circadian::hannay19tp::{Hannay19Tp, Hannay19TpState};
use crate::circadian::oscillator::Oscillator;
use crate::circadian::van_der_pol::{Equations, Forger99, Forger99Light, Jewett99, VanDerPol, VanDerPolState};
use crate::units::Radians;

/// The names that [`with_oscillator`] knows. The three of Forger99 are its sets of light parameters ([`Forger99Light`]).
pub const NAMES: [&str; 6] = ["hannay19", "hannay19tp", "forger99", "forger99k", "forger99p6", "jewett99"];

/// An oscillator whose state can be written as numbers: the published variables, in the published order.
pub trait Tabulated: Oscillator {
    const VARIABLES: &'static [&'static str];

    /// As many numbers as [`Tabulated::VARIABLES`]; phases unwrapped, in radians.
    fn values(&self, state: &Self::State) -> Vec<f64>;

    /// The state with these values, as many as [`Tabulated::VARIABLES`] (what is missing counts as 0); what lies outside the
    /// model is taken to its border.
    fn state_of(&self, values: &[f64]) -> Self::State;
}

fn value(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().unwrap_or(0.0)
}

impl Tabulated for Hannay19 {
    const VARIABLES: &'static [&'static str] = &["amplitude", "phase", "adaptation"];

    fn values(&self, state: &Hannay19State) -> Vec<f64> {
        vec![state.amplitude(), state.phase().0, state.adaptation()]
    }

    fn state_of(&self, values: &[f64]) -> Hannay19State {
        Hannay19State::new(value(values, 0), Radians(value(values, 1)), value(values, 2))
    }
}

impl Tabulated for Hannay19Tp {
    const VARIABLES: &'static [&'static str] = &["amplitude_v", "amplitude_d", "phase_v", "phase_d", "adaptation"];

    fn values(&self, state: &Hannay19TpState) -> Vec<f64> {
        let ([rv, rd], [pv, pd]) = (state.amplitudes(), state.phases());
        vec![rv, rd, pv.0, pd.0, state.adaptation()]
    }

    fn state_of(&self, values: &[f64]) -> Hannay19TpState {
        let phases = [Radians(value(values, 2)), Radians(value(values, 3))];
        Hannay19TpState::new([value(values, 0), value(values, 1)], phases, value(values, 4))
    }
}

impl<E: Equations> Tabulated for VanDerPol<E> {
    const VARIABLES: &'static [&'static str] = &["x", "xc", "adaptation"];

    fn values(&self, state: &VanDerPolState) -> Vec<f64> {
        vec![state.x(), state.xc(), state.adaptation()]
    }

    fn state_of(&self, values: &[f64]) -> VanDerPolState {
        VanDerPolState::new(value(values, 0), value(values, 1), value(values, 2))
    }
}

/// Something to do with an oscillator whose type is known only by name.
pub trait WithOscillator {
    type Output;
    fn run<O: Tabulated>(self, oscillator: &O) -> Self::Output;
}

/// Does it with the oscillator of this name, with the parameters shipped with the program; `None` for another name than those
/// of [`NAMES`].
pub fn with_oscillator<W: WithOscillator>(name: &str, work: W) -> Option<W::Output> {
    Some(match name {
        "hannay19" => work.run(&Hannay19::embedded()),
        "hannay19tp" => work.run(&Hannay19Tp::embedded()),
        "forger99" => work.run(&Forger99::embedded(Forger99Light::Serkh)),
        "forger99k" => work.run(&Forger99::embedded(Forger99Light::Kronauer)),
        "forger99p6" => work.run(&Forger99::embedded(Forger99Light::Hybrid)),
        "jewett99" => work.run(&Jewett99::embedded()),
        _ => return None,
    })
}
