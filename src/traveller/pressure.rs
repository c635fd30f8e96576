//! How tired somebody is: two-process sleep pressure and sleep debt, from what was logged.
//!
//! Who logs no sleep is not awake all the time: without a sleep in the last day and a half there is no answer.

use crate::event::recommendation::{SleepSummary, Window};
use crate::traveller::estimate::two_decimals;
use crate::traveller::models::Models;
use crate::traveller::naps::SleepLog;
use crate::traveller::persona::Persona;
use crate::traveller::sleeps::Bout;
use crate::units::{Span, UtcMillis};

/// Pressure forgets within a few days; sleeps before this say nothing.
const LOOKED_AT: Span = Span::hours(60);

/// Without a sleep that ended within this time the log says nothing about now.
const LOG_SPEAKS_FOR: Span = Span::hours(36);

const DAY: Span = Span::days(1);
/// Times that people are told lie on this grid, as those of the plan do.
const TOLD_ON: Span = Span::minutes(5);

/// Pressure, debt and the next nap as of the log's time.
#[must_use]
pub fn summary(models: &Models, persona: &Persona<'_>, log: &SleepLog<'_>, now: UtcMillis) -> SleepSummary {
    let bouts: Vec<Bout> = log.sleeps.iter().map(|told| told.bout).filter(|bout| bout.end + LOOKED_AT > now).collect();
    let speaks = bouts.last().is_some_and(|last| last.end_known && last.end + LOG_SPEAKS_FOR > now || last.going_on);
    let next_nap = log.outlook().map(|nap| {
        let start = nap.expected.max(now).ceil_to(TOLD_ON);
        Window { start, end: (start + nap.length).ceil_to(TOLD_ON) }
    });
    if !speaks {
        return SleepSummary { pressure: None, sleep_debt_minutes: None, next_nap };
    }
    SleepSummary {
        pressure: Some(two_decimals(pressure(models, persona, &bouts, now))),
        sleep_debt_minutes: Some(debt(models, persona, &bouts, now).as_minutes()),
        next_nap,
    }
}

/// Pressure S of the two-process model (Borbély 1982): towards 1 while awake, towards 0 while asleep, exponentially.
fn pressure(models: &Models, persona: &Persona<'_>, bouts: &[Bout], now: UtcMillis) -> f64 {
    let pace = models.people.pressure_pace(persona.months);
    let kept_awake = |span: Span| libm::exp(-span.as_hours().0.max(0.0) / pace.rise.0);
    let kept_asleep = |span: Span| libm::exp(-span.as_hours().0.max(0.0) / pace.decay.0);

    // Where a settled day with one sleep would have it at bedtime.
    let asleep = persona.day.night_length();
    let awake = DAY - asleep;
    let at_bedtime = (1.0 - kept_awake(awake)) / (1.0 - kept_awake(awake) * kept_asleep(asleep));

    let mut pressure = at_bedtime;
    let mut time = bouts.first().map_or(now, |bout| bout.start);
    for bout in bouts {
        pressure = 1.0 - (1.0 - pressure) * kept_awake(bout.start - time);
        let end = if bout.going_on { now } else { bout.end };
        pressure *= kept_asleep(end - bout.start);
        time = end;
    }
    1.0 - (1.0 - pressure) * kept_awake(now - time)
}

/// How much less than needed was slept in the last day, or in the last two where the log reaches back so far.
fn debt(models: &Models, persona: &Persona<'_>, bouts: &[Bout], now: UtcMillis) -> Span {
    let naps: i64 = persona.usual_naps().unwrap_or(&[]).iter().map(|nap| i64::from(nap.minutes)).sum();
    let usual = (persona.day.night_length() + Span::minutes(naps)).as_hours().0;
    let healthy = models.people.sleep_need(persona.months);
    let need = Span::from_hours(crate::units::Hours(usual.clamp(*healthy.start(), *healthy.end())));

    let reaches_back = bouts.iter().any(|bout| bout.end_known && bout.start <= now - DAY);
    let days = if reaches_back { 2 } else { 1 };
    let from = now - Span(DAY.0 * days);
    let slept: i64 = bouts
        .iter()
        .filter(|bout| bout.end_known || bout.going_on)
        .map(|bout| (bout.end.min(now) - bout.start.max(from)).0.max(0))
        .sum();
    Span((need.0 * days - slept).max(0))
}
