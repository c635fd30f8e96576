//! When the clock has its next minimum: the sample points are carried on until each has crossed.

use std::f64::consts::{PI, TAU};

use super::LightBin;
use super::belief::{BETA, Belief, DELTA, GAIN, Lane, PHASE};
use super::circle::{gather_hours, gather_phases};
use super::ensemble::{CellLight, Ensemble, move_all};
use super::matrix::{MOVING, Vector, solve_lower};
use super::mixture::PARTS;
use super::said::{Said, Weighed};
use super::track::Run;
use crate::circadian::drive::{BIN, CELL};
use crate::circadian::hannay19::{LANES, LaneStates};
use crate::circadian::{Hannay19State, PHASE_PER_HOUR};
use crate::units::{Hours, Span, UtcMillis};

/// Nobody watches for longer: light may hold a clock of hardly any amplitude where it is, and what has not reached its minimum
/// until then is taken to go on at a turn a day.
const LIMIT: Span = Span::hours(60);

/// Pace in the dark, radians per hour: 24.177 h a turn (Hannay19's free-running period).
const DARK_PACE: f64 = TAU / 24.177;

/// A phase takes at least this share of its uniform time, as far as light can hurry it: until then nobody looks.
const SLOWEST_WATCH: f64 = 0.6;

/// What is said of the next minimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    pub cbt_min: UtcMillis,
    pub sd: Hours,
    /// The shortest intervals that hold 80 % and 95 %.
    pub interval_80: [UtcMillis; 2],
    pub interval_95: [UtcMillis; 2],
    /// R, now.
    pub amplitude: f64,
    /// δ, as it is believed for this person.
    pub delta: Hours,
    /// Weight of what is believed of a clock hours away from this one; 0 where there is one belief.
    pub lighter: f64,
}

/// A belief's next minimum: hours after the run's instant, and their SD.
#[derive(Clone, Copy, Debug)]
struct Minimum {
    mean: f64,
    sd: f64,
    amplitude: f64,
}

impl Run<'_> {
    /// The first minimum after `at`, which lies less than a redrawing's length after [`Run::at`]; the run stays where it
    /// is. `light` is asked once for every quarter hour from [`Run::at`] on, in order.
    #[must_use]
    pub fn next_minimum(&self, at: UtcMillis, mut light: impl FnMut(UtcMillis) -> LightBin) -> Published {
        let after = (at - self.at()).as_hours().0;
        let ensembles = self.ensembles();
        let drawn = ensembles.iter().zip(self.beliefs.iter());
        let mut watches: Vec<Watch> =
            drawn.map(|(ensemble, (_, belief))| Watch::new(ensemble, belief, after)).collect();
        let seen = self.seen();
        let mut drives = self.model().drives();
        let mut cell = self.at();
        while waiting(&mut watches).next().is_some() && cell - self.at() < LIMIT {
            let (first, second) = (seen(light(cell), cell), seen(light(cell + BIN), cell + BIN));
            let cell_light = CellLight::new(&mut drives, first, second);
            move_all(waiting(&mut watches).map(|watch| &mut watch.ensemble), &cell_light, &self.model().numbers);
            waiting(&mut watches).for_each(Watch::look);
            cell += CELL;
        }
        // There is a watch for every part.
        let main = watches[self.beliefs.heaviest_index()].reached();
        let mut minima = [Weighed { weight: 0.0, mean: main.mean, sd: main.sd }; PARTS];
        for ((minimum, watch), (weight, _)) in minima.iter_mut().zip(&watches).zip(self.beliefs.iter()) {
            let Minimum { mean, sd, .. } = watch.reached();
            // The same turn as the heaviest.
            *minimum = Weighed { weight, mean: main.mean + Hours(mean - main.mean).wrap_12().0, sd };
        }
        let time = |hours: f64| self.at() + Span::from_hours(Hours(hours));
        let said = if self.beliefs.is_one() {
            Said::of_one(main.mean, main.sd)
        } else {
            Said::of_several(&minima, main.mean, after)
        };
        Published {
            cbt_min: time(said.middle),
            sd: Hours(said.sd),
            interval_80: said.interval_80.map(time),
            interval_95: said.interval_95.map(time),
            amplitude: main.amplitude,
            delta: Hours(self.beliefs.heaviest().mean[DELTA]),
            lighter: said.elsewhere,
        }
    }
}

fn waiting(watches: &mut [Watch]) -> impl Iterator<Item = &mut Watch> {
    watches.iter_mut().filter(|watch| watch.minimum.is_none())
}

/// Sample points on the way to their minimum.
struct Watch {
    ensemble: Ensemble,
    /// Hours after the start from which on a minimum counts.
    after: f64,
    elapsed: f64,
    /// ψ + βω at the start.
    start: Lane,
    /// βω of each lane, and the turns that bring it to the others.
    ahead: Lane,
    /// The level that is being waited for.
    level: f64,
    /// Hours from the start at which each lane crossed it.
    crossed: [Option<f64>; LANES],
    /// Hours from the start before which no lane can, and from which on phases are looked at.
    watched_from: f64,
    /// Where each lane's ψ is at the level, as an angle and as a direction.
    goals: [Goal; LANES],
    /// The points a cell ago.
    before: LaneStates,
    residual_beta: f64,
    amplitude: f64,
    gain_reach: f64,
    minimum: Option<Minimum>,
}

impl Watch {
    fn new(ensemble: &Ensemble, belief: &Belief, after: f64) -> Watch {
        let (factor, samples) = ensemble.drawn();
        let cross: Vector<MOVING> = std::array::from_fn(|index| belief.covariance[index][BETA]);
        let weights = solve_lower(factor, &cross);
        let explained = weights.iter().fold(0.0, |sum, weight| sum + weight * weight);
        let mut beta = [belief.mean[BETA]; LANES];
        for axis in 0..MOVING {
            beta[2 * axis] += super::belief::REACH * weights[axis];
            beta[2 * axis + 1] -= super::belief::REACH * weights[axis];
        }
        let own = beta.map(|beta| beta * PHASE_PER_HOUR);
        let drawn: Lane = std::array::from_fn(|lane| samples[PHASE][lane] + own[lane]);
        let mut start = drawn;
        gather_phases(&mut start);
        let ahead: Lane = std::array::from_fn(|lane| own[lane] + (start[lane] - drawn[lane]));
        let mean = start.iter().fold(0.0, |sum, phase| sum + phase) / LANES as f64;
        let mut watch = Watch {
            after,
            elapsed: 0.0,
            start,
            ahead,
            level: 0.0,
            crossed: [None; LANES],
            watched_from: 0.0,
            goals: [Goal::default(); LANES],
            before: *ensemble.states(),
            residual_beta: (belief.covariance[BETA][BETA] - explained).max(0.0),
            amplitude: 0.0,
            gain_reach: 2.0 * super::belief::REACH * factor[GAIN][GAIN],
            ensemble: *ensemble,
            minimum: None,
        };
        watch.wait_for(PI + TAU * libm::ceil((mean - PI) / TAU));
        watch
    }

    /// Lanes that have passed the level already did so at the pace of the dark.
    fn wait_for(&mut self, level: f64) {
        self.level = level;
        self.crossed = self.start.map(|start| (start >= level).then(|| -(start - level) / DARK_PACE));
        let nearest = self
            .start
            .iter()
            .fold(f64::INFINITY, |least, start| if *start >= level { least } else { least.min(level - start) });
        self.watched_from = (nearest / PHASE_PER_HOUR * SLOWEST_WATCH - 1.0).max(self.elapsed);
        self.goals = self.ahead.map(|ahead| Goal::at(level - ahead));
        self.before = *self.ensemble.states();
    }

    /// ψ + βω of a lane.
    fn phase(&self, states: &LaneStates, lane: usize) -> f64 {
        states.state(lane).phase().0 + self.ahead[lane]
    }

    /// Half an hour has passed.
    fn look(&mut self) {
        let length = CELL.as_hours().0;
        let states = *self.ensemble.states();
        if self.elapsed >= self.watched_from {
            for lane in 0..LANES {
                // An angle costs as much as half a step of all lanes, and most looks are early.
                if self.crossed[lane].is_some() || self.goals[lane].lies_beyond(&states.state(lane)) {
                    continue;
                }
                let after = self.phase(&states, lane);
                if after >= self.level {
                    let before = self.phase(&self.before, lane);
                    let share = (self.level - before) / (after - before);
                    self.crossed[lane] = Some(self.elapsed + share.clamp(0.0, 1.0) * length);
                }
            }
        }
        self.before = states;
        self.elapsed += length;
        if self.elapsed <= self.after + 1e-9 || self.amplitude == 0.0 {
            self.amplitude = self.ensemble.mean_amplitude();
        }
        self.finish();
    }

    fn finish(&mut self) {
        let mut times = [0.0; LANES];
        for (time, crossed) in times.iter_mut().zip(&self.crossed) {
            let Some(crossed) = crossed else { return };
            *time = *crossed;
        }
        gather_hours(&mut times);
        let minimum = self.of_times(&times);
        if minimum.mean <= self.after {
            // It lies behind the time that was asked about: the next one.
            self.wait_for(self.level + TAU);
            return;
        }
        self.minimum = Some(minimum);
    }

    /// The minimum; where not every point has reached its own, they are taken to go on as clocks do on average.
    fn reached(&self) -> Minimum {
        if let Some(minimum) = self.minimum {
            return minimum;
        }
        let phase = |lane: usize| self.phase(self.ensemble.states(), lane);
        let left = |lane: usize| ((self.level - phase(lane)) / PHASE_PER_HOUR).max(0.0);
        let mut times: Lane =
            std::array::from_fn(|lane| self.crossed[lane].unwrap_or_else(|| self.elapsed + left(lane)));
        gather_hours(&mut times);
        let minimum = self.of_times(&times);
        // Which day it is for a clock that stands still, nobody can say: the next.
        let days = libm::floor((self.after - minimum.mean) / 24.0) + 1.0;
        Minimum { mean: minimum.mean + 24.0 * days, ..minimum }
    }

    fn of_times(&self, times: &Lane) -> Minimum {
        let mean = times.iter().fold(0.0, |sum, time| sum + time) / LANES as f64;
        let variance = times.iter().fold(0.0, |sum, time| sum + (time - mean) * (time - mean)) / LANES as f64;
        let days = mean.max(0.0) / 24.0;
        let slope = (times[2 * GAIN] - times[2 * GAIN + 1]) / self.gain_reach;
        let light = self.ensemble.light_variance() * slope * slope;
        let own = self.ensemble.phase_noise();
        let noise = own * own * days;
        let sd = libm::sqrt(variance + self.residual_beta + light + noise);
        Minimum { mean, sd, amplitude: self.amplitude }
    }
}

/// A phase that is waited for.
#[derive(Clone, Copy, Debug, Default)]
struct Goal {
    phase: f64,
    sine: f64,
    cosine: f64,
}

/// Further from a goal than any rounding: as an angle, and as a distance from the line through the centre.
const SURELY_APART: f64 = 1e-6;
const SURELY_ASIDE: f64 = 1e-3;

impl Goal {
    fn at(phase: f64) -> Goal {
        let (sine, cosine) = libm::sincos(phase);
        Goal { phase, sine, cosine }
    }

    /// Whether a point has not come to the goal, without its angle: `false` also where only that could tell.
    fn lies_beyond(&self, state: &Hannay19State) -> bool {
        // The half turn that the point is in.
        let from = TAU * f64::from(state.turns()) - if state.im() >= 0.0 { 0.0 } else { PI };
        if from + PI < self.phase - SURELY_APART {
            return true;
        }
        // The goal is in there too: the point is ahead of it, or behind, by less than half a turn.
        from <= self.phase && self.cosine * state.im() - self.sine * state.re() < -SURELY_ASIDE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Radians;

    proptest! {
        #[test]
        fn nothing_that_has_come_to_a_goal_is_taken_for_one_that_has_not(
            phase in -100.0..100.0f64,
            off in prop_oneof![-20.0..20.0f64, -1e-5..1e-5f64, Just(0.0)],
            half_turns in -6i32..6,
            amplitude in 1e-6..1.0f64,
        ) {
            let state = Hannay19State::new(amplitude, Radians(phase), 0.5);
            let goal = state.phase().0 + PI * f64::from(half_turns) + off;
            let is_there = state.phase().0 >= goal;
            prop_assert!(!(is_there && Goal::at(goal).lies_beyond(&state)));
            // What is a turn ahead is never left to angles.
            prop_assert!(goal - state.phase().0 < TAU || Goal::at(goal).lies_beyond(&state));
        }
    }
}
