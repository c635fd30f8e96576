//! The planner's numbers, read once from `models/planner.toml` and `models/ages.toml`, where their sources stand.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::circadian::model_file::{ModelError, ModelFile, Section};
use crate::planner::ages::Ages;
use crate::units::{Hours, Span};

/// The model files as shipped.
const PLANNER: &str = include_str!("../../models/planner.toml");
const AGES: &str = include_str!("../../models/ages.toml");

/// Everything that the plan by rule is made with; the meaning of each number stands beside it in the model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    pub horizon: Horizon,
    pub clock: ClockNumbers,
    pub light: LightNumbers,
    pub sleep: SleepNumbers,
    pub naps: NapNumbers,
    pub repair: RepairNumbers,
    pub other: OtherNumbers,
    pub ages: Ages,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Horizon {
    pub length: Span,
    /// Whole nights.
    pub before_flight_nights: i64,
    pub stay: Span,
}

/// Rates are hours of phase a day.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockNumbers {
    pub largest_advance: Hours,
    pub small_journey: Hours,
    pub adapted_within: Hours,
    pub settled_within: Hours,
    pub dlmo_before_cbt_min: Span,
    pub advance_before: Hours,
    pub advance_after: Hours,
    pub delay: Hours,
    pub unassisted_advance: Hours,
    pub unassisted_delay: Hours,
    /// In standard deviations.
    pub interval_half_width: f64,
    /// Days that the other way round must save before a plan turns.
    pub turn_round_gain: f64,
}

/// `…_minute` counts from local midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct LightNumbers {
    pub block: Span,
    pub reach: Span,
    pub reach_block: Span,
    pub shortest: Span,
    pub no_bright_before: Span,
    /// A probability.
    pub wrong_sign_most: f64,
    /// By which the standard deviation of the clock counts as larger for every day ahead.
    pub sd_growth: Hours,
    pub bright_from_minute: i32,
    pub bright_until_minute: i32,
    pub day_from_minute: i32,
    pub day_until_minute: i32,
    pub daylight_least: Span,
    pub around_flight: Span,
    /// On the way to a flight, and at the airport.
    pub indoors_before_flight: Span,
    pub before_bed: Span,
    pub asleep_for: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SleepNumbers {
    pub night_most: Span,
    pub asleep_most: Span,
    pub part_least: Span,
    pub part_least_aboard: Span,
    pub remaining_least: Span,
    pub early_onset: Span,
    pub up_before_departure: Span,
    pub bed_after_landing: Span,
    pub after_take_off: Span,
    pub before_landing: Span,
    /// Of the body's night, in a flight: less is not worth a bed of its own.
    pub body_night_least: Span,
    /// Of a usual night: shorter is no main sleep.
    pub main_share: f64,
    /// Of a usual waking day: the longest between two main sleeps, and the least between sleeps on a journey.
    pub awake_most_share: f64,
    pub awake_least_share: f64,
    /// A night aboard by the clock that is moved by no more is still that night.
    pub moved_aboard_most: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NapNumbers {
    /// Shares of the wake window.
    pub window_share: f64,
    pub young_share: f64,
    pub young_until_months: f64,
    pub bridge_after: Span,
    pub bridge_within: Span,
    pub bridge_most: Span,
    pub shortest: Span,
    pub longest: Span,
    pub earlier_aboard: Span,
    pub gap_least: Span,
    pub same_nap: Span,
    /// Of the usual time awake between two sleeps: how long it may be on a journey, and how short before or after a nap.
    pub awake_most_windows: f64,
    pub gap_least_aboard: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RepairNumbers {
    /// A share of the missed nap's length.
    pub earlier_bed_per_nap: f64,
    pub bed_after_notice: Span,
    pub bed_before_dlmo: Span,
    /// Awake until bed, in wake windows, from which a baby is offered a short nap.
    pub short_nap_from: f64,
    /// Awake after that nap, in wake windows, at the least.
    pub short_nap_before_bed: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OtherNumbers {
    pub breakfast_after_wake: Span,
    pub breakfast_length: Span,
    /// Of a breakfast that should have begun.
    pub breakfast_rest_least: Span,
    /// Breakfast begins between these, minutes after local midnight.
    pub breakfast_from_minute: i32,
    pub breakfast_until_minute: i32,
    pub caffeine_before_bed: Span,
    pub melatonin_before_dlmo: Span,
    pub melatonin_window: Span,
    pub actions_a_day: usize,
    pub grid: Span,
    pub moved: Span,
    pub refreshed: Span,
    /// A share of the longer of two blocks.
    pub light_shared: f64,
    pub soon: Span,
}

impl OtherNumbers {
    /// At least one minute. Every zone's clock is off UTC by whole quarters of an hour, so that one grid serves both.
    #[must_use]
    pub fn grid_minutes(&self) -> i32 {
        (self.grid.as_minutes() as i32).max(1)
    }
}

/// The numbers in force: parsed at the first call, the same for good.
#[must_use]
#[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "see below: it cannot fail")]
pub fn numbers() -> &'static Numbers {
    static NUMBERS: OnceLock<Numbers> = OnceLock::new();
    // Part of the program text, and read by every test of this module: it cannot fail in a program that was tested.
    NUMBERS.get_or_init(|| Numbers::from_toml(PLANNER, AGES).expect("the embedded planner and age models are valid"))
}

impl Numbers {
    /// Reads the texts of a `planner.toml` and an `ages.toml`.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(planner: &str, ages: &str) -> Result<Numbers, ModelError> {
        let mut file = ModelFile::parse("planner.toml", planner)?;
        Ok(Numbers {
            horizon: section(&mut file, "horizon", |s| {
                Ok(Horizon {
                    length: hours(s, "length", 24.0..=168.0)?,
                    before_flight_nights: s.number("before_flight", "d", 0.0..=7.0)? as i64,
                    stay: hours(s, "stay", 6.0..=72.0)?,
                })
            })?,
            clock: section(&mut file, "clock", clock)?,
            light: section(&mut file, "light", light)?,
            sleep: section(&mut file, "sleep", sleep)?,
            naps: section(&mut file, "naps", naps)?,
            repair: section(&mut file, "repair", |s| {
                Ok(RepairNumbers {
                    earlier_bed_per_nap: s.number("earlier_bed_per_nap", "1", 0.0..=1.0)?,
                    bed_after_notice: minutes(s, "bed_after_notice", 0.0..=120.0)?,
                    bed_before_dlmo: minutes(s, "bed_before_dlmo", 0.0..=120.0)?,
                    short_nap_from: s.number("short_nap_from", "1", 1.0..=4.0)?,
                    short_nap_before_bed: s.number("short_nap_before_bed", "1", 0.0..=2.0)?,
                })
            })?,
            other: other(&mut file)?,
            ages: Ages::from_toml(ages)?,
        })
    }
}

/// Reads one section to its last key.
pub(super) fn section<T>(
    file: &mut ModelFile,
    name: &str,
    read: impl FnOnce(&mut Section<'_>) -> Result<T, ModelError>,
) -> Result<T, ModelError> {
    let mut section = file.section(name)?;
    let value = read(&mut section)?;
    section.finish()?;
    Ok(value)
}

pub(super) fn hours(section: &mut Section<'_>, key: &str, range: RangeInclusive<f64>) -> Result<Span, ModelError> {
    Ok(Span::from_hours(Hours(section.number(key, "h", range)?)))
}

pub(super) fn minutes(section: &mut Section<'_>, key: &str, range: RangeInclusive<f64>) -> Result<Span, ModelError> {
    Ok(Span::minutes(libm::round(section.number(key, "min", range)?) as i64))
}

fn minute_of_day(section: &mut Section<'_>, key: &str) -> Result<i32, ModelError> {
    Ok(libm::round(section.number(key, "min", 0.0..=1440.0)?) as i32)
}

fn rate(section: &mut Section<'_>, key: &str) -> Result<Hours, ModelError> {
    Ok(Hours(section.number(key, "h/d", 0.1..=4.0)?))
}

fn clock(s: &mut Section<'_>) -> Result<ClockNumbers, ModelError> {
    Ok(ClockNumbers {
        largest_advance: Hours(s.number("largest_advance", "h", 0.0..=12.0)?),
        small_journey: Hours(s.number("small_journey", "h", 0.0..=6.0)?),
        adapted_within: Hours(s.number("adapted_within", "h", 0.0..=6.0)?),
        settled_within: Hours(s.number("settled_within", "h", 0.0..=6.0)?),
        dlmo_before_cbt_min: hours(s, "dlmo_before_cbt_min", 4.0..=10.0)?,
        advance_before: rate(s, "advance_before")?,
        advance_after: rate(s, "advance_after")?,
        delay: rate(s, "delay")?,
        unassisted_advance: rate(s, "unassisted_advance")?,
        unassisted_delay: rate(s, "unassisted_delay")?,
        interval_half_width: s.number("interval_half_width", "1", 0.0..=4.0)?,
        turn_round_gain: s.number("turn_round_gain", "d", 0.0..=12.0)?,
    })
}

fn light(s: &mut Section<'_>) -> Result<LightNumbers, ModelError> {
    Ok(LightNumbers {
        block: hours(s, "block", 0.5..=8.0)?,
        reach: hours(s, "reach", 0.5..=11.0)?,
        reach_block: hours(s, "reach_block", 0.5..=8.0)?,
        shortest: minutes(s, "shortest", 5.0..=240.0)?,
        no_bright_before: hours(s, "no_bright_before", 0.0..=8.0)?,
        wrong_sign_most: s.number("wrong_sign_most", "1", 0.0..=0.5)?,
        sd_growth: Hours(s.number("sd_growth", "h/d", 0.0..=4.0)?),
        bright_from_minute: minute_of_day(s, "bright_from")?,
        bright_until_minute: minute_of_day(s, "bright_until")?,
        day_from_minute: minute_of_day(s, "day_from")?,
        day_until_minute: minute_of_day(s, "day_until")?,
        daylight_least: minutes(s, "daylight_least", 5.0..=240.0)?,
        around_flight: minutes(s, "around_flight", 0.0..=240.0)?,
        indoors_before_flight: minutes(s, "indoors_before_flight", 0.0..=360.0)?,
        before_bed: minutes(s, "before_bed", 0.0..=240.0)?,
        asleep_for: minutes(s, "asleep_for", 0.0..=720.0)?,
    })
}

fn sleep(s: &mut Section<'_>) -> Result<SleepNumbers, ModelError> {
    Ok(SleepNumbers {
        night_most: hours(s, "night_most", 12.0..=16.0)?,
        asleep_most: hours(s, "asleep_most", 12.0..=24.0)?,
        part_least: minutes(s, "part_least", 20.0..=360.0)?,
        part_least_aboard: minutes(s, "part_least_aboard", 20.0..=360.0)?,
        remaining_least: minutes(s, "remaining_least", 0.0..=360.0)?,
        early_onset: minutes(s, "early_onset", 0.0..=240.0)?,
        up_before_departure: minutes(s, "up_before_departure", 0.0..=360.0)?,
        bed_after_landing: minutes(s, "bed_after_landing", 0.0..=360.0)?,
        after_take_off: minutes(s, "after_take_off", 0.0..=180.0)?,
        before_landing: minutes(s, "before_landing", 0.0..=180.0)?,
        body_night_least: minutes(s, "body_night_least", 60.0..=360.0)?,
        main_share: s.number("main_share", "1", 0.1..=1.0)?,
        awake_most_share: s.number("awake_most", "1", 1.0..=2.0)?,
        awake_least_share: s.number("awake_least", "1", 0.0..=1.0)?,
        moved_aboard_most: minutes(s, "moved_aboard_most", 0.0..=360.0)?,
    })
}

fn naps(s: &mut Section<'_>) -> Result<NapNumbers, ModelError> {
    Ok(NapNumbers {
        window_share: s.number("window_share", "1", 0.0..=1.0)?,
        young_share: s.number("young_share", "1", 0.0..=1.0)?,
        young_until_months: s.number("young_until", "months", 0.0..=24.0)?,
        bridge_after: minutes(s, "bridge_after", 0.0..=120.0)?,
        bridge_within: minutes(s, "bridge_within", 0.0..=120.0)?,
        bridge_most: minutes(s, "bridge_most", 10.0..=120.0)?,
        shortest: minutes(s, "shortest", 5.0..=60.0)?,
        longest: minutes(s, "longest", 60.0..=480.0)?,
        earlier_aboard: minutes(s, "earlier_aboard", 0.0..=180.0)?,
        gap_least: minutes(s, "gap_least", 0.0..=180.0)?,
        same_nap: minutes(s, "same_nap", 0.0..=360.0)?,
        awake_most_windows: s.number("awake_most", "1", 1.5..=4.0)?,
        gap_least_aboard: s.number("gap_least_aboard", "1", 0.0..=1.0)?,
    })
}

fn other(file: &mut ModelFile) -> Result<OtherNumbers, ModelError> {
    let ([after_wake, length, rest_least], [from, until]) = section(file, "meals", |s| {
        Ok((
            [
                minutes(s, "after_wake", 0.0..=180.0)?,
                minutes(s, "length", 5.0..=180.0)?,
                minutes(s, "rest_least", 5.0..=180.0)?,
            ],
            [minute_of_day(s, "from")?, minute_of_day(s, "until")?],
        ))
    })?;
    let [caffeine, melatonin, window] = section(file, "substances", |s| {
        Ok([
            hours(s, "caffeine_before_bed", 4.0..=14.0)?,
            hours(s, "melatonin_before_dlmo", 0.0..=8.0)?,
            minutes(s, "melatonin_window", 5.0..=120.0)?,
        ])
    })?;
    let (actions_a_day, grid) = section(file, "actions", |s| {
        Ok((s.number("a_day", "1", 1.0..=6.0)? as usize, minutes(s, "grid", 1.0..=15.0)?))
    })?;
    let ([moved, refreshed, soon], light_shared) = section(file, "difference", |s| {
        let spans =
            [minutes(s, "moved", 1.0..=120.0)?, minutes(s, "refreshed", 1.0..=240.0)?, hours(s, "soon", 1.0..=72.0)?];
        Ok((spans, s.number("light_shared", "1", 0.0..=1.0)?))
    })?;
    Ok(OtherNumbers {
        breakfast_after_wake: after_wake,
        breakfast_length: length,
        breakfast_rest_least: rest_least,
        breakfast_from_minute: from,
        breakfast_until_minute: until,
        caffeine_before_bed: caffeine,
        melatonin_before_dlmo: melatonin,
        melatonin_window: window,
        actions_a_day,
        grid,
        moved,
        refreshed,
        light_shared,
        soon,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::activity::AgeBand;

    #[test]
    fn the_shipped_models_are_read_to_the_last_key() {
        let numbers = Numbers::from_toml(PLANNER, AGES).unwrap();
        assert_eq!(numbers.ages.band(AgeBand::Infant).daily_shift, Span::minutes(20));
        assert_eq!(numbers.other.actions_a_day, 6);
    }

    #[test]
    fn a_misspelt_number_is_an_error_that_names_it() {
        let text = PLANNER.replace("bridge_most ", "bridge_mots ");
        let message = Numbers::from_toml(&text, AGES).unwrap_err().to_string();
        assert!(message.contains("naps.bridge_most"), "{message}");
    }
}
