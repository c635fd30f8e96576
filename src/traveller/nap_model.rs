//! The numbers of `models/naps.toml`.

use crate::circadian::ModelError;
use crate::circadian::model_file::ModelFile;
use crate::units::{Hours, Span};

const EMBEDDED: &str = include_str!("../../models/naps.toml");

/// When naps are expected, what counts as one, when silence means that one was missed.
#[derive(Clone, Debug, PartialEq)]
pub struct NapModel {
    window_factor: f64,
    window_exponent: f64,
    /// Below so many months, so many naps.
    usual: [(f64, usize); 4],
    pub usual_minutes: u16,
    /// Hours of the body's day.
    pub night_from: Hours,
    pub night_until: Hours,
    pub longest_nap: Span,
    pub merged_gap: Span,
    pub ignored_below: Span,
    pub short_below: Span,
    /// Of the usual length.
    pub made_up_share: f64,
    pub open_ends_after: Span,
    pub open_half: Span,
    /// After midnight.
    pub day_begins: Span,
    /// Corrected age, months.
    pub no_alarm_under: f64,
    pub days_looked_at: i64,
    pub days_logged: usize,
    pub habit_days: i64,
    pub least_margin: Span,
    pub most_margin: Span,
    pub margin_per_spread: f64,
    pub announced_share: f64,
    pub before_bed: Span,
    pub stale_after: Span,
    pub grace: Span,
    pub still_useful: Span,
}

impl NapModel {
    /// Reads a naps file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<NapModel, ModelError> {
        let mut file = ModelFile::parse("naps.toml", text)?;

        let mut section = file.section("window")?;
        let window_factor = section.number("factor", "h", 0.1..=3.0)?;
        let window_exponent = section.number("exponent", "1", 0.1..=1.5)?;
        section.finish()?;

        let mut section = file.section("usual")?;
        let mut below = |key| section.number(key, "months", 0.0..=120.0);
        let usual =
            [(below("four_below")?, 4), (below("three_below")?, 3), (below("two_below")?, 2), (below("one_below")?, 1)];
        let usual_minutes = section.number("minutes", "min", 10.0..=300.0)? as u16;
        section.finish()?;

        let mut section = file.section("kinds")?;
        let night_from = Hours(section.number("night_from", "h", 12.0..=24.0)?);
        let night_until = Hours(section.number("night_until", "h", 0.0..=12.0)?);
        let longest_nap = Span::from_hours(Hours(section.number("longest_nap", "h", 2.0..=12.0)?));
        let mut minutes = |key, range| section.number(key, "min", range).map(minutes_of);
        let merged_gap = minutes("merged_gap", 0.0..=120.0)?;
        let ignored_below = minutes("ignored_below", 0.0..=20.0)?;
        let short_below = minutes("short_below", 5.0..=60.0)?;
        let open_half = minutes("open_half", 0.0..=240.0)?;
        let open_ends_after = Span::from_hours(Hours(section.number("open_ends_after", "h", 6.0..=24.0)?));
        let made_up_share = section.number("made_up_share", "1", 0.0..=1.0)?;
        let day_begins = Span::from_hours(Hours(section.number("day_begins", "h", 0.0..=8.0)?));
        section.finish()?;

        let mut section = file.section("alarm")?;
        let no_alarm_under = section.number("not_under", "months", 0.0..=24.0)?;
        let days_looked_at = section.number("days_looked_at", "d", 1.0..=7.0)? as i64;
        let days_logged = section.number("days_logged", "d", 1.0..=7.0)? as usize;
        let habit_days = section.number("habit_days", "d", 1.0..=7.0)? as i64;
        let least_margin = minutes_of(section.number("least_margin", "min", 0.0..=240.0)?);
        let most_margin = minutes_of(section.number("most_margin", "min", 0.0..=240.0)?);
        let margin_per_spread = section.number("margin_per_spread", "1", 0.0..=10.0)?;
        let announced_share = section.number("announced_share", "1", 0.0..=1.0)?;
        let before_bed = Span::from_hours(Hours(section.number("before_bed", "h", 0.0..=6.0)?));
        let stale_after = Span::from_hours(Hours(section.number("stale_after", "h", 0.0..=12.0)?));
        let grace = minutes_of(section.number("grace", "min", 1.0..=120.0)?);
        let still_useful = Span::from_hours(Hours(section.number("still_useful", "h", 0.0..=12.0)?));
        section.finish()?;

        Ok(NapModel {
            window_factor,
            window_exponent,
            usual,
            usual_minutes,
            night_from,
            night_until,
            longest_nap,
            merged_gap,
            ignored_below,
            short_below,
            made_up_share,
            open_ends_after,
            open_half,
            day_begins,
            no_alarm_under,
            days_looked_at,
            days_logged,
            habit_days,
            least_margin,
            most_margin,
            margin_per_spread,
            announced_share,
            before_bed,
            stale_after,
            grace,
            still_useful,
        })
    }

    /// The numbers shipped with the program.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> NapModel {
        // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
        Self::from_toml(EMBEDDED).expect("the embedded naps.toml is valid")
    }

    /// Median time awake before a nap, by corrected age.
    #[must_use]
    pub fn window(&self, months: f64) -> Span {
        Span::from_hours(Hours(self.window_factor * libm::pow(months.max(0.0), self.window_exponent)))
    }

    /// How many naps a day are usual at an age.
    #[must_use]
    pub fn usual_count(&self, months: f64) -> usize {
        self.usual.iter().find(|(below, _)| months < *below).map_or(0, |(_, count)| *count)
    }

    /// How long after the later of window and habit silence becomes an alarm. `spread`: the median distance from the
    /// habit's median start.
    #[must_use]
    pub fn margin(&self, spread: Span) -> Span {
        let grown = Span(self.least_margin.0 + libm::round(self.margin_per_spread * spread.0 as f64) as i64);
        grown.min(self.most_margin)
    }
}

fn minutes_of(minutes: f64) -> Span {
    Span::from_hours(Hours(minutes / 60.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_with_age_as_the_logs_say() {
        let model = NapModel::embedded();
        for (months, hours) in [(1.0, 0.72), (3.0, 1.53), (6.0, 2.47), (9.0, 3.26), (12.0, 3.98), (18.0, 5.26)] {
            assert!((model.window(months).as_hours().0 - hours).abs() < 0.05, "{months}");
        }
        assert_eq!(model.window(0.0), Span::ZERO);
    }

    #[test]
    fn naps_become_fewer() {
        let model = NapModel::embedded();
        let counts: Vec<usize> = [2.0, 7.0, 11.0, 20.0, 60.0].iter().map(|months| model.usual_count(*months)).collect();
        assert_eq!(counts, [4, 3, 2, 1, 0]);
    }

    #[test]
    fn the_margin_lies_between_half_an_hour_and_an_hour_and_a_half() {
        let model = NapModel::embedded();
        assert_eq!(model.margin(Span::ZERO), Span::minutes(30));
        assert_eq!(model.margin(Span::minutes(10)), Span::minutes(50));
        assert_eq!(model.margin(Span::hours(3)), Span::minutes(90));
    }

    #[test]
    fn a_broken_file_is_refused_with_the_key_that_is_wrong() {
        let broken = EMBEDDED.replace("grace          = { value = 10.0", "grace          = { value = 0.0");
        assert!(NapModel::from_toml(&broken).unwrap_err().to_string().contains("alarm.grace"));
    }
}
