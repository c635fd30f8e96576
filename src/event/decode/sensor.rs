//! What devices and caregivers see all day: sleep, meals, light.

use super::Context;
use crate::event::activity::{Activity, LightContext, LightExposure, LightLevel, Meal, MealKind, Sleep, SleepKind};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::activity::{LightWire, MealWire, SleepWire};
use crate::event::wire::field::{Nested, Text, Time};
use crate::event::wire::{bad_field, missing_field};
use crate::units::{Lux, Span, UtcMillis};

const LONGEST_SLEEP: Span = Span::hours(24);
const LONGEST_MEAL: Span = Span::hours(6);
const LONGEST_LIGHT: Span = Span::hours(24);

/// A day of minutes.
const MAX_SAMPLES: usize = 1_440;
pub(super) const BRIGHTEST_LUX: f64 = 200_000.0;
pub(super) const MOST_MINUTES: f64 = 1_440.0;

pub(super) fn sleep(wire: &SleepWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let times = Times::read(wire.timestamp.as_ref(), wire.start.as_ref(), wire.end.as_ref())?;
    let deleted = wire.deleted.as_ref().map(|flag| flag.read("deleted")).transpose()?.unwrap_or(false);
    let kind = sleep_kind(word(wire.kind.as_ref(), "kind")?);
    SaidSleep { times, kind, deleted }.check(context)
}

pub(super) fn meal(wire: &MealWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let times = Times::read(wire.timestamp.as_ref(), wire.start.as_ref(), wire.end.as_ref())?;
    let kind = meal_kind(word(wire.kind.as_ref(), "kind")?);
    SaidMeal { times, kind }.check(context)
}

pub(super) fn light(wire: &LightWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let times = Times::read(wire.timestamp.as_ref(), wire.start.as_ref(), wire.end.as_ref())?;
    let surroundings = surroundings(word(wire.context.as_ref(), "context")?);
    let lux = wire.lux.as_ref().map(|lux| lux.read("lux", 0.0, BRIGHTEST_LUX)).transpose()?;
    let melanopic =
        wire.melanopic_edi_lx.as_ref().map(|lux| lux.read("melanopic_edi_lx", 0.0, BRIGHTEST_LUX)).transpose()?;
    let interval = wire.interval_s.as_ref().map(|seconds| seconds.read("interval_s", 1, 3_600)).transpose()?;
    let minutes = wire.minutes.as_ref().map(|minutes| minutes.read("minutes", 0.0, MOST_MINUTES)).transpose()?;

    if let Some(samples) = &wire.samples {
        let start = times.start.ok_or_else(|| missing_field("start", "the time of the first of the `samples`"))?;
        let interval = interval.ok_or_else(|| missing_field("interval_s", "the seconds between two `samples`"))?;
        return samples_of(start, Span::seconds(i64::from(interval)), samples, context);
    }
    SaidLight { times, surroundings, lux, melanopic, minutes }.check(context)
}

/// A sleep whose fields are well-formed each by itself.
pub(super) struct SaidSleep {
    pub times: Times,
    pub kind: Option<SleepKind>,
    pub deleted: bool,
}

impl SaidSleep {
    pub fn check(self, context: &Context<'_>) -> Result<Activity, Rejection> {
        let SaidSleep { times, kind, deleted } = self;
        times.check()?;
        let Some(start) = times.start else {
            let at = context.observed("timestamp", times.moment()?)?;
            return Ok(Activity::Sleep(Sleep::SeenAsleep { at }));
        };
        let end = times.end;
        check_interval(start, end, LONGEST_SLEEP, "24 hours")?;
        context.observed(times.latest_name(), end.unwrap_or(start))?;
        Ok(Activity::Sleep(Sleep::Interval { start, end, kind, deleted }))
    }
}

/// A meal whose fields are well-formed each by itself.
pub(super) struct SaidMeal {
    pub times: Times,
    pub kind: MealKind,
}

impl SaidMeal {
    pub fn check(self, context: &Context<'_>) -> Result<Activity, Rejection> {
        let SaidMeal { times, kind } = self;
        times.check()?;
        let start = times.moment()?;
        check_interval(start, times.end, LONGEST_MEAL, "6 hours")?;
        let end = context.observed(times.latest_name(), times.end.unwrap_or(start))?;
        Ok(Activity::Meal(Meal { start, end, kind }))
    }
}

/// Light without samples whose fields are well-formed each by itself.
pub(super) struct SaidLight {
    pub times: Times,
    pub surroundings: LightContext,
    /// 0 ..= [`BRIGHTEST_LUX`], as is `melanopic`.
    pub lux: Option<f64>,
    pub melanopic: Option<f64>,
    /// 0 ..= [`MOST_MINUTES`].
    pub minutes: Option<f64>,
}

impl SaidLight {
    pub fn check(self, context: &Context<'_>) -> Result<Activity, Rejection> {
        let SaidLight { times, surroundings, lux, melanopic, minutes } = self;
        times.check()?;
        let start = times.moment()?;
        let end = match (times.end, minutes) {
            (Some(end), _) => Some(end),
            (None, Some(minutes)) => Some(start + Span(libm::round(minutes * 60_000.0) as i64)),
            (None, None) => None,
        };
        check_interval(start, end, LONGEST_LIGHT, "24 hours")?;
        let latest = if times.end.is_none() && minutes.is_some() { "minutes" } else { times.latest_name() };
        let end = context.observed(latest, end.unwrap_or(start))?;
        let level = match (melanopic, lux, surroundings) {
            (Some(melanopic), _, surroundings) => LightLevel::MelanopicEdi(Lux(melanopic), surroundings),
            (None, Some(lux), _) => LightLevel::Lux(Lux(lux)),
            (None, None, LightContext::Unknown) => LightLevel::Usual,
            (None, None, surroundings) => LightLevel::Context(surroundings),
        };
        Ok(Activity::Light(LightExposure { start, end, level }))
    }
}

pub(super) fn sleep_kind(word: Option<&str>) -> Option<SleepKind> {
    match word {
        Some("night") => Some(SleepKind::Night),
        Some("nap") => Some(SleepKind::Nap),
        _ => None,
    }
}

pub(super) fn meal_kind(word: Option<&str>) -> MealKind {
    match word {
        Some("meal") => MealKind::Meal,
        Some("snack") => MealKind::Snack,
        Some("breast") => MealKind::Breast,
        Some("bottle") => MealKind::Bottle,
        Some("solid") => MealKind::Solid,
        _ => MealKind::Unknown,
    }
}

pub(super) fn surroundings(word: Option<&str>) -> LightContext {
    match word {
        Some("outdoor") => LightContext::Outdoor,
        Some("indoor") => LightContext::Indoor,
        Some("dim") => LightContext::Dim,
        Some("dark") => LightContext::Dark,
        Some("aircraft") => LightContext::Aircraft,
        _ => LightContext::Unknown,
    }
}

fn samples_of(
    start: UtcMillis,
    interval: Span,
    samples: &Nested<'_, Vec<f64>>,
    context: &Context<'_>,
) -> Result<Activity, Rejection> {
    const ALLOWED: &str = "an array of 1 to 1440 numbers from 0 to 200000";
    let samples = samples.array("samples", ALLOWED)?;
    let in_range = samples.iter().all(|lux| (0.0..=BRIGHTEST_LUX).contains(lux));
    if samples.is_empty() || samples.len() > MAX_SAMPLES || !in_range {
        return Err(bad_field("samples", ALLOWED));
    }
    let count = samples.len() as i64;
    let end = start + Span(interval.0 * count);
    check_interval(start, Some(end), LONGEST_LIGHT, "24 hours")?;
    // The last reading was taken at the beginning of the last interval.
    context.observed("samples", start + Span(interval.0 * (count - 1)))?;
    let lux = samples.into_iter().map(|lux| lux as f32).collect();
    Ok(Activity::Light(LightExposure { start, end, level: LightLevel::Samples { interval, lux } }))
}

/// `timestamp`, `start` and `end` as given.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub timestamp: Option<UtcMillis>,
    pub start: Option<UtcMillis>,
    pub end: Option<UtcMillis>,
}

impl Times {
    pub fn read(
        timestamp: Option<&Time<'_>>,
        start: Option<&Time<'_>>,
        end: Option<&Time<'_>>,
    ) -> Result<Times, Rejection> {
        let times = Times {
            timestamp: timestamp.map(|time| time.read("timestamp")).transpose()?,
            start: start.map(|time| time.read("start")).transpose()?,
            end: end.map(|time| time.read("end")).transpose()?,
        };
        times.check()?;
        Ok(times)
    }

    /// `timestamp` may be when it was said: it cannot stand for the start of an interval.
    pub fn check(&self) -> Result<(), Rejection> {
        if self.end.is_some() && self.start.is_none() {
            return Err(missing_field("start", "an `end` needs one"));
        }
        Ok(())
    }

    /// When it was, or began.
    pub fn moment(&self) -> Result<UtcMillis, Rejection> {
        let moment = self.start.or(self.timestamp);
        moment.ok_or_else(|| missing_field("timestamp", "when it was; or `start`, when it began"))
    }

    /// The field of the latest time that counts.
    pub fn latest_name(&self) -> &'static str {
        match (self.end, self.start) {
            (Some(_), _) => "end",
            (None, Some(_)) => "start",
            (None, None) => "timestamp",
        }
    }
}

/// `words` says `longest`.
pub(super) fn check_interval(
    start: UtcMillis,
    end: Option<UtcMillis>,
    longest: Span,
    words: &str,
) -> Result<(), Rejection> {
    let Some(end) = end else { return Ok(()) };
    if end <= start || end - start > longest {
        let message = format!("the interval must end after its start and at most {words} later");
        return Err(Rejection::validate(Code::BadInterval, message));
    }
    Ok(())
}

/// A word of a list that may grow: the caller takes one that it does not know as absent.
fn word<'w>(text: Option<&'w Text<'_>>, name: &str) -> Result<Option<&'w str>, Rejection> {
    text.map(|text| text.0.as_text().ok_or_else(|| bad_field(name, "a text"))).transpose()
}
