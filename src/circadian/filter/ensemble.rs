//! Sample points on their way: eight oscillators under one light.

use super::belief::{AMPLITUDE, AMPLITUDES, Belief, GAIN, Lane, PERIOD, PHASE};
use super::life::Life;
use super::matrix::{MOVING, Matrix};
use super::numbers::FilterNumbers;
use super::person::Person;
use super::{LightBin, LightSource};
use crate::circadian::drive::{BIN, CELL};
use crate::circadian::hannay19::{KnownDrives, LANES, LaneDrives, LaneStates};
use crate::circadian::{Hannay19, Hannay19Lanes, Hannay19State};
use crate::units::{Hours, Radians, Span, UtcMillis};

/// How the light of a stretch was known: quarter hours of light that mattered, by source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wakeful {
    weight: f64,
    variance: f64,
}

impl Wakeful {
    fn add(&mut self, bin: &LightBin, noise: &Noise, numbers: &FilterNumbers) {
        let sd = match bin.source {
            LightSource::Asleep => return,
            LightSource::Measured => numbers.measured_light,
            LightSource::Context => numbers.context_light,
            LightSource::Imputed => noise.imputed,
        };
        self.weight += 1.0;
        self.variance += sd * sd;
    }

    /// Mean variance of the logarithm of the light while awake.
    fn variance(&self) -> f64 {
        if self.weight > 0.0 { self.variance / self.weight } else { 0.0 }
    }
}

/// The light of a cell's two quarter hours, and what it does, to all points alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellLight<'a> {
    bins: [LightBin; 2],
    drives: [&'a LaneDrives; 2],
}

impl<'a> CellLight<'a> {
    pub(super) fn new(drives: &'a mut KnownDrives<'_>, first: LightBin, second: LightBin) -> CellLight<'a> {
        CellLight { bins: [first, second], drives: drives.of_two(first.light, second.light) }
    }

    /// One step where the light stays the same, else two.
    fn each_step(&self, mut step: impl FnMut(&LaneDrives, Span)) {
        let [first, second] = self.bins.map(|bin| bin.light.0.to_bits());
        if first == second {
            step(self.drives[0], CELL);
        } else {
            step(self.drives[0], BIN);
            step(self.drives[1], BIN);
        }
    }
}

/// How well it is known what moves a clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    /// SD of the phase's own noise, hours per square root of a day.
    pub phase: f64,
    /// The same of δ.
    pub delta: f64,
    /// SD of the logarithm of light that is imputed.
    pub imputed: f64,
}

impl Noise {
    pub(super) fn of(life: &Life, at: UtcMillis, person: &Person, numbers: &FilterNumbers) -> Noise {
        if life.is_explained() {
            let (phase, imputed) = if person.knows_hours {
                (numbers.phase_noise, numbers.imputed_light)
            } else {
                (numbers.phase_noise_stranger, numbers.imputed_stranger)
            };
            return Noise { phase, delta: 0.0, imputed };
        }
        let phase = if life.is_back_from_other_hours(at, numbers) {
            numbers.phase_noise_returned
        } else if life.is_at_other_hours(numbers) {
            numbers.phase_noise_elsewhere
        } else {
            numbers.phase_noise_unexplained
        };
        Noise { phase, delta: numbers.delta_noise_unexplained, imputed: numbers.imputed_unexplained }
    }
}

/// Sample points on their way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ensemble {
    lanes: Hannay19Lanes,
    states: LaneStates,
    factor: Matrix<MOVING>,
    samples: [Lane; MOVING],
    wakeful: Wakeful,
    noise: Noise,
}

impl Ensemble {
    /// The sample points, to be carried on and looked at one by one.
    pub(super) fn of(belief: &Belief, oscillator: &Hannay19, noise: Noise) -> Ensemble {
        let (factor, samples) = belief.draw();
        let state = |lane: usize| {
            Hannay19State::new(samples[AMPLITUDE][lane], Radians(samples[PHASE][lane]), belief.adaptation)
        };
        let mut states = [state(0); LANES];
        for lane in 1..LANES {
            // The last points differ in τ and gain alone, and sines are dear.
            let is_same = |row: usize| samples[row][lane].to_bits() == samples[row][lane - 1].to_bits();
            states[lane] = if is_same(AMPLITUDE) && is_same(PHASE) { states[lane - 1] } else { state(lane) };
        }
        Ensemble {
            lanes: Hannay19Lanes::personal(oscillator, &samples[PERIOD].map(Hours), &samples[GAIN].map(libm::exp)),
            states: LaneStates::new(&states),
            factor,
            samples,
            wakeful: Wakeful::default(),
            noise,
        }
    }

    fn note(&mut self, light: &CellLight<'_>, numbers: &FilterNumbers) {
        for bin in &light.bins {
            self.wakeful.add(bin, &self.noise, numbers);
        }
    }

    pub(super) fn factor(&self) -> &Matrix<MOVING> {
        &self.factor
    }

    /// The factor and the samples that the points were drawn with.
    pub(super) fn drawn(&self) -> (&Matrix<MOVING>, &[Lane; MOVING]) {
        (&self.factor, &self.samples)
    }

    /// SD of the phase's own noise, hours per square root of a day.
    pub(super) fn phase_noise(&self) -> f64 {
        self.noise.phase
    }

    /// SD of δ's own noise, hours per square root of a day.
    pub(super) fn delta_noise(&self) -> f64 {
        self.noise.delta
    }

    /// Variance of the logarithm of the light on the way.
    pub(super) fn light_variance(&self) -> f64 {
        self.wakeful.variance()
    }

    pub(super) fn mean_amplitude(&self) -> f64 {
        self.states.states().iter().fold(0.0, |sum, state| sum + state.amplitude()) / LANES as f64
    }

    pub(super) fn states(&self) -> &LaneStates {
        &self.states
    }

    /// Where the points are, and the light adaptation that they share.
    pub(super) fn moved(&self) -> ([Lane; MOVING], f64) {
        let mut samples = self.samples;
        let states = self.states.states();
        for (lane, state) in states.iter().enumerate() {
            samples[AMPLITUDE][lane] = state.amplitude().clamp(AMPLITUDES.0, AMPLITUDES.1);
            samples[PHASE][lane] = state.phase().0;
        }
        (samples, states[0].adaptation())
    }
}

/// Moves ensembles over a cell of half an hour; two at a time, which costs little more than one.
pub(super) fn move_all<'a>(
    mut ensembles: impl Iterator<Item = &'a mut Ensemble>,
    light: &CellLight<'_>,
    numbers: &FilterNumbers,
) {
    while let Some(first) = ensembles.next() {
        first.note(light, numbers);
        let Some(second) = ensembles.next() else {
            light.each_step(|drives, length| first.lanes.step(&mut first.states, drives, length));
            return;
        };
        second.note(light, numbers);
        let mut states = [first.states, second.states];
        light.each_step(|drives, length| {
            Hannay19Lanes::step_two([&first.lanes, &second.lanes], &mut states, drives, length);
        });
        [first.states, second.states] = states;
    }
}

pub(super) const fn cells_in(span: Span) -> i64 {
    span.0 / CELL.0
}
