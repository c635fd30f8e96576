//! What people and laboratories report on purpose.

use super::Context;
use super::sensor::Times;
use crate::event::activity::{Activity, Adherence, Marker, NapSkipped, Outcome, PhaseMeasurement};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::activity::{AdherenceWire, NapSkippedWire, PhaseMeasurementWire};
use crate::event::wire::{bad_field, missing_field};
use crate::units::Span;

/// A marker known worse than this says nothing.
const LARGEST_SD_MINUTES: f64 = 720.0;

pub(super) fn nap_skipped(wire: &NapSkippedWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let at = wire.timestamp.as_ref().ok_or_else(|| missing_field("timestamp", "when the nap did not happen"))?;
    let at = context.observed("timestamp", at.read("timestamp")?)?;
    let reason = wire.reason.as_ref().map(|reason| reason.read("reason")).transpose()?;
    Ok(Activity::NapSkipped(NapSkipped { at, reason: reason.map(str::to_owned) }))
}

pub(super) fn adherence(wire: &AdherenceWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let action_id =
        wire.action_id.as_ref().ok_or_else(|| missing_field("action_id", "the action that this is about"))?;
    let action_id = action_id.read("action_id")?.to_owned();
    let outcome = wire.outcome.as_ref().ok_or_else(|| missing_field("outcome", "done, modified or skipped"))?;
    let outcome = match outcome.0.as_text() {
        Some("done") => Outcome::Done,
        Some("modified") => Outcome::Modified,
        Some("skipped") => Outcome::Skipped,
        _ => return Err(bad_field("outcome", "done, modified or skipped")),
    };
    let times = Times::read(wire.timestamp.as_ref(), wire.start.as_ref(), wire.end.as_ref())?;
    if let (Some(start), Some(end)) = (times.start, times.end)
        && end <= start
    {
        return Err(Rejection::validate(Code::BadInterval, "`end` must be after `start`"));
    }
    let at = match times.timestamp.or(times.end) {
        Some(at) => at,
        None => times.moment()?,
    };
    context.observed(times.latest_name(), times.end.or(times.start).unwrap_or(at))?;
    context.observed("timestamp", at)?;
    Ok(Activity::Adherence(Adherence { at, action_id, outcome, start: times.start, end: times.end }))
}

pub(super) fn phase_measurement(wire: &PhaseMeasurementWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let marker = wire.marker.as_ref().ok_or_else(|| missing_field("marker", "dlmo or cbtmin"))?;
    let marker = match marker.0.as_text() {
        Some("dlmo") => Marker::Dlmo,
        Some("cbtmin") => Marker::Cbtmin,
        _ => return Err(bad_field("marker", "dlmo or cbtmin")),
    };
    let at = wire.at.as_ref().ok_or_else(|| missing_field("at", "when the marker was"))?;
    let at = context.observed("at", at.read("at")?)?;
    let sd = wire.sd_minutes.as_ref().ok_or_else(|| missing_field("sd_minutes", "how well `at` is known"))?;
    let sd = Span(libm::round(sd.read("sd_minutes", 0.0, LARGEST_SD_MINUTES)? * 60_000.0) as i64);
    if sd <= Span::ZERO {
        return Err(bad_field("sd_minutes", "above 0: no marker is known exactly"));
    }
    if let Some(timestamp) = &wire.timestamp {
        timestamp.read("timestamp")?;
    }
    Ok(Activity::PhaseMeasurement(PhaseMeasurement { marker, at, sd }))
}
