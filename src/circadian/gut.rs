//! The gut's clock: meals move it, and it moves nothing.
//!
//! Meals five hours late for six days leave melatonin, cortisol, hunger and sleepiness where they were and delay the clock
//! of fat tissue by about an hour (Wehrens et al. 2017). So meals are kept out of the oscillator altogether, and the gut has
//! a phase of its own, pulled by both:
//!
//! ```text
//! dd/dt = k_c S(c − d) + k_m S(m − d),   S(z) = 12/π sin(πz/12)
//! ```
//!
//! with the delays in hours against the habit at home, mod 24: d of the gut, c of the central clock, m of the meals.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::circadian::model_file::{ModelError, ModelFile};
use crate::units::{Hours, Span, UtcMillis};

const EMBEDDED: &str = include_str!("../../models/gut.toml");

/// Steps of the pull: short against its time constants of days.
const STEP: Span = Span::hours(6);

/// The numbers of `models/gut.toml`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GutModel {
    /// Per day.
    central_pull: f64,
    meal_pull: f64,
    /// Meals of this long are averaged.
    meals_fade: Hours,
    /// Without a meal for this long, meals pull no more.
    fasting_after: Span,
    /// Middle of the meals of a usual day, as a share of the time awake.
    pub meal_centre: f64,
    pub meals: MealHours,
}

/// Meals of a usual day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MealHours {
    /// After waking up.
    pub first: Span,
    /// From one meal's beginning to the next.
    pub between: Span,
    pub length: Span,
    /// Who is younger eats on demand.
    pub scheduled_from_months: f64,
}

impl GutModel {
    /// Reads a gut file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<GutModel, ModelError> {
        let mut file = ModelFile::parse("gut.toml", text)?;
        let mut section = file.section("meals")?;
        let meals = MealHours {
            first: Span::from_hours(Hours(section.number("first", "h", 0.0..=4.0)?)),
            between: Span::from_hours(Hours(section.number("between", "h", 1.0..=8.0)?)),
            length: Span::from_hours(Hours(section.number("length", "h", 0.25..=2.0)?)),
            scheduled_from_months: section.number("scheduled_from", "months", 0.0..=36.0)?,
        };
        section.finish()?;
        let mut section = file.section("gut")?;
        let rate = section.number("rate", "1/d", 0.0..=5.0)?;
        let meal_share = section.number("meal_share", "1", 0.0..=1.0)?;
        let model = GutModel {
            central_pull: rate * (1.0 - meal_share),
            meal_pull: rate * meal_share,
            meals_fade: Hours(section.number("meals_fade", "h", 1.0..=96.0)?),
            fasting_after: Span::from_hours(Hours(section.number("fasting_after", "h", 12.0..=240.0)?)),
            meal_centre: section.number("meal_centre", "1", 0.0..=1.0)?,
            meals,
        };
        section.finish()?;
        Ok(model)
    }

    /// The numbers shipped with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> GutModel {
        // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
        Self::from_toml(EMBEDDED).expect("the embedded gut.toml is valid")
    }
}

/// A gut's clock at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gut {
    at: UtcMillis,
    last_meal: UtcMillis,
    /// d, hours.
    delay: f32,
    /// Delays of the latest meals against the habit, as a fading sum of directions.
    meals_cos: f32,
    meals_sin: f32,
}

impl Gut {
    /// In step with the habit.
    #[must_use]
    pub fn usual(at: UtcMillis) -> Gut {
        Gut { at: at.floor_to(STEP), last_meal: UtcMillis(i64::MIN / 2), delay: 0.0, meals_cos: 0.0, meals_sin: 0.0 }
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.at
    }

    /// d, how far the gut is behind the habit at home, in (−12, 12].
    #[must_use]
    pub fn delay(&self) -> Hours {
        Hours(f64::from(self.delay)).wrap_12()
    }

    /// Moves on to the last step at or before `until`. `meals`: times, in order, with their delays against the habit; those
    /// before this gut's time were taken in before. `central`: the central clock's delay at a time. Stopping and going on
    /// gives the same bits.
    pub fn advance(
        &mut self,
        model: &GutModel,
        until: UtcMillis,
        meals: &[(UtcMillis, Hours)],
        central: impl Fn(UtcMillis) -> Hours,
    ) {
        let from = self.at;
        let mut next = meals.iter().skip_while(|(at, _)| *at < from).peekable();
        while self.at + STEP <= until {
            let end = self.at + STEP;
            let kept = libm::exp(-STEP.as_hours().0 / model.meals_fade.0) as f32;
            self.meals_cos *= kept;
            self.meals_sin *= kept;
            while let Some((at, delay)) = next.next_if(|(at, _)| *at < end) {
                let (sine, cosine) = libm::sincos(delay.0 * PI / 12.0);
                self.meals_cos += cosine as f32;
                self.meals_sin += sine as f32;
                self.last_meal = *at;
            }
            let days = STEP.as_hours().0 / 24.0;
            let pull = |to: f64| 12.0 / PI * libm::sin((to - f64::from(self.delay)) * PI / 12.0);
            let mut moved = days * model.central_pull * pull(central(self.at).0);
            if end - self.last_meal < model.fasting_after {
                let meals = libm::atan2(f64::from(self.meals_sin), f64::from(self.meals_cos)) * 12.0 / PI;
                moved += days * model.meal_pull * pull(meals);
            }
            self.delay = Hours(f64::from(self.delay) + moved).wrap_12().0 as f32;
            self.at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcMillis = UtcMillis(0);

    /// Three meals a day for so many days, so late.
    fn meals(days: i64, late: f64) -> Vec<(UtcMillis, Hours)> {
        let hours = [8.0 + late, 12.5 + late, 18.5 + late];
        (0..days)
            .flat_map(|day| hours.map(|hour| (START + Span::days(day) + Span::from_hours(Hours(hour)), Hours(late))))
            .collect()
    }

    #[test]
    fn six_days_of_meals_five_hours_late_delay_the_tissue_by_an_hour() {
        let mut gut = Gut::usual(START);
        gut.advance(&GutModel::embedded(), START + Span::days(6), &meals(6, 5.0), |_| Hours(0.0));
        assert!((gut.delay().0 - 0.97).abs() < 0.02, "{:?}", gut.delay());
    }

    #[test]
    fn who_does_not_eat_for_two_days_has_only_the_central_clock() {
        let model = GutModel::embedded();
        let mut gut = Gut::usual(START);
        gut.advance(&model, START + Span::days(6), &meals(6, 5.0), |_| Hours(0.0));
        let after_meals = gut.delay().0;
        gut.advance(&model, START + Span::days(16), &meals(6, 5.0), |_| Hours(0.0));
        assert!(gut.delay().0 < 0.1 * after_meals);
    }

    #[test]
    fn with_meals_and_clock_at_the_destination_the_gut_follows_in_days() {
        let mut gut = Gut::usual(START);
        gut.advance(&GutModel::embedded(), START + Span::days(6), &meals(6, -8.0), |_| Hours(-8.0));
        assert!((-8.0..-6.5).contains(&gut.delay().0), "{:?}", gut.delay());
    }

    #[test]
    fn stopping_and_going_on_gives_the_same_bits() {
        let model = GutModel::embedded();
        let central = |at: UtcMillis| Hours((at - START).as_hours().0 / 50.0);
        let mut whole = Gut::usual(START);
        whole.advance(&model, START + Span::days(5), &meals(5, 3.0), central);
        let mut pieces = Gut::usual(START);
        for hours in [3, 7, 30, 31, 90, 120] {
            pieces.advance(&model, START + Span::hours(hours), &meals(5, 3.0), central);
        }
        assert_eq!(whole, pieces);
    }
}
