//! When a nap is worth a word: missed, short, found after all. Each is said once, and a waking day has no more alarms than
//! naps.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::activity::SleepKind;
use crate::planner::{Repair, RepairKind};
use crate::traveller::models::Models;
use crate::traveller::naps::SleepLog;
use crate::traveller::sleeps::Bout;
use crate::units::{Span, UtcMillis};

/// A night that nobody logged ends a repair all the same.
const REPAIR_LASTS: Span = Span::hours(18);

/// Reports of skipped naps that lie no further apart are of one nap.
const SAME_SKIP: Span = Span::minutes(30);

/// A nap that silence said was missed, and one that is reported skipped so near to it, are one.
const SAME_AS_SILENCE: Span = Span::minutes(90);

/// A report that comes so long before the next nap is due does not speak of that nap: it stays expected.
const EARLY: Span = Span::minutes(60);

/// A missed or short nap that was said and is still to be repaired.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NapAlarm {
    pub repair: Repair,
    /// The recommendation that said so.
    pub recommendation: Uuid,
    /// Nobody said that it was missed: it was inferred from silence.
    #[serde(default)]
    pub by_silence: bool,
}

/// What there is to say about a nap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NapNews {
    /// Missed, or too short: with how long it was.
    Alarm { repair: Repair, slept: Span },
    /// The nap of that alarm was slept after all.
    Found { alarm: NapAlarm },
}

/// What a changed sleep log means: news, and whether what was said before still stands. `told`: when alarms were said.
#[must_use]
pub fn after_sleep(
    models: &Models,
    log: &SleepLog<'_>,
    alarm: Option<&NapAlarm>,
    told: &[UtcMillis],
    changed: UtcMillis,
    now: UtcMillis,
) -> (Option<NapNews>, Option<NapAlarm>) {
    let alarm = alarm.filter(|alarm| !is_over(log, alarm, now)).copied();
    if let Some(alarm) = alarm
        && is_found(models, log, &alarm)
    {
        return (Some(NapNews::Found { alarm }), None);
    }
    if let Some(alarm) = alarm
        && is_made_up_for(models, log, &alarm)
    {
        let repair = Repair { kind: RepairKind::Late, ..alarm.repair };
        return (Some(NapNews::Found { alarm }), Some(NapAlarm { repair, ..alarm }));
    }
    let news = short_nap(models, log, changed, now).filter(|repair| {
        let is_told = alarm
            .is_some_and(|said| said.repair.kind == RepairKind::Short && said.repair.expected == repair.0.expected);
        !is_told && !is_every_nap_told(log, told)
    });
    (news.map(|(repair, slept)| NapNews::Alarm { repair, slept }), alarm)
}

/// When silence will have to be taken for a missed nap.
#[must_use]
pub fn due(
    models: &Models,
    log: &SleepLog<'_>,
    alarm: Option<&NapAlarm>,
    told: &[UtcMillis],
    now: UtcMillis,
) -> Option<UtcMillis> {
    let outlook = log.outlook()?;
    let at = outlook.alarm?;
    if is_said(alarm, outlook.awake_since) || is_every_nap_told(log, told) {
        return None;
    }
    if at > now {
        Some(at)
    } else if now - at <= models.naps.stale_after {
        // A log that comes in late may go on to tell of the nap.
        Some(now + models.naps.grace)
    } else {
        None
    }
}

/// What the timer set by [`due`] finds.
#[must_use]
pub fn after_silence(
    log: &SleepLog<'_>,
    alarm: Option<&NapAlarm>,
    told: &[UtcMillis],
    now: UtcMillis,
) -> Option<NapNews> {
    let outlook = log.outlook()?;
    let is_due = outlook.alarm.is_some_and(|at| at <= now);
    if !is_due || is_said(alarm, outlook.awake_since) || is_every_nap_told(log, told) {
        return None;
    }
    let repair =
        Repair { kind: RepairKind::Missed, expected: outlook.expected, awake_since: outlook.awake_since, noticed: now };
    Some(NapNews::Alarm { repair, slept: Span::ZERO })
}

/// What a report says that the nap was skipped: each nap that is reported is answered once, and one that comes when every
/// nap of the day was told confirms what was said. `told`: the skips that were answered, and the other alarms.
#[must_use]
pub fn after_report(
    models: &Models,
    log: &SleepLog<'_>,
    alarm: Option<&NapAlarm>,
    told: &[UtcMillis],
    skipped: UtcMillis,
    now: UtcMillis,
) -> Option<NapNews> {
    let expects_naps = log.is_child() || log.naps_at_all();
    let slept_since = log.last().is_some_and(|last| last.bout.start >= skipped);
    if !expects_naps || slept_since || is_forgotten(models, skipped, now) {
        return None;
    }
    let is_told_again = told.iter().any(|other| (*other - skipped).abs() <= SAME_SKIP) || is_every_nap_told(log, told);
    let awake_since = log.awake_since();
    let before = alarm.filter(|alarm| {
        let is_missed = alarm.repair.kind == RepairKind::Missed && !is_over(log, alarm, now);
        is_missed && awake_since.is_none_or(|awake_since| alarm.repair.noticed >= awake_since)
    });
    if is_told_again || before.is_some_and(|alarm| is_that_silence(alarm, skipped)) {
        return None;
    }
    let next_due =
        log.outlook().map(|outlook| outlook.expected).or_else(|| log.usual_nap_near(skipped).map(|(start, _)| start));
    let is_early = next_due.is_some_and(|due| due - skipped >= EARLY);
    let kind = if is_early { RepairKind::Early } else { RepairKind::Missed };
    let (expected, awake_since) = match before {
        _ if is_early => (next_due.unwrap_or(skipped), awake_since.unwrap_or(skipped)),
        // The nap after the one that was said: what was slept before then does not make up for it.
        Some(alarm) => (skipped, awake_since.unwrap_or(alarm.repair.noticed).max(alarm.repair.noticed.min(skipped))),
        None => (log.outlook().map_or(skipped, |outlook| outlook.expected), awake_since.unwrap_or(skipped)),
    };
    let repair = Repair { kind, expected, awake_since, noticed: now };
    Some(NapNews::Alarm { repair, slept: Span::ZERO })
}

/// A skip so long ago is not answered any more.
fn is_forgotten(models: &Models, skipped: UtcMillis, now: UtcMillis) -> bool {
    now - skipped > models.naps.longest_nap
}

/// Whether the waking day that goes on has had as many alarms as it has naps. What was taken back was none.
fn is_every_nap_told(log: &SleepLog<'_>, told: &[UtcMillis]) -> bool {
    let today = told.iter().filter(|at| log.is_of_this_waking_day(**at) && stands(told, **at)).count();
    today >= log.usual_naps_a_day().max(1)
}

/// Whether somebody reported a nap as skipped before it was due, and was wrong: it was slept, however long.
#[must_use]
pub fn was_false(log: &SleepLog<'_>, alarm: &NapAlarm) -> bool {
    let Repair { kind, expected, awake_since, noticed } = alarm.repair;
    let is_skip = !alarm.by_silence && matches!(kind, RepairKind::Missed | RepairKind::Early);
    let is_that_nap = |start: UtcMillis| start >= awake_since && start <= expected + SAME_AS_SILENCE;
    is_skip && noticed < expected && log.sleeps.iter().any(|told| is_that_nap(told.bout.start))
}

/// Takes back the skip that was answered last. It stays in the list, a second time: the same report again is still no news.
pub fn take_last_back(told: &mut Vec<UtcMillis>) {
    if let Some(last) = told.last().copied().filter(|last| stands(told, *last)) {
        told.push(last);
    }
}

fn stands(told: &[UtcMillis], at: UtcMillis) -> bool {
    told.iter().filter(|other| **other == at).count() == 1
}

/// Notes that a skip was answered, or an alarm said at its time, for as long as that day may last.
pub fn note_told(told: &mut Vec<UtcMillis>, at: UtcMillis, now: UtcMillis) {
    told.retain(|other| now - *other <= Span::days(1));
    if !told.contains(&at) {
        told.push(at);
    }
}

/// Whether the skip is what silence has told of already.
fn is_that_silence(alarm: &NapAlarm, skipped: UtcMillis) -> bool {
    let Repair { expected, noticed, .. } = alarm.repair;
    let from = expected.min(noticed) - SAME_AS_SILENCE;
    alarm.by_silence && from <= skipped && skipped <= noticed + SAME_AS_SILENCE
}

/// Whether a missed nap was already said in the waking time that began at `awake_since`.
fn is_said(alarm: Option<&NapAlarm>, awake_since: UtcMillis) -> bool {
    alarm.is_some_and(|alarm| alarm.repair.kind == RepairKind::Missed && alarm.repair.noticed >= awake_since)
}

/// A night has begun, or must have: advice of making up ends with it, also where the nap was noticed in its first hours.
#[must_use]
pub fn is_over(log: &SleepLog<'_>, alarm: &NapAlarm, now: UtcMillis) -> bool {
    let noticed = alarm.repair.noticed;
    let night_began = log.sleeps.iter().any(|told| {
        let Bout { start, end, end_known, going_on, .. } = told.bout;
        told.kind == SleepKind::Night && (start > noticed || going_on || end_known && end > noticed)
    });
    night_began || now - noticed > REPAIR_LASTS
}

/// The nap that was said to be missing, or its better end, is in the log now.
fn is_found(models: &Models, log: &SleepLog<'_>, alarm: &NapAlarm) -> bool {
    let Repair { kind, expected, awake_since, noticed } = alarm.repair;
    log.sleeps.iter().any(|told| {
        let bout = told.bout;
        let took = bout.going_on || bout.length().is_some_and(|length| length >= models.naps.short_below);
        took && match kind {
            RepairKind::Missed => bout.start >= awake_since && bout.start < noticed,
            // The nap that was still to come when somebody said that it would not.
            RepairKind::Early => bout.start >= awake_since && bout.start <= expected + SAME_AS_SILENCE,
            RepairKind::Short => bout.start <= expected && expected < bout.end && bout.end_known,
            RepairKind::Late => false,
        }
    })
}

/// The nap that was said to be missing or short was slept later, about as long as ever: no bridge to an earlier night, but
/// that nap.
fn is_made_up_for(models: &Models, log: &SleepLog<'_>, alarm: &NapAlarm) -> bool {
    let Repair { kind, expected, awake_since, noticed } = alarm.repair;
    let not_before = match kind {
        RepairKind::Missed => noticed,
        RepairKind::Short => awake_since,
        RepairKind::Early | RepairKind::Late => return false,
    };
    let Some((missed, usual)) = log.usual_nap_near(expected) else { return false };
    let least = Span((usual.0 as f64 * models.naps.made_up_share) as i64).max(models.naps.short_below);
    log.sleeps.iter().any(|told| {
        let is_that_nap = || log.usual_nap_near(told.bout.start).is_some_and(|(nearest, _)| nearest == missed);
        let is_since = told.kind == SleepKind::Nap && told.bout.start >= not_before;
        is_since && told.bout.length().is_some_and(|length| length >= least) && is_that_nap()
    })
}

/// The nap that the changed record closed, where it was too short to help and there is still time to make up for it.
fn short_nap(models: &Models, log: &SleepLog<'_>, changed: UtcMillis, now: UtcMillis) -> Option<(Repair, Span)> {
    let naps = &models.naps;
    let nap = log.last().filter(|told| told.kind == SleepKind::Nap)?;
    let length = nap.bout.length()?;
    let was_closed_now = nap.bout.start <= changed && changed < nap.bout.end;
    let in_time = now - nap.bout.end <= naps.still_useful;
    let was_due = log.naps_at_all() && log.index_of(nap) < log.usual_naps_a_day();
    let bedtime_is_far = nap.bout.start + naps.before_bed < log.bedtime_after(nap.bout.start);
    if length >= naps.short_below || !was_closed_now || !in_time || !was_due || !bedtime_is_far {
        return None;
    }
    let repair = Repair { kind: RepairKind::Short, expected: nap.bout.start, awake_since: nap.bout.end, noticed: now };
    Some((repair, length))
}
