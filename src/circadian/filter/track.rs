//! One or several beliefs about a clock, followed through time.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use super::belief::{AMPLITUDE, Belief, DELTA, Kept, Observation, PHASE, Surprise};
use super::compromise::Compromise;
use super::ensemble::{CellLight, Ensemble, Noise, cells_in, move_all};
use super::happening::Happening;
use super::life::{Life, MainSleep, Use};
use super::mixture::Mixture;
use super::person::{EveningLight, Person};
use super::prior::Prior;
use super::{FilterModel, LightBin, REDRAWN};
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::drive::{BIN, CELL};
use crate::circadian::hannay19::KnownDrives;
use crate::rare::Rare;
use crate::units::{Hours, Radians, Span, UtcMillis};

/// Who is seen asleep further from the middle of the usual night is napping.
const ABOUT_A_NIGHT: Hours = Hours(6.0);

const DAY: Span = Span::days(1);

/// Where a clock may be, at an instant of the grid; plain data, to be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    at: UtcMillis,
    first: Kept,
    others: Rare<Other>,
    pub(super) life: Life,
    /// Nothing is known of the phase yet.
    diffuse: bool,
}

/// A belief besides the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Other {
    kept: Kept,
    /// Of 1.
    weight: f64,
}

/// A track unpacked for running.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub(super) model: &'a FilterModel,
    person: &'a Person,
    at: UtcMillis,
    /// What happened before this was taken in.
    told_until: UtcMillis,
    pub(super) beliefs: Mixture,
    life: Life,
    diffuse: bool,
    /// What the observations of this run were worth; of nights that were not taken for one, and nobody said why they lie
    /// elsewhere, what they would have been.
    pub surprises: Vec<(UtcMillis, Surprise)>,
    /// A laboratory found what this clock can't be, and nothing else that it found says so too.
    pub is_contradicted: bool,
    /// The minima that were passed, to about a quarter of an hour, with δ at that time.
    pub minima: Vec<(UtcMillis, Hours)>,
}

impl Track {
    /// A clock that has long lived its usual day, at the middle of the usual sleep, `at`: an instant of the grid.
    #[must_use]
    pub fn settled(model: &FilterModel, prior: &Prior, at: UtcMillis, amplitude: f64, adaptation: f64) -> Track {
        let belief = Belief::at_mid_sleep(prior, amplitude, adaptation, &model.numbers);
        Track { at, first: Kept::of(&belief), others: Rare::default(), life: Life::settled(), diffuse: false }
    }

    /// The same of somebody of whom nothing is known: the phase may be any.
    #[must_use]
    pub fn diffuse(model: &FilterModel, prior: &Prior, at: UtcMillis, amplitude: f64, adaptation: f64) -> Track {
        let mut belief = Belief::at_mid_sleep(prior, amplitude, adaptation, &model.numbers);
        belief.widen(model.numbers.diffuse_sd);
        Track { at, first: Kept::of(&belief), others: Rare::default(), life: Life::settled(), diffuse: true }
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.at
    }

    /// How much later than what is assumed of strangers somebody has slept of late, whose hours nobody told; `None` where
    /// nothing is known of that.
    #[must_use]
    pub fn later_than_assumed(&self) -> Option<Span> {
        (!self.diffuse || self.life.was_seen()).then(|| self.life.later_than_assumed())
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.others.heap_bytes()
    }

    #[must_use]
    pub fn run<'a>(&self, model: &'a FilterModel, person: &'a Person) -> Run<'a> {
        let others = self.others.as_slice().iter().map(|other| (other.weight, other.kept.belief()));
        Run {
            model,
            person,
            at: self.at,
            told_until: self.at,
            beliefs: Mixture::of(&self.first.belief(), others),
            life: self.life,
            diffuse: self.diffuse,
            surprises: Vec::new(),
            is_contradicted: false,
            minima: Vec::new(),
        }
    }
}

impl Run<'_> {
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

    /// How much later than what is assumed of strangers somebody has slept of late, whose hours nobody told; `None` where
    /// nothing is known of that.
    #[must_use]
    pub fn later_than_assumed(&self) -> Option<Span> {
        (!self.diffuse || self.life.was_seen()).then(|| self.life.later_than_assumed())
    }

    /// To be kept. Only at an instant at which sample points are redrawn is nothing lost by it.
    #[must_use]
    pub fn track(&self) -> Track {
        let mut parts = self.beliefs.iter().map(|(weight, belief)| Other { kept: Kept::of(belief), weight });
        let first = parts.next().map_or_else(|| Kept::of(&self.usual()), |first| first.kept);
        let others = parts.collect();
        Track { at: self.at, first, others, life: self.life, diffuse: self.diffuse }
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
        let mut drives = self.model.drives();
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
                self.carry(stop, &mut drives, &mut light);
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

    fn carry(&mut self, stop: UtcMillis, drives: &mut KnownDrives<'_>, light: &mut impl FnMut(UtcMillis) -> LightBin) {
        let hours = (stop - self.at).as_hours().0;
        let mut ensembles = self.ensembles();
        let mut cell = self.at;
        let seen = self.seen();
        for _ in 0..cells_in(stop - self.at) {
            let (first, second) = (seen(light(cell), cell), seen(light(cell + BIN), cell + BIN));
            let cell_light = CellLight::new(drives, first, second);
            move_all(ensembles.iter_mut(), &cell_light, &self.model.numbers);
            cell += CELL;
        }
        let before = self.beliefs.mean_phase();
        for (belief, ensemble) in self.beliefs.iter_mut().zip(&ensembles) {
            belief.follow(ensemble, hours, &self.person.prior, &self.model.numbers);
        }
        self.note_minimum(before, hours);
        self.at = stop;
    }

    fn note_minimum(&mut self, before: f64, hours: f64) {
        let after = self.beliefs.mean_phase();
        let level = PI + TAU * libm::floor((after - PI) / TAU);
        if before < level && level <= after && after - before < PI {
            let at = self.at + Span::from_hours(Hours(hours * (level - before) / (after - before)));
            self.minima.push((at, Hours(self.beliefs.heaviest().mean[DELTA])));
        }
    }

    /// Light as it counts for this person at a time.
    pub(super) fn seen(&self) -> impl Fn(LightBin, UtcMillis) -> LightBin + use<> {
        let (evening, phase, from) = (self.person.evening, self.beliefs.mean_phase(), self.at);
        let phase_at = move |at: UtcMillis| Radians(phase + (at - from).as_hours().0 * PHASE_PER_HOUR);
        move |bin, at| if evening == EveningLight::PLAIN { bin } else { evening.at(bin, phase_at(at)) }
    }

    /// One for every part.
    pub(super) fn ensembles(&self) -> Vec<Ensemble> {
        let noise = Noise::of(&self.life, self.at, self.person, &self.model.numbers);
        self.beliefs.iter().map(|(_, belief)| Ensemble::of(belief, &self.model.oscillator, noise)).collect()
    }

    /// At an instant of redrawing: what is kept is what goes on; beliefs are taken apart and put together.
    fn tidy(&mut self) {
        let numbers = &self.model.numbers;
        for belief in self.beliefs.iter_mut() {
            if !belief.is_finite() {
                // Not reachable by any input that is known; a clock that is unknown is better than one that is not a number.
                let mut anew = Belief::at_mid_sleep(&self.person.prior, 0.7, 0.5, numbers);
                anew.widen(numbers.diffuse_sd);
                *belief = anew;
            }
        }
        self.beliefs.forget();
        if self.life.is_settled() || self.life.is_long_unsettled(self.at, numbers) {
            self.beliefs.merge(Hours(numbers.merged_within));
        }
        if self.at.floor_to(DAY) == self.at
            && let Some(by) = self.life.day_begins(self.person.sleep_sd, numbers)
        {
            self.arrive(by);
        }
        self.beliefs.quarter_above(Hours(numbers.quarter_sd));
        self.beliefs.halve_above(Hours(numbers.split_sd), numbers.split_reach);
        for belief in self.beliefs.iter_mut() {
            *belief = belief.rounded();
        }
        self.beliefs.weigh_first();
    }

    /// A flight may be answered in more than one way. A clock that feels light strongly is soon there, another stands still
    /// for days; far enough eastward which side of its minimum the first mornings fall on decides whether it goes there
    /// forward or back.
    fn arrive(&mut self, by: Hours) {
        let numbers = &self.model.numbers;
        if by.0 >= numbers.either_way_shift.0 {
            self.beliefs.split_by_phase();
        } else if by.0.abs() >= numbers.split_shift.0 {
            self.beliefs.split_by_gain();
        }
    }

    fn take(&mut self, happening: &Happening) {
        let after = (happening.at() - self.at).as_hours().0;
        match happening {
            // Told to life on the way.
            Happening::Shift { .. } => {}
            Happening::Sleep(sleep) => self.take_sleep(sleep, after),
            Happening::SeenAsleep { from_habit, .. } => {
                // Where the hours are not known, any time of day may be in the night.
                let knows_hours = self.person.knows_hours;
                if !knows_hours {
                    self.life.seen_at(*from_habit);
                }
                let near_a_night = !knows_hours || from_habit.0.abs() < ABOUT_A_NIGHT.0;
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
            self.begin_from(sleep, after);
            return;
        }
        let numbers = &self.model.numbers;
        let belief = self.beliefs.heaviest();
        let expected = Observation::of_sleep(belief, after, self.person.sleep_sd.0);
        // A phase that is ahead of the night means that the night was late. Where the clock may be anywhere, no night is off.
        let is_unknown = self.beliefs.phase_sd() > numbers.unknown_sd;
        let off = if is_unknown { 0.0 } else { -expected.innovation / PHASE_PER_HOUR };
        let nis = expected.innovation * expected.innovation / expected.spread(belief);
        match self.life.take(sleep, off, belief.phase_sd(), self.person.knows_hours, numbers) {
            Use::IsDarkAsEver if is_unknown => {
                let sd = numbers.seen_asleep;
                self.observe(|belief| Observation::of_sleep(belief, after, sd));
            }
            Use::IsDark | Use::IsDarkAsEver if !sleep.planned && !self.life.is_shifted() => {
                // The clock does not rest on it; whoever watches the filter has to see it all the same.
                self.surprises.push((self.at, Surprise { nis, rejected: true }));
            }
            Use::IsDark | Use::IsDarkAsEver => {}
            Use::Compromises => self.compromise(sleep, after),
            used => {
                if used == Use::ObservesAnew {
                    for belief in self.beliefs.iter_mut() {
                        let sd = belief.phase_sd();
                        if sd < numbers.returned_sd {
                            belief.widen(numbers.returned_sd);
                        }
                    }
                }
                let sd = self.person.sleep_sd.0;
                let surprise = self.observe(|belief| Observation::of_sleep(belief, after, sd));
                if surprise.is_some_and(|surprise| surprise.rejected) {
                    if self.life.rejected(off, numbers) {
                        self.begin_from(sleep, after);
                    }
                } else {
                    self.life.accepted();
                }
            }
        }
    }

    /// The phase of settled life, `after` hours before the middle of a main sleep.
    fn begin_from(&mut self, sleep: &MainSleep, after: f64) {
        if !self.person.knows_hours {
            self.life.begins_at(sleep.from_habit);
        }
        let before = self.beliefs.heaviest();
        let amplitude = before.mean[AMPLITUDE];
        let mut belief = Belief::at_mid_sleep(&self.person.prior, amplitude, before.adaptation, &self.model.numbers);
        belief.mean[PHASE] -= after * PHASE_PER_HOUR;
        belief.covariance[PHASE][PHASE] +=
            self.person.sleep_sd.0 * self.person.sleep_sd.0 * PHASE_PER_HOUR * PHASE_PER_HOUR;
        self.beliefs = Mixture::one(&belief);
        self.diffuse = false;
    }

    /// Takes an observation in; what it was worth.
    fn observe(&mut self, of: impl Fn(&Belief) -> Observation) -> Option<Surprise> {
        let surprise = self.beliefs.observe(of, self.model.numbers.gate);
        self.surprises.extend(surprise.map(|surprise| (self.at, surprise)));
        surprise
    }

    /// Takes in a sleep after a flight.
    fn compromise(&mut self, sleep: &MainSleep, after: f64) {
        let numbers = &self.model.numbers;
        let from_habit = self.life.from_habit(sleep.from_habit).0;
        let observations = self.beliefs.each(|belief| {
            let compromise = Compromise::of(belief, from_habit, after, numbers.unsettled_sleep);
            (compromise.observation, compromise.moves)
        });
        self.beliefs.take_in(&observations, numbers.gate);
    }
}
