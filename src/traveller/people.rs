//! What is typical of people by age: δ, sleep need, the pace of sleep pressure. Numbers and sources: `models/people.toml`.

use std::ops::RangeInclusive;

use chrono::{NaiveDate, NaiveTime};

use crate::circadian::ModelError;
use crate::circadian::model_file::{ModelFile, Section};
use crate::event::activity::{Age, AgeBand, Chronotype, Profile};
use crate::flight::connection::ConnectionNumbers;
use crate::units::{Hours, Span, UtcMillis};

const EMBEDDED: &str = include_str!("../../models/people.toml");

/// Mean length of a month, days.
const DAYS_PER_MONTH: f64 = 30.4375;

/// Prematurity is counted off until this age; after it children have caught up.
const CORRECTED_UNDER_MONTHS: f64 = 24.0;

/// Ages as the literature groups them; finer than the contract's bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Infant,
    Toddler,
    Preschool,
    School,
    Adolescent,
    Adult,
}

/// The months at which a group ends.
const GROUPS: [(f64, Group); 5] = [
    (12.0, Group::Infant),
    (36.0, Group::Toddler),
    (72.0, Group::Preschool),
    (156.0, Group::School),
    (216.0, Group::Adolescent),
];

const GROUP_NAMES: [&str; 6] = ["infant", "toddler", "preschool", "school", "adolescent", "adult"];

/// One number for each [`Group`].
type ByGroup = [f64; 6];

impl Group {
    #[must_use]
    pub fn of_months(months: f64) -> Group {
        GROUPS.iter().find(|(end, _)| months < *end).map_or(Group::Adult, |(_, group)| *group)
    }

    /// As the model files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        GROUP_NAMES[self as usize]
    }

    /// The contract's band.
    #[must_use]
    pub const fn band(self) -> AgeBand {
        match self {
            Group::Infant => AgeBand::Infant,
            Group::Toddler => AgeBand::Toddler,
            Group::Preschool | Group::School | Group::Adolescent => AgeBand::Child,
            Group::Adult => AgeBand::Adult,
        }
    }
}

/// A normal distribution of a length of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mean: Hours,
    pub sd: Hours,
}

/// Time constants of the two-process model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PressurePace {
    pub rise: Hours,
    pub decay: Hours,
}

/// The numbers of `models/people.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct PeopleModel {
    delta: ByGroup,
    delta_early: f64,
    delta_late: f64,
    delta_sd: ByGroup,
    delta_sd_under_six_months: f64,
    /// Corrected age, months.
    pub not_yet_under: f64,
    pub shift_remembered: Span,
    pub uncertain_above_sd: Hours,
    pub uncertain_below_amplitude: f64,
    pub worth_narrowing: Hours,
    assumed_months: [f64; 4],
    /// Usual bedtime and wake-up of an adult without a profile, minutes after midnight.
    pub adult_bedtime: u16,
    pub adult_wake: u16,
    need_least: ByGroup,
    need_most: ByGroup,
    rise: ByGroup,
    decay: ByGroup,
    pub journey: JourneyNumbers,
}

/// How long before and after a flight there is something to plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JourneyNumbers {
    pub short_stay: Span,
    pub small_shift: Hours,
    pub planned_before: Span,
    pub planned_after: Span,
    pub adapted_within: Hours,
    pub adapted_not_before: Span,
    pub connections: ConnectionNumbers,
}

impl PeopleModel {
    /// Reads a people file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<PeopleModel, ModelError> {
        let mut file = ModelFile::parse("people.toml", text)?;

        let mut section = file.section("delta")?;
        let delta = by_group(&mut section, "", "h", -3.0..=4.0)?;
        let delta_early = section.number("early_type", "h", -2.0..=0.0)?;
        let delta_late = section.number("late_type", "h", 0.0..=2.0)?;
        section.finish()?;

        let mut section = file.section("delta_sd")?;
        let delta_sd = by_group(&mut section, "", "h", 0.1..=4.0)?;
        let delta_sd_under_six_months = section.number("under_six_months", "1", 1.0..=4.0)?;
        section.finish()?;

        let mut section = file.section("clock")?;
        let not_yet_under = section.number("not_yet_under", "months", 0.0..=12.0)?;
        let shift_remembered = Span::from_hours(Hours(24.0 * section.number("shift_remembered", "d", 1.0..=60.0)?));
        let uncertain_above_sd = Hours(section.number("uncertain_above_sd", "h", 0.5..=7.0)?);
        let worth_narrowing = Hours(section.number("worth_narrowing", "h", 0.5..=12.0)?);
        let uncertain_below_amplitude = section.number("uncertain_below_amplitude", "1", 0.0..=1.0)?;
        section.finish()?;

        let mut section = file.section("assumed")?;
        let mut months = |band: &str| section.number(&format!("{band}_months"), "months", 0.0..=1_200.0);
        let assumed_months = [months("infant")?, months("toddler")?, months("child")?, months("adult")?];
        let mut minute = |key| section.number(key, "h", 0.0..=23.99).map(|hour| libm::round(hour * 60.0) as u16);
        let (adult_bedtime, adult_wake) = (minute("adult_bedtime")?, minute("adult_wake")?);
        section.finish()?;

        let mut section = file.section("sleep_need")?;
        let need_least = by_group(&mut section, "_least", "h", 5.0..=20.0)?;
        let need_most = by_group(&mut section, "_most", "h", 5.0..=20.0)?;
        section.finish()?;

        let mut section = file.section("pressure")?;
        let rise = by_group(&mut section, "_rise", "h", 1.0..=40.0)?;
        let decay = by_group(&mut section, "_decay", "h", 1.0..=20.0)?;
        section.finish()?;

        let mut section = file.section("journey")?;
        let mut days = |key| section.number(key, "d", 0.0..=60.0).map(|days| Span::from_hours(Hours(24.0 * days)));
        let (short_stay, planned_before, planned_after, adapted_not_before) =
            (days("short_stay")?, days("planned_before")?, days("planned_after")?, days("adapted_not_before")?);
        let mut hours = |key| section.number(key, "h", 0.0..=12.0).map(Hours);
        let (small_shift, adapted_within) = (hours("small_shift")?, hours("adapted_within")?);
        section.finish()?;
        let mut section = file.section("connection")?;
        let rebooked_within = Span::from_hours(Hours(section.number("rebooked_within", "h", 0.0..=240.0)?));
        let mut minutes =
            |key| section.number(key, "min", 0.0..=300.0).map(|minutes| Span::minutes(libm::round(minutes) as i64));
        let connections = ConnectionNumbers {
            domestic: minutes("domestic")?,
            to_international: minutes("to_international")?,
            to_domestic: minutes("to_domestic")?,
            international: minutes("international")?,
            gate_closes: minutes("gate_closes")?,
            rebooked_within,
        };
        section.finish()?;
        let journey = JourneyNumbers {
            short_stay,
            small_shift,
            planned_before,
            planned_after,
            adapted_within,
            adapted_not_before,
            connections,
        };

        Ok(PeopleModel {
            delta,
            delta_early,
            delta_late,
            delta_sd,
            delta_sd_under_six_months,
            not_yet_under,
            shift_remembered,
            uncertain_above_sd,
            uncertain_below_amplitude,
            worth_narrowing,
            assumed_months,
            adult_bedtime,
            adult_wake,
            need_least,
            need_most,
            rise,
            decay,
            journey,
        })
    }

    /// The numbers shipped with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> PeopleModel {
        // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
        Self::from_toml(EMBEDDED).expect("the embedded people.toml is valid")
    }

    /// Corrected age in months at a time; the middle of the month stands for the day of birth. Never negative.
    #[must_use]
    pub fn months(&self, profile: &Profile, at: UtcMillis) -> f64 {
        let months = match profile.age {
            Age::Band(AgeBand::Infant) => return self.assumed_months[0],
            Age::Band(AgeBand::Toddler) => return self.assumed_months[1],
            Age::Band(AgeBand::Child) => return self.assumed_months[2],
            Age::Band(AgeBand::Adult) => return self.assumed_months[3],
            Age::Born { year, month } => {
                let born = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), 16)
                    .map_or(at, |date| UtcMillis(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis()));
                (at - born).as_hours().0 / 24.0 / DAYS_PER_MONTH
            }
        };
        let early = if months < CORRECTED_UNDER_MONTHS {
            f64::from(profile.weeks_premature) * 7.0 / DAYS_PER_MONTH
        } else {
            0.0
        };
        (months - early).max(0.0)
    }

    /// The age of a person without a profile.
    #[must_use]
    pub fn stranger_months(&self) -> f64 {
        self.assumed_months[3]
    }

    /// An age in the middle of a group.
    #[must_use]
    pub fn typical_months(&self, group: Group) -> f64 {
        let ends = GROUPS.map(|(end, _)| end);
        match group {
            Group::Infant => self.assumed_months[0],
            Group::Adult => self.assumed_months[3],
            between => 0.5 * (ends[between as usize - 1] + ends[between as usize]),
        }
    }

    /// δ = CBTmin − mid-sleep of a settled person.
    #[must_use]
    pub fn delta(&self, months: f64, chronotype: Chronotype) -> Spread {
        let group = Group::of_months(months);
        // The types were measured in adults; children's are part of their spread.
        let shift = match (group, chronotype) {
            (Group::Adolescent | Group::Adult, Chronotype::Early) => self.delta_early,
            (Group::Adolescent | Group::Adult, Chronotype::Late) => self.delta_late,
            _ => 0.0,
        };
        let widened = if months < 6.0 { self.delta_sd_under_six_months } else { 1.0 };
        Spread { mean: Hours(self.delta[group as usize] + shift), sd: Hours(self.delta_sd[group as usize] * widened) }
    }

    /// Sleep in 24 h that consensus calls healthy.
    #[must_use]
    pub fn sleep_need(&self, months: f64) -> RangeInclusive<f64> {
        let group = Group::of_months(months) as usize;
        self.need_least[group]..=self.need_most[group]
    }

    #[must_use]
    pub fn pressure_pace(&self, months: f64) -> PressurePace {
        let group = Group::of_months(months) as usize;
        PressurePace { rise: Hours(self.rise[group]), decay: Hours(self.decay[group]) }
    }
}

fn by_group(
    section: &mut Section<'_>,
    suffix: &str,
    unit: &'static str,
    range: RangeInclusive<f64>,
) -> Result<ByGroup, ModelError> {
    let mut values = ByGroup::default();
    for (value, name) in values.iter_mut().zip(GROUP_NAMES) {
        *value = section.number(&format!("{name}{suffix}"), unit, range.clone())?;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn born(year: i16, month: u8, weeks_premature: u8) -> Profile {
        Profile {
            display_name: None,
            age: Age::Born { year, month },
            home_time_zone: Tz::UTC,
            bedtime: 1_170,
            wake: 420,
            naps: None,
            chronotype: Chronotype::Neither,
            caregiver: false,
            melatonin: false,
            caffeine: false,
            weeks_premature,
            conditions: crate::event::activity::Conditions::default(),
        }
    }

    /// 2026-06-16.
    const JUNE: UtcMillis = UtcMillis(1_781_568_000_000);

    #[test]
    fn age_is_counted_from_the_middle_of_the_month_and_corrected_for_the_premature() {
        let model = PeopleModel::embedded();
        let months = model.months(&born(2025, 6, 0), JUNE);
        assert!((months - 11.99).abs() < 0.05, "{months}");
        assert!((model.months(&born(2025, 6, 8), JUNE) - (months - 1.84)).abs() < 0.01);
        assert!(model.months(&born(2023, 6, 8), JUNE) > 35.9, "caught up at two");
        assert!(model.months(&born(2026, 9, 0), JUNE).abs() < f64::EPSILON, "not born yet");
    }

    #[test]
    fn chronotype_moves_the_clock_of_adults_only() {
        let model = PeopleModel::embedded();
        assert_eq!(model.delta(420.0, Chronotype::Late).mean, Hours(1.5));
        assert_eq!(model.delta(24.0, Chronotype::Late), model.delta(24.0, Chronotype::Neither));
    }

    #[test]
    fn the_clock_of_a_young_infant_is_known_less_well() {
        let model = PeopleModel::embedded();
        assert_eq!(model.delta(4.0, Chronotype::Neither).sd, Hours(1.5));
        assert_eq!(model.delta(8.0, Chronotype::Neither).sd, Hours(1.0));
    }

    #[test]
    fn a_broken_file_is_refused_with_the_key_that_is_wrong() {
        let broken = EMBEDDED.replace("toddler_decay    = { value = 3.2", "toddler_decay    = { value = 320");
        assert!(PeopleModel::from_toml(&broken).unwrap_err().to_string().contains("pressure.toddler_decay"));
    }
}
