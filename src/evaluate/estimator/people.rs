//! Travellers: bodies that fit their days as people's do.
//!
//! Models of the clock, entrained by plausible days, have their CBTmin earlier against sleep than people have it, each model in
//! its own way. So candidates are drawn, lived in, and kept in proportion to how much more common their phase angle is in
//! people than among candidates.

use super::lives::live;
use super::parallel::in_order;
use super::script::Script;
use super::truths::{Body, Truth};
use crate::simulate::random::Random;
use crate::traveller::habit::UsualDay;
use crate::traveller::models::Models;
use crate::units::{Hours, Span, UtcMillis};

/// CBTmin less mid-sleep in people: adults have it 3 h before waking (Burgess et al. 2003b), 1 h after the middle of 8 h of
/// sleep, with a residual SD of 0.75 h (Burgess & Eastman 2005).
pub const ANGLE_MEAN: f64 = 1.0;
pub const ANGLE_SD: f64 = 0.75;

/// Beyond this nobody is taken: there the ratio of two small densities is noise.
const FURTHEST: f64 = 2.2;

/// Candidates live this long before their phase angle is taken from the last days: from so many, because who is chosen for a
/// late clock of few days falls back later.
const WARM_UP_DAYS: i64 = 58;
const ANGLE_DAYS: usize = 30;

/// Candidates are lived in by so many at a time.
const BATCH: u32 = 400;

/// From these the candidates' own density is estimated.
const PILOT: u32 = 1_200;

/// After so many candidates a traveller whoever comes is taken.
const MOST_CANDIDATES: u32 = 200;

/// The random numbers of candidates; scripts have the streams from 1 on ([`stream`]).
const CANDIDATES: u32 = 0;
const CHOICE: u32 = 1_000;

/// Somebody with a life, most of it hidden.
#[derive(Clone, Debug)]
pub struct Traveller {
    pub truth: Truth,
    /// At local midnight, in settled life.
    pub body: Body,
    /// The latest CBTmin, before the life begins at 0.
    pub last_cbt_min: UtcMillis,
    /// Habits, hours on the wall's clock.
    pub mid_sleep: Hours,
    pub sleep_length: Hours,
    pub outdoors_from: Hours,
    pub outdoors_for: Hours,
    /// CBTmin less mid-sleep in settled life.
    pub angle: Hours,
    /// How much of a night after a flight the wall decides.
    pub wall_share: f64,
    /// What the traveller says of the usual night, in half hours as people do.
    pub told_day: UsualDay,
    /// How wrong the zone is that is assumed where the traveller told none.
    pub zone_error: Hours,
}

/// The family number of the random numbers of one kind of life.
#[must_use]
pub fn stream(truth: Truth, purpose: u32) -> u32 {
    (truth as u32) * 10_000 + purpose
}

/// `count` travellers whose CBTmin less mid-sleep is [`ANGLE_MEAN`] ± [`ANGLE_SD`].
#[must_use]
pub fn travellers(truth: Truth, count: usize, seed: u64, models: &Models, threads: usize) -> Vec<Traveller> {
    let candidate = |index: usize| candidate(truth, index as u32, seed, models);
    let pilot: Vec<Traveller> = in_order(PILOT as usize, threads, candidate);
    let density = Density::of(&pilot);
    let most_likely = pilot.iter().map(|one| density.ratio(one.angle)).fold(0.0, f64::max);

    let mut chosen = Vec::with_capacity(count);
    let mut choice = Random::new(seed, stream(truth, CHOICE), 0);
    let most = (count as u32).saturating_mul(MOST_CANDIDATES);
    let mut drawn = 0;
    let mut batch = pilot;
    loop {
        for one in batch {
            let is_taken = choice.chance(density.ratio(one.angle) / most_likely) || drawn > most;
            if is_taken && chosen.len() < count {
                chosen.push(one);
            }
            drawn += 1;
        }
        if chosen.len() >= count {
            return chosen;
        }
        let from = drawn as usize;
        batch = in_order(BATCH as usize, threads, |index| candidate(from + index));
    }
}

fn candidate(truth: Truth, index: u32, seed: u64, models: &Models) -> Traveller {
    let mut random = Random::new(seed, stream(truth, CANDIDATES), index);
    let mid_sleep = Hours(3.0 + 0.7 * random.normal());
    let sleep_length = Hours(8.0 + 0.4 * random.normal());
    let body = truth.body(random.normal(), random.normal(), mid_sleep);
    let half_hours = |hour: f64| (libm::round(hour * 2.0) * 30.0) as i32;
    let bedtime = half_hours(mid_sleep.0 - 0.5 * sleep_length.0).rem_euclid(1_440) as u16;
    let wake = half_hours(mid_sleep.0 + 0.5 * sleep_length.0).rem_euclid(1_440) as u16;
    let mut one = Traveller {
        truth,
        body,
        last_cbt_min: UtcMillis(0) + Span::from_hours(mid_sleep - Hours(23.0)),
        mid_sleep,
        sleep_length,
        outdoors_from: Hours(random.uniform(8.0, 17.0)),
        outdoors_for: Hours(random.uniform(0.3, 1.5)),
        angle: Hours(1.0),
        wall_share: random.uniform(0.5, 0.9),
        told_day: UsualDay::new(bedtime, wake, &[]),
        zone_error: Hours(random.index(24) as f64 - 11.0),
    };
    let lived = live(&one, &Script::settled(WARM_UP_DAYS), models, &mut random);
    let days = lived.minima.iter().rev().take(ANGLE_DAYS);
    let angles: Vec<f64> =
        days.map(|at| ((*at - UtcMillis(0)).as_hours() - mid_sleep - Hours(1.0)).wrap_12().0 + 1.0).collect();
    one.angle = Hours(angles.iter().sum::<f64>() / angles.len().max(1) as f64);
    if let Some(last) = lived.minima.last() {
        one.last_cbt_min = *last - Span::days(WARM_UP_DAYS);
    }
    one.body = lived.body;
    one
}

/// Mean and SD of travellers' phase angles, hours.
#[must_use]
pub fn angles(people: &[Traveller]) -> (f64, f64) {
    let count = people.len().max(1) as f64;
    let mean = people.iter().map(|one| one.angle.0).sum::<f64>() / count;
    let variance = people.iter().map(|one| (one.angle.0 - mean) * (one.angle.0 - mean)).sum::<f64>() / count;
    (mean, libm::sqrt(variance))
}

/// How common phase angles are among candidates: a normal distribution's kernel about each.
struct Density {
    angles: Vec<f64>,
    width: f64,
}

impl Density {
    fn of(candidates: &[Traveller]) -> Density {
        let angles: Vec<f64> = candidates.iter().map(|one| one.angle.0).collect();
        let count = angles.len() as f64;
        let mean = angles.iter().sum::<f64>() / count;
        let variance = angles.iter().map(|angle| (angle - mean) * (angle - mean)).sum::<f64>() / count;
        // Silverman's (1986) rule of thumb.
        Density { angles, width: 1.06 * libm::sqrt(variance) * libm::pow(count, -0.2) }
    }

    /// How much more common an angle is in people than among candidates, up to a constant.
    fn ratio(&self, angle: Hours) -> f64 {
        let off = angle.0 - ANGLE_MEAN;
        if off.is_nan() || off.abs() > FURTHEST {
            return 0.0;
        }
        let kernel = |other: &f64| {
            let z = (angle.0 - other) / self.width;
            libm::exp(-0.5 * z * z)
        };
        let candidates = self.angles.iter().map(kernel).sum::<f64>() / (self.angles.len() as f64 * self.width);
        libm::exp(-0.5 * (off / ANGLE_SD) * (off / ANGLE_SD)) / candidates.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travellers_have_the_phase_angle_of_people_whatever_the_model() {
        for truth in Truth::ALL {
            let people = travellers(truth, 150, 3, &Models::embedded(), 2);
            let (mean, sd) = angles(&people);
            assert!((mean - ANGLE_MEAN).abs() < 0.2 && (sd - ANGLE_SD).abs() < 0.15, "{truth:?}: {mean} ± {sd}");
        }
    }

    #[test]
    fn threads_do_not_change_who_travels() {
        let angles = |threads| {
            let people = travellers(Truth::Forger99, 20, 5, &Models::embedded(), threads);
            people.iter().map(|one| one.angle.0.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(angles(1), angles(3));
    }
}
