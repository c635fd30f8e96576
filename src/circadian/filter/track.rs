//! One or two beliefs about a clock, followed through time.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use super::belief::{BETA, Belief, Kept, Observation, PHASE, Surprise, wrap};
use super::ensemble::{Ensemble, cells_in};
use super::life::{Life, MainSleep, Use};
use super::mixture::{self, Compromise, LEAST_SHARE, SHARES};
use super::person::{EveningLight, Person};
use super::prior::Prior;
use super::{FilterModel, LightBin, REDRAWN};
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::drive::{BIN, CELL};
use crate::units::{Hours, Radians, Span, UtcMillis};

/// A lighter belief is forgotten below this weight.
const LEAST_WEIGHT: f64 = 0.02;

/// Who is seen asleep further from the middle of the usual night is napping.
const ABOUT_A_NIGHT: Hours = Hours(6.0);

const DAY: Span = Span::days(1);

const EQUAL: [f32; 3] = [1.0 / 3.0; 3];

/// Something that says more of the clock than light does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Happening {
    /// The local clock is another one from here on, by so many hours in (−12, 12].
    Shift {
        at: UtcMillis,
        by: Hours,
    },
    Sleep(MainSleep),
    /// Seen asleep at this time, in or about the usual night; nothing is known of start and end.
    SeenAsleep {
        at: UtcMillis,
        from_habit: Hours,
    },
    /// A measured CBTmin with its SD.
    Marker {
        cbt_min: UtcMillis,
        sd: Hours,
    },
}

impl Happening {
    #[must_use]
    pub fn at(&self) -> UtcMillis {
        match self {
            Happening::Shift { at, .. } | Happening::SeenAsleep { at, .. } => *at,
            Happening::Sleep(sleep) => sleep.middle,
            Happening::Marker { cbt_min, .. } => *cbt_min,
        }
    }
}

/// Where a clock may be, at an instant of the grid; plain data, to be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    at: UtcMillis,
    first: Kept,
    second: Option<Box<Second>>,
    pub(super) life: Life,
    /// Nothing is known of the phase yet.
    diffuse: bool,
    /// How likely each of [`SHARES`] is.
    shares: [f32; 3],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Second {
    kept: Kept,
    /// Of 1.
    weight: f64,
}

/// A track unpacked for running.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    model: &'a FilterModel,
    person: &'a Person,
    at: UtcMillis,
    /// What happened before this was taken in.
    told_until: UtcMillis,
    pub(super) beliefs: [Option<Belief>; 2],
    /// Of the second.
    pub(super) weight: f64,
    life: Life,
    diffuse: bool,
    shares: [f64; 3],
    /// What the observations of this run were worth.
    pub surprises: Vec<(UtcMillis, Surprise)>,
    /// The minima that were passed, to about a quarter of an hour, with δ at that time.
    pub minima: Vec<(UtcMillis, Hours)>,
}

impl Track {
    /// A clock that has long lived its usual day, at the middle of the usual sleep, `at`: an instant of the grid.
    #[must_use]
    pub fn settled(model: &FilterModel, prior: &Prior, at: UtcMillis, amplitude: f64, adaptation: f64) -> Track {
        let belief = Belief::at_mid_sleep(prior, amplitude, adaptation, &model.numbers);
        Track { at, first: Kept::of(&belief), second: None, life: Life::settled(), diffuse: false, shares: EQUAL }
    }

    /// The same of somebody of whom nothing is known: the phase may be any.
    #[must_use]
    pub fn diffuse(model: &FilterModel, prior: &Prior, at: UtcMillis, amplitude: f64, adaptation: f64) -> Track {
        let mut belief = Belief::at_mid_sleep(prior, amplitude, adaptation, &model.numbers);
        widen(&mut belief, model.numbers.diffuse_sd);
        Track { at, first: Kept::of(&belief), second: None, life: Life::settled(), diffuse: true, shares: EQUAL }
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.at
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.second.as_ref().map_or(0, |_| size_of::<Second>())
    }

    #[must_use]
    pub fn run<'a>(&self, model: &'a FilterModel, person: &'a Person) -> Run<'a> {
        let second = self.second.as_ref();
        Run {
            model,
            person,
            at: self.at,
            told_until: self.at,
            beliefs: [Some(self.first.belief()), second.map(|second| second.kept.belief())],
            weight: second.map_or(0.0, |second| second.weight),
            life: self.life,
            diffuse: self.diffuse,
            shares: self.shares.map(f64::from),
            surprises: Vec::new(),
            minima: Vec::new(),
        }
    }
}

impl Run<'_> {
    /// Takes in what a laboratory found of δ, with its variance (h²). Not to be kept: a result is known for long, and is
    /// taken in anew by every run that speaks of the present.
    pub fn know_delta(&mut self, delta: Hours, variance: f64) {
        self.observe(|belief| Observation::of_delta(belief, delta, variance));
        self.surprises.clear();
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.at
    }

    #[must_use]
    pub fn model(&self) -> &FilterModel {
        self.model
    }

    #[must_use]
    pub fn life(&self) -> &Life {
        &self.life
    }

    #[must_use]
    pub fn is_diffuse(&self) -> bool {
        self.diffuse
    }

    /// To be kept. Only at an instant at which sample points are redrawn is nothing lost by it.
    #[must_use]
    pub fn track(&self) -> Track {
        let [first, second] = &self.beliefs;
        let second = second.as_ref().map(|belief| Box::new(Second { kept: Kept::of(belief), weight: self.weight }));
        let first = first.as_ref().map_or_else(|| Kept::of(&self.usual()), Kept::of);
        Track {
            at: self.at,
            first,
            second,
            life: self.life,
            diffuse: self.diffuse,
            shares: self.shares.map(|share| share as f32),
        }
    }

    fn usual(&self) -> Belief {
        Belief::at_mid_sleep(&self.person.prior, 0.7, 0.5, &self.model.numbers)
    }

    /// Moves up to the last stop at or before `until`: an instant of redrawing, or the cell of a happening before `until`.
    /// `light` is asked once for every quarter hour, in order; `happenings` are in order of time, those that lie
    /// before the last `until` were taken in then.
    pub fn advance(
        &mut self,
        until: UtcMillis,
        happenings: &[Happening],
        mut light: impl FnMut(UtcMillis) -> LightBin,
    ) {
        let from = self.told_until;
        self.told_until = until.max(from);
        let due = |happening: &&Happening| from <= happening.at() && happening.at() < until;
        let mut next = happenings.iter().filter(due).peekable();
        loop {
            let redraw = self.at.floor_to(REDRAWN) + REDRAWN;
            if let Some(Happening::Shift { at, by }) = next.peek()
                && *at < redraw
            {
                // It moves nothing, so nothing stops for it.
                self.life.clock_shifted(*at, *by, &self.model.numbers);
                next.next();
                continue;
            }
            let stop = next.peek().map_or(redraw, |happening| happening.at().floor_to(CELL).max(self.at).min(redraw));
            if stop > until {
                return;
            }
            if stop > self.at {
                self.carry(stop, &mut light);
                if stop == redraw {
                    self.tidy();
                }
            }
            while let Some(happening) = next.peek()
                && happening.at().floor_to(CELL) <= self.at
                && !matches!(happening, Happening::Shift { .. })
            {
                self.take(happening);
                next.next();
            }
        }
    }

    fn carry(&mut self, stop: UtcMillis, light: &mut impl FnMut(UtcMillis) -> LightBin) {
        let hours = (stop - self.at).as_hours().0;
        let mut ensembles = self.ensembles();
        let mut cell = self.at;
        let mut light = |bin: UtcMillis| self.seen(light(bin), bin);
        for _ in 0..cells_in(stop - self.at) {
            let (first, second) = (light(cell), light(cell + BIN));
            for ensemble in ensembles.iter_mut().flatten() {
                ensemble.cell(&self.model.numbers, first, second);
            }
            cell += CELL;
        }
        let before = self.mean_phase();
        for (belief, ensemble) in self.beliefs.iter_mut().zip(&ensembles) {
            if let (Some(belief), Some(ensemble)) = (belief, ensemble) {
                belief.follow(ensemble, hours, &self.person.prior, &self.model.numbers);
            }
        }
        self.note_minimum(before, hours);
        self.at = stop;
    }

    fn note_minimum(&mut self, before: f64, hours: f64) {
        let after = self.mean_phase();
        let level = PI + TAU * libm::floor((after - PI) / TAU);
        if before < level && level <= after && after - before < PI {
            let at = self.at + Span::from_hours(Hours(hours * (level - before) / (after - before)));
            let heavier = self.beliefs[usize::from(self.weight > 0.5)].or(self.beliefs[0]);
            let delta = heavier.map_or(0.0, |belief| belief.mean[super::belief::DELTA]);
            self.minima.push((at, Hours(delta)));
        }
    }

    /// Light as it counts for this person at that time.
    pub(super) fn seen(&self, bin: LightBin, at: UtcMillis) -> LightBin {
        if self.person.evening == EveningLight::PLAIN {
            return bin;
        }
        self.person.evening.at(bin, Radians(self.mean_phase() + (at - self.at).as_hours().0 * PHASE_PER_HOUR))
    }

    /// ψ + βω of the heavier belief.
    fn mean_phase(&self) -> f64 {
        let heavier = self.beliefs[usize::from(self.weight > 0.5)].or(self.beliefs[0]);
        heavier.map_or(0.0, |belief| belief.mean[PHASE] + belief.mean[BETA] * PHASE_PER_HOUR)
    }

    pub(super) fn ensembles(&self) -> [Option<Ensemble>; 2] {
        let (oscillator, settled) = (&self.model.oscillator, self.life.is_quiet());
        self.beliefs.each_ref().map(|belief| belief.as_ref().map(|belief| Ensemble::of(belief, oscillator, settled)))
    }

    /// At an instant of redrawing: what is kept is what goes on, and two beliefs that agree become one.
    fn tidy(&mut self) {
        for belief in self.beliefs.iter_mut().flatten() {
            if !belief.is_finite() {
                // Not reachable by any input that is known; a clock that is unknown is better than one that is not a number.
                let mut anew = Belief::at_mid_sleep(&self.person.prior, 0.7, 0.5, &self.model.numbers);
                widen(&mut anew, self.model.numbers.diffuse_sd);
                *belief = anew;
            }
        }
        self.merge();
        let mut split_above = self.model.numbers.split_sd;
        if self.at.floor_to(DAY) == self.at {
            let arrived = self.life.day_begins();
            if arrived.is_some() {
                self.shares = EQUAL.map(f64::from);
            }
            if arrived.is_some_and(|by| by.0.abs() >= self.model.numbers.split_shift.0) {
                split_above = 0.0;
            }
        }
        if !self.diffuse {
            self.split(split_above);
        }
        for belief in self.beliefs.iter_mut().flatten() {
            *belief = belief.rounded();
        }
        self.shares = self.shares.map(|share| f64::from(share as f32));
    }

    fn take(&mut self, happening: &Happening) {
        let after = (happening.at() - self.at).as_hours().0;
        match happening {
            // Told to life on the way.
            Happening::Shift { .. } => {}
            Happening::Sleep(sleep) => self.take_sleep(sleep, after),
            Happening::SeenAsleep { from_habit, .. } => {
                let near_a_night = from_habit.0.abs() < ABOUT_A_NIGHT.0;
                if near_a_night && self.life.is_settled() {
                    let sd = self.model.numbers.seen_asleep;
                    self.observe(|belief| Observation::of_sleep(belief, after, sd));
                }
            }
            Happening::Marker { sd, .. } => {
                let sd = sd.0.max(0.1);
                self.observe(|belief| Observation::of_marker(belief, after, sd));
                self.diffuse = false;
            }
        }
    }

    fn take_sleep(&mut self, sleep: &MainSleep, after: f64) {
        if self.diffuse {
            self.begin_from(after);
            return;
        }
        let numbers = &self.model.numbers;
        let Some(belief) = &self.beliefs[0] else { return };
        let expected = Observation::of_sleep(belief, after, self.person.sleep_sd.0);
        // A phase that is ahead of the night means that the night was late.
        let off = -expected.innovation / PHASE_PER_HOUR;
        match self.life.take(sleep, off, belief.phase_sd(), numbers) {
            Use::IsDark => {}
            Use::Compromises => self.compromise(sleep, after),
            used => {
                if used == Use::ObservesAnew {
                    for belief in self.beliefs.iter_mut().flatten() {
                        let sd = belief.phase_sd();
                        if sd < numbers.returned_sd {
                            widen(belief, numbers.returned_sd);
                        }
                    }
                }
                let sd = self.person.sleep_sd.0;
                let surprise = self.observe(|belief| Observation::of_sleep(belief, after, sd));
                if surprise.is_some_and(|surprise| surprise.rejected) {
                    if self.life.rejected(off, numbers) {
                        self.begin_from(after);
                    }
                } else {
                    self.life.accepted();
                }
            }
        }
    }

    /// The phase of settled life, `after` hours before the middle of a main sleep.
    fn begin_from(&mut self, after: f64) {
        let before = self.beliefs[0].unwrap_or_else(|| self.usual());
        let mut belief = Belief::at_mid_sleep(
            &self.person.prior,
            before.mean[super::belief::AMPLITUDE],
            before.adaptation,
            &self.model.numbers,
        );
        belief.mean[PHASE] -= after * PHASE_PER_HOUR;
        belief.covariance[PHASE][PHASE] +=
            self.person.sleep_sd.0 * self.person.sleep_sd.0 * PHASE_PER_HOUR * PHASE_PER_HOUR;
        self.beliefs = [Some(belief), None];
        self.weight = 0.0;
        self.diffuse = false;
    }

    /// Takes an observation into every belief; what it was worth to the heavier one.
    fn observe(&mut self, of: impl Fn(&Belief) -> Observation) -> Option<Surprise> {
        let observations = self.beliefs.each_ref().map(|belief| belief.as_ref().map(&of));
        self.reweigh(&observations);
        let gate = self.model.numbers.gate;
        let mut surprises = [None; 2];
        for ((belief, observation), surprise) in self.beliefs.iter_mut().zip(&observations).zip(&mut surprises) {
            if let (Some(belief), Some(observation)) = (belief, observation) {
                *surprise = Some(belief.observe(observation, gate));
            }
        }
        let heavier = surprises[usize::from(self.weight > 0.5)].or(surprises[0]);
        self.surprises.extend(heavier.map(|surprise| (self.at, surprise)));
        heavier
    }

    /// A sleep after a flight: people sleep between where the clock on the wall and where their own would have them, nobody
    /// knows how much nearer to which. All shares that are thought possible are taken, and weighed by what they explain.
    fn compromise(&mut self, sleep: &MainSleep, after: f64) {
        let numbers = &self.model.numbers;
        let mut evidence = [0.0; 2];
        let mut shares = [0.0; SHARES.len()];
        let weights = [1.0 - self.weight, self.weight];
        for (index, belief) in self.beliefs.iter_mut().enumerate() {
            let Some(belief) = belief else { continue };
            let compromise = Compromise::of(belief, sleep.from_habit.0, after);
            let mut parts = [(0.0, *belief); SHARES.len()];
            for ((part, share), weight) in parts.iter_mut().zip(SHARES).zip(self.shares) {
                let (likelihood, updated) = compromise.with_share(belief, share, numbers.unsettled_sleep);
                *part = (weight * likelihood, updated);
            }
            let total: f64 = parts.iter().fold(0.0, |sum, part| sum + part.0);
            evidence[index] = weights[index] * total;
            for (share, part) in shares.iter_mut().zip(&parts) {
                *share += weights[index] * part.0;
            }
            if compromise.moves {
                *belief = mixture::moments(&parts, total);
            }
        }
        let total = evidence[0] + evidence[1];
        if total > 0.0 {
            if self.beliefs[1].is_some() {
                self.weight = evidence[1] / total;
            }
            self.shares = shares.map(|share| (share / total).max(LEAST_SHARE));
        }
    }

    fn reweigh(&mut self, observations: &[Option<Observation>; 2]) {
        let ([Some(first), Some(second)], [Some(one), Some(other)]) = (&self.beliefs, observations) else { return };
        let log_likelihood = |observation: &Observation, belief: &Belief| {
            let spread = observation.spread(belief);
            -0.5 * (observation.innovation * observation.innovation / spread + libm::log(spread))
        };
        let odds = libm::exp((log_likelihood(other, second) - log_likelihood(one, first)).clamp(-20.0, 20.0));
        let heavy = self.weight * odds;
        self.weight = heavy / (heavy + 1.0 - self.weight);
    }

    /// Makes two beliefs of one whose phase is known worse than `above` hours.
    fn split(&mut self, above: f64) {
        let numbers = &self.model.numbers;
        let [Some(belief), None] = self.beliefs else { return };
        let variance = belief.covariance[PHASE][PHASE];
        if libm::sqrt(variance) / PHASE_PER_HOUR <= above {
            return;
        }
        let parts = mixture::halves(&belief, numbers.split_reach);
        self.beliefs = parts.map(Some);
        self.weight = 0.5;
    }

    fn merge(&mut self) {
        let ([Some(first), Some(second)], numbers) = (&self.beliefs, &self.model.numbers) else { return };
        let phase = |belief: &Belief| belief.mean[PHASE] + belief.mean[BETA] * PHASE_PER_HOUR;
        let apart = wrap(phase(second) - phase(first));
        if self.weight < LEAST_WEIGHT {
            self.beliefs[1] = None;
            self.weight = 0.0;
        } else if self.weight > 1.0 - LEAST_WEIGHT {
            self.beliefs = [Some(*second), None];
            self.weight = 0.0;
        } else if apart.abs() < numbers.merged_within * PHASE_PER_HOUR {
            let merged = mixture::mean_of(first, second, self.weight);
            self.beliefs = [Some(merged), None];
            self.weight = 0.0;
        }
    }
}

/// Makes the phase so uncertain, and independent of everything else, that its SD is `sd` hours.
fn widen(belief: &mut Belief, sd: f64) {
    let wanted = sd * PHASE_PER_HOUR;
    let row_variance = belief.phase_sd() * PHASE_PER_HOUR;
    let missing = wanted * wanted - row_variance * row_variance;
    if missing > 0.0 {
        belief.covariance[PHASE][PHASE] += missing;
    }
}
