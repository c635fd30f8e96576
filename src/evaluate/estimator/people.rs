//! Travellers: bodies that fit their days as people's do.
//!
//! Models of the clock, entrained by plausible days, have their CBTmin earlier against sleep than people have it, each model in
//! its own way. So many candidates are drawn and lived in, and those are kept whose phase angles are spread as in people.

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

/// Candidates live this long before their phase angle is taken from the last days: from so many, because who is chosen for a
/// late clock of few days falls back later.
const WARM_UP_DAYS: i64 = 58;
const ANGLE_DAYS: usize = 30;

/// So many candidates at first, and at most so many a traveller.
const FIRST_CANDIDATES: usize = 1_200;
const MOST_CANDIDATES: usize = 200;

/// Whose angle is so near to the wanted one will do, hours.
const NEAR_ENOUGH: f64 = 0.15;

/// The random numbers of candidates; scripts have the streams from 1 on ([`stream`]).
const CANDIDATES: u32 = 0;

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

/// `count` travellers whose CBTmin less mid-sleep is [`ANGLE_MEAN`] ± [`ANGLE_SD`]: for every quantile of that distribution the
/// nearest candidate, so that a seed changes who they are and not how they are spread.
#[must_use]
pub fn travellers(truth: Truth, count: usize, seed: u64, models: &Models, threads: usize) -> Vec<Traveller> {
    let candidate = |index: usize| candidate(truth, index as u32, seed, models);
    let most = count.saturating_mul(MOST_CANDIDATES);
    let mut candidates: Vec<Traveller> = in_order(FIRST_CANDIDATES, threads, candidate);
    loop {
        let (chosen, furthest) = nearest(&candidates, count);
        if furthest <= NEAR_ENOUGH || candidates.len() >= most {
            return chosen.into_iter().map(|index| candidates[index].clone()).collect();
        }
        let known = candidates.len();
        candidates.extend(in_order(known / 2, threads, |index| candidate(known + index)));
    }
}

/// For each of `count` quantiles the candidate whose angle is nearest, each taken once, with the largest distance, hours.
/// The outermost quantiles choose first: there are the fewest candidates.
fn nearest(candidates: &[Traveller], count: usize) -> (Vec<usize>, f64) {
    let mut by_angle: Vec<usize> = (0..candidates.len()).collect();
    by_angle.sort_by(|one, other| candidates[*one].angle.0.total_cmp(&candidates[*other].angle.0));
    let mut chosen = vec![0; count];
    let mut furthest: f64 = 0.0;
    for turn in 0..count {
        let place = if turn % 2 == 0 { turn / 2 } else { count - 1 - turn / 2 };
        let wanted = ANGLE_MEAN + ANGLE_SD * normal_quantile((place as f64 + 0.5) / count as f64);
        let off = |index: &usize| (candidates[*index].angle.0 - wanted).abs();
        let Some(found) =
            (0..by_angle.len()).min_by(|one, other| off(&by_angle[*one]).total_cmp(&off(&by_angle[*other])))
        else {
            break;
        };
        chosen[place] = by_angle.remove(found);
        furthest = furthest.max(off(&chosen[place]));
    }
    (chosen, furthest)
}

/// Where a standard normal distribution has a share of 0 < `share` < 1 below it, by bisection.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle / core::f64::consts::SQRT_2) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travellers_have_the_phase_angle_of_people_whatever_the_model() {
        for truth in Truth::ALL {
            let people = travellers(truth, 150, 3, &Models::embedded(), 2);
            let (mean, sd) = angles(&people);
            assert!((mean - ANGLE_MEAN).abs() < 0.05 && (sd - ANGLE_SD).abs() < 0.05, "{truth:?}: {mean} ± {sd}");
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
