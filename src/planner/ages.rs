//! What a plan may ask of somebody by age, read from `models/ages.toml`, where the sources stand.

use super::numbers::{hours, minutes, section};
use crate::circadian::model_file::{ModelError, ModelFile, Section};
use crate::event::activity::AgeBand;
use crate::units::Span;

/// What depends on age.
#[derive(Clone, Debug, PartialEq)]
pub struct Ages {
    infant: BandNumbers,
    toddler: BandNumbers,
    child: BandNumbers,
    adult: BandNumbers,
    /// From an age in months on, in rising order: the least sleep in 24 h.
    sleep_minimum: [(f64, Span); 6],
    pub clock_from_months: f64,
    pub direct_sun_from_months: f64,
    pub breakfast_from_months: f64,
    pub adult_from_months: f64,
    /// From here on advice is given to the person, not to who looks after them.
    pub spoken_to_from_months: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandNumbers {
    /// The most that a night moves from the night before.
    pub daily_shift: Span,
    pub earlier_bed_least: Span,
    pub earlier_bed_most: Span,
}

impl Ages {
    #[must_use]
    pub fn band(&self, band: AgeBand) -> BandNumbers {
        match band {
            AgeBand::Infant => self.infant,
            AgeBand::Toddler => self.toddler,
            AgeBand::Child => self.child,
            AgeBand::Adult => self.adult,
        }
    }

    /// The least sleep in 24 h, naps included; zero where nothing is recommended for the age.
    #[must_use]
    pub fn sleep_minimum(&self, age_months: f64) -> Span {
        let mut minimum = Span::ZERO;
        for (from_months, sleep) in self.sleep_minimum {
            if age_months >= from_months {
                minimum = sleep;
            }
        }
        minimum
    }
}

impl Ages {
    /// Reads the text of an `ages.toml`.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<Ages, ModelError> {
        let mut file = ModelFile::parse("ages.toml", text)?;
        let sleep_minimum = section(&mut file, "sleep_minimum", |s| {
            Ok([
                (4.0, hours(s, "from_4_months", 0.0..=16.0)?),
                (12.0, hours(s, "from_1_year", 0.0..=16.0)?),
                (36.0, hours(s, "from_3_years", 0.0..=16.0)?),
                (72.0, hours(s, "from_6_years", 0.0..=16.0)?),
                (156.0, hours(s, "from_13_years", 0.0..=16.0)?),
                (216.0, hours(s, "from_18_years", 0.0..=16.0)?),
            ])
        })?;
        let [clock, direct_sun, breakfast, adult, spoken_to] = section(&mut file, "from_age", |s| {
            Ok([
                s.number("clock", "months", 0.0..=24.0)?,
                s.number("direct_sun", "months", 0.0..=24.0)?,
                s.number("breakfast", "months", 0.0..=24.0)?,
                s.number("adult", "months", 216.0..=300.0)?,
                s.number("spoken_to", "months", 120.0..=216.0)?,
            ])
        })?;
        Ok(Ages {
            infant: section(&mut file, "infant", band)?,
            toddler: section(&mut file, "toddler", band)?,
            child: section(&mut file, "child", band)?,
            adult: section(&mut file, "adult", band)?,
            sleep_minimum,
            clock_from_months: clock,
            direct_sun_from_months: direct_sun,
            breakfast_from_months: breakfast,
            adult_from_months: adult,
            spoken_to_from_months: spoken_to,
        })
    }
}

fn band(s: &mut Section<'_>) -> Result<BandNumbers, ModelError> {
    Ok(BandNumbers {
        daily_shift: Span::minutes(libm::round(s.number("daily_shift", "min/d", 0.0..=120.0)?) as i64),
        earlier_bed_least: minutes(s, "earlier_bed_least", 0.0..=45.0)?,
        earlier_bed_most: minutes(s, "earlier_bed_most", 0.0..=45.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::numbers::numbers;

    #[test]
    fn the_least_sleep_follows_the_age() {
        let ages = &numbers().ages;
        assert_eq!(ages.sleep_minimum(2.0), Span::ZERO);
        assert_eq!(ages.sleep_minimum(11.9), Span::hours(12));
        assert_eq!(ages.sleep_minimum(12.0), Span::hours(11));
        assert_eq!(ages.sleep_minimum(400.0), Span::hours(7));
        assert_eq!(ages.sleep_minimum(f64::NAN), Span::ZERO);
    }
}
