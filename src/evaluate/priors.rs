//! How a person's period and light gain move the oscillator against sleep: simulated people who live their usual day.
//!
//! What comes out is `models/priors.toml`, from which the filter has the correlations of its prior.

use std::fmt::Write as _;

use crate::circadian::entrain::{BINS_PER_DAY, habitual_cbt_min};
use crate::circadian::filter::FilterNumbers;
use crate::circadian::{Hannay19, LightContext, LightModel, likely_midnight_state};
use crate::event::activity::{Chronotype, UsualNap};
use crate::simulate::random::Random;
use crate::traveller::habit::UsualDay;
use crate::traveller::people::{Group, PeopleModel};
use crate::traveller::priors::{CHRONOTYPES, GROUPS, evening_light, section_name};
use crate::units::{Hours, Lux};

/// Simulated people of one kind.
const PEOPLE: u32 = 250;

/// The light of a usual day differs between people by this, SD of its logarithm; over many days less than from day to day.
const LIGHT_LOG_SD: f64 = 0.3;

/// Hours outdoors on a usual day, least and most.
const OUTDOORS: (f64, f64) = (0.3, 1.5);

type Day = (u16, u16, &'static [(u16, u16)]);

/// Bedtime and wake-up (minutes after midnight) and naps that are usual in a group: what `zoner simulate` gives its people.
const DAYS: [Day; 6] = [
    (1_170, 405, &[(570, 75), (840, 75)]),
    (1_185, 405, &[(750, 110)]),
    (1_215, 420, &[]),
    (1_260, 420, &[]),
    (1_350, 420, &[]),
    (1_400, 420, &[]),
];

/// By how much early and late types live earlier and later, minutes.
const TYPE_SHIFT: i32 = 60;

/// `models/priors.toml`, from simulation: the same text every time for the same models.
#[must_use]
pub fn priors_toml(seed: u64) -> String {
    let people = PeopleModel::embedded();
    let light = LightModel::embedded();
    let numbers = FilterNumbers::embedded();
    let oscillator = Hannay19::embedded();
    let mut text = format!(
        "# How much later the oscillator lies against sleep per hour of its period (tau) and per unit of ln g, in settled life, by\n\
         # age and type. Written by `zoner evaluate priors --seed {seed}`; not to be edited.\n\n\
         [sources]\n\
         simulation = \"Hannay19 entrained to the usual day of {PEOPLE} simulated people a kind, their period, light gain, light and time outdoors drawn at random; linear regression\"\n"
    );
    for (place, group) in GROUPS.into_iter().enumerate() {
        for chronotype in CHRONOTYPES {
            let kind = simulate(&oscillator, &light, &numbers, &people, (group, place), chronotype, seed);
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "\n[{}]\nperiod  = {{ value = {:.3}, unit = \"1\", source = \"simulation\" }}\n\
                 gain    = {{ value = {:.3}, unit = \"h\", source = \"simulation\" }}\n\
                 scatter = {{ value = {:.3}, unit = \"h\", source = \"simulation\" }}\n",
                section_name(group, chronotype),
                kind[0],
                kind[1],
                kind[2]
            );
        }
    }
    text
}

/// Slopes on τ and ln g, and the SD of the rest.
fn simulate(
    oscillator: &Hannay19,
    light: &LightModel,
    numbers: &FilterNumbers,
    people: &PeopleModel,
    (group, place): (Group, usize),
    chronotype: Chronotype,
    seed: u64,
) -> [f64; 3] {
    let (bedtime, wake, naps) = DAYS[place];
    let naps: Vec<UsualNap> =
        naps.iter().map(|(start, minutes)| UsualNap { start: *start, minutes: *minutes }).collect();
    let shift = match chronotype {
        Chronotype::Early => -TYPE_SHIFT,
        Chronotype::Neither => 0,
        Chronotype::Late => TYPE_SHIFT,
    };
    let moved = |minute: u16| (i32::from(minute) + shift).rem_euclid(1_440) as u16;
    let day = UsualDay::new(moved(bedtime), moved(wake), &naps);
    let months = people.typical_months(group);
    let delta = people.delta(months, chronotype).mean;
    let usual = evening_light(numbers, months).over(&day.light(light), day.mid_sleep() + delta);
    let outdoors = light.in_context(LightContext::Outdoor, Hours(12.0)).0;

    let mut rows: Vec<[f64; 3]> = Vec::new();
    for person in 0..PEOPLE {
        let mut random = Random::new(seed, place as u32, person);
        let (period, gain) = (numbers.period_sd * random.normal(), numbers.log_gain_sd * random.normal());
        let factor = random.factor(LIGHT_LOG_SD);
        let (out_from, out_for) = (random.uniform(8.0, 17.0), random.uniform(OUTDOORS.0, OUTDOORS.1));
        let lived: [Lux; BINS_PER_DAY] = std::array::from_fn(|bin| {
            let hour = bin as f64 / 4.0;
            let is_out = usual[bin].0 > 0.0 && out_from <= hour && hour < out_from + out_for;
            Lux(if is_out { outdoors } else { usual[bin].0 * factor })
        });
        let own = oscillator.personal(Hours(numbers.period + period), libm::exp(numbers.log_gain + gain));
        let entrained = habitual_cbt_min(&own, &lived, likely_midnight_state(&own, day.mid_sleep()));
        if entrained.settled {
            rows.push([period, gain, (entrained.cbt_min - day.mid_sleep()).wrap_12().0]);
        }
    }
    regression(&rows)
}

/// Least squares of the third on the first two: their slopes, and the SD of the residual.
fn regression(rows: &[[f64; 3]]) -> [f64; 3] {
    let count = rows.len() as f64;
    let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / count;
    let means = [mean(0), mean(1), mean(2)];
    let moment = |one: usize, other: usize| {
        rows.iter().map(|row| (row[one] - means[one]) * (row[other] - means[other])).sum::<f64>() / count
    };
    let (pp, pg, gg, pa, ga) = (moment(0, 0), moment(0, 1), moment(1, 1), moment(0, 2), moment(1, 2));
    let determinant = pp * gg - pg * pg;
    let slopes = [(pa * gg - ga * pg) / determinant, (ga * pp - pa * pg) / determinant];
    let rest = moment(2, 2) - slopes[0] * pa - slopes[1] * ga;
    [slopes[0], slopes[1], libm::sqrt(rest.max(0.0))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_priors_that_are_shipped_are_the_ones_that_are_simulated() {
        assert_eq!(priors_toml(1), include_str!("../../models/priors.toml"));
    }
}
