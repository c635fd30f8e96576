//! The numbers of `models/filter.toml`.

use crate::circadian::ModelError;
use crate::circadian::model_file::{ModelFile, Section};
use crate::units::{Hours, Span};

const EMBEDDED: &str = include_str!("../../../models/filter.toml");

/// How sure the filter may be of what. Units are those of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilterNumbers {
    pub period: f64,
    pub period_sd: f64,
    pub log_gain: f64,
    pub log_gain_sd: f64,
    pub beta_sd: f64,
    pub amplitude_prior: f64,
    pub anchor: f64,
    pub entrained_sd: f64,
    pub angle_by_beta: f64,
    pub angle_by_period: f64,
    pub reversion_days: f64,
    pub phase_noise: f64,
    pub phase_noise_unexplained: f64,
    pub phase_noise_elsewhere: f64,
    pub phase_noise_returned: f64,
    pub delta_noise_unexplained: f64,
    pub phase_noise_stranger: f64,
    pub amplitude_noise: f64,
    pub measured_light: f64,
    pub context_light: f64,
    pub imputed_light: f64,
    pub imputed_unexplained: f64,
    pub imputed_stranger: f64,
    pub sleep_infant: f64,
    pub sleep_young_infant: f64,
    pub sleep_toddler: f64,
    pub sleep_adult: f64,
    pub seen_asleep: f64,
    pub unsettled_sleep: f64,
    pub wall: f64,
    pub wall_sd: f64,
    pub gate: f64,
    pub shift: Hours,
    pub off_habit: Hours,
    pub near_habit: Hours,
    pub another_time: Hours,
    pub restless: f64,
    pub returns_after: Span,
    pub returns_at: Span,
    pub returned_sd: f64,
    pub split_shift: Hours,
    pub either_way_shift: Hours,
    pub split_sd: f64,
    pub split_reach: f64,
    pub unknown_sd: f64,
    pub quarter_sd: f64,
    pub merged_within: f64,
    pub uncertain_weight: f64,
    pub diffuse_sd: f64,
    pub evening_preschool: f64,
    pub evening_school: f64,
}

fn days(section: &mut Section<'_>, key: &str) -> Result<Span, ModelError> {
    section.number(key, "d", 0.0..=365.0).map(|days| Span::from_hours(Hours(24.0 * days)))
}

impl FilterNumbers {
    /// Reads a filter file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    #[expect(clippy::too_many_lines, reason = "a list: one number after the other")]
    pub fn from_toml(text: &str) -> Result<FilterNumbers, ModelError> {
        let mut file = ModelFile::parse("filter.toml", text)?;

        let mut people = file.section("people")?;
        let period = people.number("period", "h", 20.0..=28.0)?;
        let mut sd = |key, most| people.number(key, "h", 0.01..=most);
        let (period_sd, beta_sd) = (sd("period_sd", 1.0)?, sd("beta_sd", 4.0)?);
        let (anchor, entrained_sd) = (sd("anchor_sd", 3.0)?, sd("entrained_sd", 10.0)?);
        let log_gain = people.number("log_gain", "1", -2.0..=1.0)?;
        let log_gain_sd = people.number("log_gain_sd", "1", 0.01..=1.5)?;
        let amplitude_prior = people.number("amplitude_sd", "1", 0.001..=0.3)?;
        let mut share = |key| people.number(key, "1", 0.0..=1.0);
        let (angle_by_beta, angle_by_period) = (share("angle_by_beta")?, share("angle_by_period")?);
        let reversion_days = people.number("reversion", "d", 1.0..=1_000.0)?;
        people.finish()?;

        let mut noise = file.section("noise")?;
        let mut hours = |key| noise.number(key, "h", 0.0..=3.0);
        let (phase_noise, phase_noise_stranger) = (hours("phase")?, hours("phase_stranger")?);
        let (phase_noise_unexplained, delta_noise_unexplained) =
            (hours("phase_unexplained")?, hours("delta_unexplained")?);
        let (phase_noise_elsewhere, phase_noise_returned) = (hours("phase_elsewhere")?, hours("phase_returned")?);
        let amplitude_noise = noise.number("amplitude", "1", 0.0..=0.2)?;
        noise.finish()?;

        let mut light = file.section("light")?;
        let mut factor = |key| light.number(key, "1", 0.0..=3.0);
        let (measured_light, context_light) = (factor("measured")?, factor("context")?);
        let (imputed_light, imputed_unexplained) = (factor("imputed")?, factor("imputed_unexplained")?);
        let imputed_stranger = factor("imputed_stranger")?;
        light.finish()?;

        let mut sleep = file.section("sleep")?;
        let mut sd = |key| sleep.number(key, "h", 0.1..=6.0);
        let (sleep_infant, sleep_young_infant) = (sd("infant")?, sd("young_infant")?);
        let (sleep_toddler, sleep_adult) = (sd("toddler")?, sd("adult")?);
        let (seen_asleep, unsettled_sleep) = (sd("seen_asleep")?, sd("unsettled")?);
        let gate = sleep.number("gate", "1", 2.0..=10.0)?;
        let (wall, wall_sd) = (sleep.number("wall", "1", 0.0..=1.0)?, sleep.number("wall_sd", "1", 0.01..=0.5)?);
        sleep.finish()?;

        let mut rules = file.section("rules")?;
        let mut hours = |key| rules.number(key, "h", 0.0..=12.0);
        let (shift, off_habit, near_habit) = (hours("shift")?, hours("off_habit")?, hours("near_habit")?);
        let (returned_sd, split_shift, split_sd) = (hours("returned_sd")?, hours("split_shift")?, hours("split_sd")?);
        let (unknown_sd, quarter_sd) = (hours("unknown_sd")?, hours("quarter_sd")?);
        let [merged_within, diffuse_sd, either_way_shift, another_time] =
            [hours("merged_within")?, hours("diffuse_sd")?, hours("either_way_shift")?, hours("another_time")?];
        let restless = rules.number("restless", "1", 0.5..=10.0)?;
        let mut share = |key, most| rules.number(key, "1", 0.0..=most);
        let (split_reach, uncertain_weight) = (share("split_reach", 0.99)?, share("uncertain_weight", 0.5)?);
        let (returns_after, returns_at) = (days(&mut rules, "returns_after")?, days(&mut rules, "returns_at")?);
        rules.finish()?;

        let mut children = file.section("children")?;
        let mut factor = |key| children.number(key, "1", 1.0..=100.0);
        let (evening_preschool, evening_school) = (factor("evening_1_to_5")?, factor("evening_6_to_12")?);
        children.finish()?;

        Ok(FilterNumbers {
            period,
            period_sd,
            log_gain,
            log_gain_sd,
            beta_sd,
            amplitude_prior,
            anchor,
            entrained_sd,
            angle_by_beta,
            angle_by_period,
            reversion_days,
            phase_noise,
            phase_noise_unexplained,
            phase_noise_elsewhere,
            phase_noise_returned,
            delta_noise_unexplained,
            phase_noise_stranger,
            amplitude_noise,
            measured_light,
            context_light,
            imputed_light,
            imputed_unexplained,
            imputed_stranger,
            sleep_infant,
            sleep_young_infant,
            sleep_toddler,
            sleep_adult,
            seen_asleep,
            unsettled_sleep,
            wall,
            wall_sd,
            gate,
            shift: Hours(shift),
            off_habit: Hours(off_habit),
            near_habit: Hours(near_habit),
            another_time: Hours(another_time),
            restless,
            returns_after,
            returns_at,
            returned_sd,
            split_shift: Hours(split_shift),
            either_way_shift: Hours(either_way_shift),
            split_sd,
            split_reach,
            unknown_sd,
            quarter_sd,
            merged_within,
            uncertain_weight,
            diffuse_sd,
            evening_preschool,
            evening_school,
        })
    }

    /// The numbers shipped with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> FilterNumbers {
        // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
        Self::from_toml(EMBEDDED).expect("the embedded filter.toml is valid")
    }
}
