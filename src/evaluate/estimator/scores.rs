//! How good answers were: sums over answers, what is made of them, and how sure that is.

use super::columns::{Column, Said};
use super::stories::Story;
use super::truths::Truth;
use crate::simulate::random::Random;
use crate::units::{Hours, UtcMillis};

/// Sums over the answers of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    answers: f64,
    absolute: f64,
    bias: f64,
    in_80: f64,
    in_95: f64,
    normalised: f64,
    width: f64,
    nis: f64,
    observations: f64,
}

/// What is made of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    Coverage80,
    Coverage95,
    Mae,
    Bias,
    Nees,
    Width80,
    Nis,
}

impl Sums {
    /// Takes in an answer; an error is counted to the true CBTmin that is nearest.
    pub fn add(&mut self, said: &Said, minima: &[UtcMillis]) {
        let error_to = |truth: &UtcMillis| (said.cbt_min - *truth).as_hours();
        let Some(nearest) = minima.iter().min_by_key(|truth| (said.cbt_min - **truth).abs()) else { return };
        let Hours(error) = error_to(nearest);
        self.answers += 1.0;
        self.absolute += error.abs();
        self.bias += error;
        self.nis += said.nis.0 * f64::from(said.nis.1);
        self.observations += f64::from(said.nis.1);
        let Some(spread) = &said.spread else { return };
        let holds = |interval: &[UtcMillis; 2]| f64::from(u8::from(interval[0] <= *nearest && *nearest <= interval[1]));
        self.in_80 += holds(&spread.interval_80);
        self.in_95 += holds(&spread.interval_95);
        self.normalised += (error / spread.sd.0) * (error / spread.sd.0);
        self.width += (spread.interval_80[1] - spread.interval_80[0]).as_hours().0;
    }

    fn add_weighted(&mut self, other: &Sums, weight: f64) {
        self.answers += weight * other.answers;
        self.absolute += weight * other.absolute;
        self.bias += weight * other.bias;
        self.in_80 += weight * other.in_80;
        self.in_95 += weight * other.in_95;
        self.normalised += weight * other.normalised;
        self.width += weight * other.width;
        self.nis += weight * other.nis;
        self.observations += weight * other.observations;
    }

    /// NaN where there was nothing to measure.
    #[must_use]
    pub fn measure(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Coverage80 => self.in_80 / self.answers,
            Measure::Coverage95 => self.in_95 / self.answers,
            Measure::Mae => self.absolute / self.answers,
            Measure::Bias => self.bias / self.answers,
            Measure::Nees => self.normalised / self.answers,
            Measure::Width80 => self.width / self.answers,
            Measure::Nis => self.nis / self.observations,
        }
    }
}

/// What one traveller's life gave: by the story's periods, and by column.
pub type LifeScores = Vec<[Sums; 4]>;

/// Every traveller's life in one story and with one truth.
#[derive(Clone, Debug)]
pub struct Cell {
    pub truth: Truth,
    pub story: Story,
    pub lives: Vec<LifeScores>,
}

/// One column's answers in a period of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub cell: usize,
    pub period: usize,
    pub column: Column,
}

/// All cells with their bootstrap replicates. Travellers are drawn with replacement, the same for every cell of a truth,
/// because the same people live in all of them.
pub struct Scores {
    pub cells: Vec<Cell>,
    /// Who travelled: mean and SD of CBTmin less mid-sleep, hours.
    pub populations: Vec<(Truth, (f64, f64))>,
    /// The cells as they are, then replicates of them: by cell, period and column.
    samples: Vec<Vec<LifeScores>>,
}

/// A number with the standard error that the bootstrap gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub error: f64,
}

const REPLICATES: u32 = 400;

impl Scores {
    #[must_use]
    pub fn new(cells: Vec<Cell>, populations: Vec<(Truth, (f64, f64))>, seed: u64) -> Scores {
        let mut samples = vec![cells.iter().map(|cell| total(&cell.lives, &vec![1.0; cell.lives.len()])).collect()];
        for replicate in 0..REPLICATES {
            let draw = |cell: &Cell| {
                let mut random = Random::new(seed, u32::MAX - cell.truth as u32, replicate);
                let mut weights = vec![0.0; cell.lives.len()];
                for _ in 0..weights.len() {
                    let index = random.index(weights.len());
                    weights[index] += 1.0;
                }
                total(&cell.lives, &weights)
            };
            samples.push(cells.iter().map(draw).collect());
        }
        Scores { cells, populations, samples }
    }

    /// Something made of the cells' sums, with its standard error. NaN where a cell had nothing.
    #[must_use]
    pub fn estimate(&self, of: impl Fn(&dyn Fn(Place, Measure) -> f64) -> f64) -> Estimate {
        let value_in = |sample: &Vec<LifeScores>| {
            of(&|place: Place, measure| sample[place.cell][place.period][place.column as usize].measure(measure))
        };
        let value = value_in(&self.samples[0]);
        let replicates: Vec<f64> = self.samples[1..].iter().map(value_in).collect();
        let count = replicates.len() as f64;
        let mean = replicates.iter().sum::<f64>() / count;
        let variance = replicates.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (count - 1.0);
        Estimate { value, error: libm::sqrt(variance) }
    }

    #[must_use]
    pub fn measure(&self, place: Place, measure: Measure) -> f64 {
        self.sums(place).measure(measure)
    }

    #[must_use]
    pub fn answers(&self, place: Place) -> f64 {
        self.sums(place).answers
    }

    fn sums(&self, place: Place) -> &Sums {
        &self.samples[0][place.cell][place.period][place.column as usize]
    }
}

fn total(lives: &[LifeScores], weights: &[f64]) -> LifeScores {
    let mut sums = vec![[Sums::default(); 4]; lives.first().map_or(0, Vec::len)];
    for (life, weight) in lives.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        for (of_all, of_life) in sums.iter_mut().flatten().zip(life.iter().flatten()) {
            of_all.add_weighted(of_life, *weight);
        }
    }
    sums
}
