//! The filter's prior for one person: marginals by age and type, correlated as simulated people's are (`models/priors.toml`).

use crate::circadian::ModelError;
use crate::circadian::filter::{EveningLight, FilterNumbers, Prior, Slopes};
use crate::circadian::model_file::ModelFile;
use crate::event::activity::Chronotype;
use crate::traveller::people::{Group, PeopleModel};
use crate::units::Hours;

const EMBEDDED: &str = include_str!("../../models/priors.toml");

/// In the order of the file.
pub const GROUPS: [Group; 6] =
    [Group::Infant, Group::Toddler, Group::Preschool, Group::School, Group::Adolescent, Group::Adult];
pub const CHRONOTYPES: [Chronotype; 3] = [Chronotype::Early, Chronotype::Neither, Chronotype::Late];

/// By group and type.
#[derive(Clone, Debug, PartialEq)]
pub struct Priors([[Slopes; 3]; 6]);

/// The file's section for a kind of people.
#[must_use]
pub fn section_name(group: Group, chronotype: Chronotype) -> String {
    let chronotype = match chronotype {
        Chronotype::Early => "early",
        Chronotype::Neither => "neither",
        Chronotype::Late => "late",
    };
    format!("{}_{chronotype}", group.name())
}

/// How light counts in the evening at an age.
#[must_use]
pub fn evening_light(numbers: &FilterNumbers, months: f64) -> EveningLight {
    match Group::of_months(months) {
        Group::Toddler | Group::Preschool => EveningLight(numbers.evening_preschool),
        Group::School => EveningLight(numbers.evening_school),
        Group::Infant | Group::Adolescent | Group::Adult => EveningLight::PLAIN,
    }
}

/// SD of what the middle of a settled night says of the clock at an age.
#[must_use]
pub fn sleep_sd(numbers: &FilterNumbers, months: f64) -> Hours {
    Hours(match Group::of_months(months) {
        Group::Infant if months < 6.0 => numbers.sleep_young_infant,
        Group::Infant => numbers.sleep_infant,
        Group::Toddler | Group::Preschool => numbers.sleep_toddler,
        Group::School | Group::Adolescent | Group::Adult => numbers.sleep_adult,
    })
}

impl Priors {
    /// Reads a priors file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<Priors, ModelError> {
        let mut file = ModelFile::parse("priors.toml", text)?;
        let mut priors = [[Slopes { period: 0.0, gain: 0.0, scatter: 0.0 }; 3]; 6];
        for (group, row) in GROUPS.into_iter().zip(&mut priors) {
            for (chronotype, slopes) in CHRONOTYPES.into_iter().zip(row) {
                let mut section = file.section(&section_name(group, chronotype))?;
                slopes.period = section.number("period", "1", -20.0..=20.0)?;
                slopes.gain = section.number("gain", "h", -12.0..=12.0)?;
                slopes.scatter = section.number("scatter", "h", 0.0..=6.0)?;
                section.finish()?;
            }
        }
        Ok(Priors(priors))
    }

    /// The numbers shipped with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> Priors {
        // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
        Self::from_toml(EMBEDDED).expect("the embedded priors.toml is valid")
    }

    /// For somebody of this age and type whose usual day holds a typical oscillator at `oscillator_angle` after mid-sleep.
    #[must_use]
    pub fn of(
        &self,
        numbers: &FilterNumbers,
        people: &PeopleModel,
        months: f64,
        chronotype: Chronotype,
        oscillator_angle: Hours,
    ) -> Prior {
        let delta = people.delta(months, chronotype);
        let column = CHRONOTYPES.iter().position(|one| *one == chronotype).unwrap_or(1);
        let slopes = &self.0[Group::of_months(months) as usize][column];
        Prior::unconditional(numbers, delta.mean, delta.sd).entrained(numbers, slopes, oscillator_angle)
    }
}
