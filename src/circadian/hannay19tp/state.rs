//! The state: two points in the unit disc with their turns counted, and the adaptation.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::circadian::disc::{Complex, LEAST_AMPLITUDE, keep_amplitude, turns_and_angle, turns_between, within};
use crate::units::Radians;

/// One population: z = R e^{iψ} as a point, whole turns counted apart (see [`Hannay19State`](super::super::Hannay19State)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Population {
    re: f64,
    im: f64,
    turns: i32,
}

impl Population {
    fn new(amplitude: f64, phase: Radians) -> Population {
        let amplitude = within(amplitude, LEAST_AMPLITUDE, 1.0);
        let (turns, angle) = turns_and_angle(phase.0);
        let unit = Complex::unit(angle);
        Population { re: amplitude * unit.re, im: amplitude * unit.im, turns }
    }

    pub(super) fn point(self) -> Complex {
        Complex { re: self.re, im: self.im }
    }

    fn phase(self) -> Radians {
        Radians(TAU * f64::from(self.turns) + self.point().angle())
    }

    fn followed_by(self, next: Complex) -> Population {
        let next = keep_amplitude(next, self.point());
        let turns = self.turns.wrapping_add(turns_between(self.point(), next));
        Population { re: next.re, im: next.im, turns }
    }
}

/// State of [`Hannay19Tp`](super::Hannay19Tp).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hannay19TpState {
    pub(super) ventral: Population,
    pub(super) dorsal: Population,
    adaptation: f64,
}

impl Hannay19TpState {
    /// A state from the amplitudes and unwrapped phases of the ventral and the dorsal population, and the adaptation n.
    /// Values outside the model are taken to its border as in [`Hannay19State::new`](super::super::Hannay19State::new).
    #[must_use]
    pub fn new(amplitudes: [f64; 2], phases: [Radians; 2], adaptation: f64) -> Hannay19TpState {
        Hannay19TpState {
            ventral: Population::new(amplitudes[0], phases[0]),
            dorsal: Population::new(amplitudes[1], phases[1]),
            adaptation: within(adaptation, 0.0, 1.0),
        }
    }

    /// R of the ventral and of the dorsal population, between 0 and 1.
    #[must_use]
    pub fn amplitudes(&self) -> [f64; 2] {
        [self.ventral, self.dorsal].map(|population| population.point().length().min(1.0))
    }

    /// ψ of the ventral and of the dorsal population, unwrapped.
    #[must_use]
    pub fn phases(&self) -> [Radians; 2] {
        [self.ventral.phase(), self.dorsal.phase()]
    }

    /// n, between 0 and 1: how far the retina is adapted to light.
    #[must_use]
    pub fn adaptation(&self) -> f64 {
        self.adaptation
    }

    /// The ventral population in its first turn, and the dorsal one taken along.
    pub(super) fn without_turns(mut self) -> Hannay19TpState {
        self.dorsal.turns = self.dorsal.turns.wrapping_sub(self.ventral.turns);
        self.ventral.turns = 0;
        self
    }

    pub(super) fn followed_by(self, ventral: Complex, dorsal: Complex, adaptation: f64) -> Hannay19TpState {
        Hannay19TpState {
            ventral: self.ventral.followed_by(ventral),
            dorsal: self.dorsal.followed_by(dorsal),
            adaptation,
        }
    }
}
