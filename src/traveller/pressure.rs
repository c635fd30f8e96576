//! How tired somebody is: two-process sleep pressure and sleep debt, from what was logged.
//!
//! Who logs no sleep is not awake all the time: a night of which the log says nothing was slept as usual
//! ([`super::untold`]), and without a sleep in the last day and a half there is no answer. Without a profile nobody knows
//! which nights are usual: then there is an answer of days alone that have a night in the log.

use crate::event::activity::SleepKind;
use crate::event::recommendation::{SleepSummary, Window};
use crate::planner::Stretch;
use crate::traveller::estimate::two_decimals;
use crate::traveller::models::Models;
use crate::traveller::naps::SleepLog;
use crate::traveller::persona::Persona;
use crate::traveller::sleeps::Bout;
use crate::traveller::untold::{UsualNight, untold_naps, usual_nights, within};
use crate::units::{Hours, Span, UtcMillis};

/// Pressure forgets within a few days; sleeps before this say nothing.
const LOOKED_AT: Span = Span::hours(60);

/// Without a sleep that ended within this time the log says nothing about now.
const LOG_SPEAKS_FOR: Span = Span::hours(36);

/// Of a stranger: so long a sleep may be a night, and a day after it another one is due.
const MAY_BE_A_NIGHT: Span = Span::hours(2);
const STRANGER_SPEAKS_FOR: Span = Span::hours(24);

/// Debt is that of so many days at most.
const MOST_DAYS: i64 = 2;

const DAY: Span = Span::days(1);
/// Times that people are told lie on this grid, as those of the plan do.
const TOLD_ON: Span = Span::minutes(5);

/// Sleeps whose lengths are known, and the usual nights beside them.
struct Nights {
    /// By time: their ends are known, or they are going on.
    bouts: Vec<Bout>,
    /// None of a stranger.
    usual: Vec<UsualNight>,
    now: UtcMillis,
}

/// The days in which sleep is counted up against what is needed.
#[derive(Clone, Copy)]
struct Counted {
    days: i64,
    until: UtcMillis,
}

/// Pressure, debt and the next nap as of the log's time.
#[must_use]
pub fn summary(
    models: &Models,
    persona: &Persona<'_>,
    log: &SleepLog<'_>,
    whereabouts: &[Stretch],
    now: UtcMillis,
) -> SleepSummary {
    let next_nap = log.outlook().map(|nap| {
        let start = nap.expected.max(now).ceil_to(TOLD_ON);
        Window { start, end: (start + nap.length).ceil_to(TOLD_ON) }
    });
    let silent = SleepSummary { pressure: None, sleep_debt_minutes: None, next_nap };
    let speaks = |last: &Bout| last.end_known && last.end + LOG_SPEAKS_FOR > now || last.going_on;
    if !log.last().is_some_and(|last| speaks(&last.bout)) {
        return silent;
    }
    let bouts: Vec<Bout> = log.sleeps.iter().filter(|told| told.bout.is_whole()).map(|told| told.bout).collect();
    let usual =
        if persona.is_known() { usual_nights(persona, whereabouts, &bouts, now - LOOKED_AT, now) } else { Vec::new() };
    let nights = Nights { bouts, usual, now };
    let counted = if persona.is_known() { Some(nights.counted()) } else { nights.counted_of_a_stranger() };
    let Some(counted) = counted else { return silent };
    SleepSummary {
        pressure: Some(two_decimals(pressure(models, persona, &nights))),
        sleep_debt_minutes: Some(debt(models, persona, log, whereabouts, &nights, counted).as_minutes()),
        next_nap,
    }
}

impl Nights {
    /// As far back as the log reaches.
    fn counted(&self) -> Counted {
        let reaches_back = self.bouts.iter().any(|bout| bout.end_known && bout.start <= self.now - DAY);
        Counted { days: if reaches_back { MOST_DAYS } else { 1 }, until: self.now }
    }

    /// Up to the last night in the log, as long as every day has one. `None` where one has been due since.
    fn counted_of_a_stranger(&self) -> Option<Counted> {
        let last = self.bouts.iter().rfind(|bout| bout.end.min(self.now) - bout.start >= MAY_BE_A_NIGHT)?;
        let until = last.end.min(self.now);
        let has_night = |day: &i64| {
            let (from, to) = (until - Span(DAY.0 * (day + 1)), until - Span(DAY.0 * day));
            self.bouts.iter().any(|bout| within(bout.start, bout.end, from, to) >= MAY_BE_A_NIGHT)
        };
        let days = (0..MOST_DAYS).take_while(has_night).count() as i64;
        (until + STRANGER_SPEAKS_FOR > self.now).then_some(Counted { days, until })
    }

    /// Told sleeps and the untold nights in which somebody would sleep, by start.
    fn asleep(&self) -> Vec<(UtcMillis, UtcMillis)> {
        let told = self.bouts.iter().map(|bout| (bout.start, bout.end.min(self.now)));
        let assumed = self.usual.iter().filter(|night| !night.is_told && !night.is_aboard);
        let assumed = assumed.map(|night| (night.start, night.end.min(self.now)));
        let mut asleep: Vec<_> = told.chain(assumed).filter(|(_, end)| *end + LOOKED_AT > self.now).collect();
        asleep.sort_unstable();
        asleep
    }
}

/// Pressure S of the two-process model (Borbély 1982): towards 1 while awake, towards 0 while asleep, exponentially.
fn pressure(models: &Models, persona: &Persona<'_>, nights: &Nights) -> f64 {
    let pace = models.people.pressure_pace(persona.months);
    let kept_awake = |span: Span| libm::exp(-span.as_hours().0.max(0.0) / pace.rise.0);
    let kept_asleep = |span: Span| libm::exp(-span.as_hours().0.max(0.0) / pace.decay.0);

    // Where a settled day with one sleep would have it at bedtime.
    let asleep = persona.day.night_length();
    let awake = DAY - asleep;
    let at_bedtime = (1.0 - kept_awake(awake)) / (1.0 - kept_awake(awake) * kept_asleep(asleep));

    let mut pressure = at_bedtime;
    let stretches = nights.asleep();
    let mut time = stretches.first().map_or(nights.now, |(start, _)| *start);
    for (start, end) in stretches {
        let start = start.max(time);
        pressure = 1.0 - (1.0 - pressure) * kept_awake(start - time);
        pressure *= kept_asleep(end - start);
        time = end.max(start);
    }
    1.0 - (1.0 - pressure) * kept_awake(nights.now - time)
}

/// How much less than needed was slept. What the log does not tell of was slept as needed.
fn debt(
    models: &Models,
    persona: &Persona<'_>,
    log: &SleepLog<'_>,
    whereabouts: &[Stretch],
    nights: &Nights,
    counted: Counted,
) -> Span {
    let naps: i64 = persona.usual_naps().unwrap_or(&[]).iter().map(|nap| i64::from(nap.minutes)).sum();
    let naps = Span::minutes(naps);
    let usual_night = persona.day.night_length();
    let healthy = models.people.sleep_need(persona.months);
    let need = Span::from_hours(Hours((usual_night + naps).as_hours().0.clamp(*healthy.start(), *healthy.end())));
    let Counted { days, until } = counted;
    let from = until - Span(DAY.0 * days);

    // A day that a flight lengthens has no more night than another, and one that it shortens no more need.
    let night_need = (need.0 - naps.0).max(0);
    let needed_by_night = night_need as f64 / usual_night.0.max(1) as f64;
    let counted_of = |night: &UsualNight| within(night.start, night.end, from, until).0;
    let needed_in = |length: i64| libm::round(length as f64 * needed_by_night) as i64;
    let whole = night_need * days;
    let has_usual_nights = !nights.usual.is_empty();
    let needed = if has_usual_nights { needed_in(nights.usual.iter().map(counted_of).sum()).min(whole) } else { whole };
    let untold: Vec<&UsualNight> = nights.usual.iter().filter(|night| !night.is_told).collect();
    let slept_untold = needed_in(untold.iter().map(|night| counted_of(night)).sum());

    // A short sleep in a night that is not told lies in what is assumed of that night.
    let slept = |bout: &Bout| {
        let in_untold = untold.iter().map(|night| {
            let (night_from, night_until) = (night.start.max(from), night.end.min(until));
            within(bout.start, bout.end, night_from, night_until).0
        });
        (within(bout.start, bout.end, from, until).0 - in_untold.sum::<i64>()).max(0)
    };
    let slept_told: i64 = nights.bouts.iter().map(slept).sum();

    let naps_told = log.sleeps.iter().filter(|told| told.kind == SleepKind::Nap && told.bout.is_whole());
    let napped_told: i64 = naps_told.map(|told| slept(&told.bout)).sum();
    let naps_untold = untold_naps(persona, whereabouts, &nights.usual, log.logs_naps(), from, until);
    let napped_untold = (naps.0 * days - napped_told).clamp(0, naps_untold.0);

    Span((needed + naps.0 * days - slept_untold - slept_told - napped_untold).max(0))
}
