//! Measurements of single people that are public, and what the core would have said of them.
//!
//! They are few, and none has light, sleep, a flight and melatonin together: nothing here can show how well an estimate after
//! a flight is.

use std::fmt::Write as _;

use super::human::curve;
use crate::circadian::filter::FilterNumbers;
use crate::circadian::markers::DLMO_BEFORE_CBT_MIN;
use crate::circadian::{Forger99, Forger99Light, Hannay19, Jewett99, Oscillator};
use crate::event::activity::Chronotype;
use crate::traveller::models::Models;
use crate::traveller::people::Group;
use crate::units::{Hours, Lux};

/// One hour of 8,000 lux in 18 people: the middle of the hour after melatonin onset (h), and the shift (h, advances are
/// positive). St Hilaire et al. (2012) J Physiol 590:3035, fig. 3A, read off the figure by others
/// (Arcascope/amplitude-simulations).
const ONE_HOUR: [(f64, f64); 18] = [
    (0.1, -1.23),
    (1.4, -1.22),
    (5.0, -1.44),
    (6.1, -0.20),
    (6.8, -0.94),
    (9.5, 0.99),
    (9.8, -0.59),
    (10.4, 0.10),
    (12.1, 1.20),
    (13.7, -0.18),
    (14.2, -0.37),
    (14.9, 0.28),
    (17.1, 1.09),
    (19.3, 0.59),
    (20.3, -1.05),
    (20.7, 0.19),
    (21.9, -0.40),
    (23.7, -2.02),
];

const DLMO_BEDTIME: &str = include_str!("data/dlmo-bedtime.csv");

/// Of people whose bedtime alone is known, 8 h of sleep are assumed.
const ASSUMED_SLEEP: f64 = 8.0;

/// 90 % point of the standard normal distribution.
const Z_80: f64 = 1.281_551_565_544_6;

/// How far an oscillator's answers to the hour of light are from these people's, root mean square, hours.
#[must_use]
pub fn one_hour_error<O: Oscillator>(oscillator: &O) -> f64 {
    let curve = curve(oscillator, Lux(8_000.0), Hours(1.0));
    let at = |after: f64| {
        let above = curve.iter().position(|(hour, _)| *hour >= after).unwrap_or(curve.len() - 1).max(1);
        let (low, high) = (curve[above - 1], curve[above]);
        low.1 + (high.1 - low.1) * (after - low.0) / (high.0 - low.0)
    };
    let lead = DLMO_BEFORE_CBT_MIN.as_hours().0;
    root_mean_square(ONE_HOUR.iter().map(|(after_onset, shift)| at(Hours(after_onset - lead).wrap_12().0) - shift))
}

fn root_mean_square(errors: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = errors.fold((0.0, 0.0), |(sum, count), error| (sum + error * error, count + 1.0));
    libm::sqrt(sum / count)
}

/// Melatonin onset less what the prior says of it from a bedtime alone, hours.
#[must_use]
pub fn onset_errors(models: &Models) -> Vec<f64> {
    let delta = models.people.delta(models.people.typical_months(Group::Adult), Chronotype::Neither);
    let expected = |bedtime: f64| bedtime + 0.5 * ASSUMED_SLEEP + delta.mean.0 - DLMO_BEFORE_CBT_MIN.as_hours().0;
    let rows = DLMO_BEDTIME.lines().filter(|line| !line.starts_with('#')).skip(1);
    let numbers = rows.filter_map(|row| row.split_once(','));
    let parsed =
        numbers.filter_map(|(onset, bedtime)| Some((onset.parse::<f64>().ok()?, bedtime.parse::<f64>().ok()?)));
    parsed.map(|(onset, bedtime)| onset - expected(bedtime)).collect()
}

/// The comparisons as text.
#[must_use]
pub fn table(models: &Models) -> String {
    let errors = onset_errors(models);
    let count = errors.len() as f64;
    let mean = errors.iter().sum::<f64>() / count;
    let absolute = errors.iter().map(|error| error.abs()).sum::<f64>() / count;
    let sd = root_mean_square(errors.iter().map(|error| error - mean));
    let delta = models.people.delta(models.people.typical_months(Group::Adult), Chronotype::Neither);
    let night = FilterNumbers::embedded().sleep_adult;
    let spread = libm::sqrt(delta.sd.0 * delta.sd.0 + night * night);
    let inside = errors.iter().filter(|error| error.abs() <= Z_80 * spread).count();
    let nothing = root_mean_square(ONE_HOUR.iter().map(|(_, shift)| *shift));
    let mut text = String::from("\nSingle people\n");
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "One hour of 8,000 lux, 18 people (St Hilaire et al. 2012): error of the shift, RMS: hannay19 {:.2} h, forger99 {:.2} h, \
         jewett99 {:.2} h; who says that nothing moves: {nothing:.2} h.",
        one_hour_error(&Hannay19::embedded()),
        one_hour_error(&Forger99::embedded(Forger99Light::Serkh)),
        one_hour_error(&Jewett99::embedded()),
    );
    let _ = writeln!(
        text,
        "Melatonin onset from the usual bedtime alone, {} adults (Huang et al. 2021): error {mean:+.2} ± {sd:.2} h, MAE {absolute:.2} h; \
         the prior's 80 % interval (± {:.2} h) holds {inside}.",
        errors.len(),
        Z_80 * spread,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_puts_melatonin_onset_where_people_have_it() {
        let errors = onset_errors(&Models::embedded());
        assert_eq!(errors.len(), 24);
        let mean = errors.iter().sum::<f64>() / 24.0;
        // The standard error of the mean of 24 people is 0.28 h.
        assert!(mean.abs() < 0.56, "{mean} h");
    }

    #[test]
    fn the_service_s_oscillator_explains_shifts_of_single_people() {
        let nothing = root_mean_square(ONE_HOUR.iter().map(|(_, shift)| *shift));
        assert!(one_hour_error(&Hannay19::embedded()) < 0.9 * nothing);
    }
}
