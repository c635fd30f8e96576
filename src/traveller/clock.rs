//! The body clock of one person: settled behind the window, estimated from there.
//!
//! The filter is run for good only up to where no report that is still admitted can reach; the rest of the way is run
//! again for every answer. When that settling happens makes no difference: it stops at the same instants, over the same
//! light and the same sleeps.

use serde::{Deserialize, Serialize};

use crate::circadian::EntrainedDay;
use crate::circadian::filter::{LightBin, LightSource, Run, Track};
use crate::circadian::gut::Gut;
use crate::circadian::{CELL, Hannay19State, Oscillator};
use crate::event::recommendation::ClockQuality;
use crate::flight::zones;
use crate::planner::{Place, Stretch};
use crate::rare::Rare;
use crate::traveller::estimate::ClockEstimate;
use crate::traveller::light::{LOOKAHEAD, LightAtEye, LightSources};
use crate::traveller::measurements::Nights;
use crate::traveller::models::Models;
use crate::traveller::narrowing::Narrowing;
use crate::traveller::persona::Persona;
use crate::traveller::signs;
use crate::traveller::stomach::{self, Stomach};
use crate::units::{Hours, Span, UtcMillis};

/// Facts may come in this late.
pub const WINDOW: Span = Span::hours(48);

/// The window's edge moves in such steps, at 00, 06, 12 and 18 UTC.
const EDGE_STEP: Span = crate::circadian::filter::REDRAWN;

/// What is typical of an age is looked up at such instants, so that it does not matter when somebody asks.
const AGE_HOLDS: Span = Span::days(10);

/// Body time is remembered as long as sleeps are.
const LAGS_KEPT: Span = Span::days(10);

/// A lag below this is none.
const LEAST_LAG_MINUTES: i16 = 30;

/// A fact that ended before this is late: it no longer moves the estimate.
#[must_use]
pub fn window_edge(now: UtcMillis) -> UtcMillis {
    (now - WINDOW).floor_to(EDGE_STEP)
}

/// Up to here nothing that may still come in can change the light.
#[must_use]
pub fn settled_until(now: UtcMillis) -> UtcMillis {
    window_edge(now) - LOOKAHEAD
}

/// How far the body's day was behind the clock at home, at one CBTmin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    pub at: UtcMillis,
    pub minutes: i16,
}

/// The filter's state where it is settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledClock {
    track: Track,
    /// How long after mid-sleep a typical oscillator under the person's usual day has its CBTmin, hours.
    usual_angle: f32,
    gut: Gut,
    /// What the settled days had of it, by time; empty for most people.
    lags: Rare<Lag>,
}

/// What was seen on the way to now.
struct Seen {
    estimate: ClockEstimate,
    lags: Vec<Lag>,
}

impl SettledClock {
    /// A clock that has long been living the usual day, as it stands at `since`, an instant of the window's edge.
    #[must_use]
    pub fn of_habit(models: &Models, persona: &Persona<'_>, since: UtcMillis) -> SettledClock {
        let entrained = models.entrained(persona);
        let usual_angle = usual_angle(&entrained, persona);
        let light = persona.day.light(&models.light);
        let lux_at = |bin: UtcMillis| {
            let local_hour = zones::hour_of_day(persona.home, bin);
            light[(libm::floor(local_hour.0 * 4.0) as usize).min(light.len() - 1)]
        };
        // The last mid-sleep at least a cell before.
        let since_mid_sleep = (zones::hour_of_day(persona.home, since) - persona.day.mid_sleep()).wrap_24();
        let mid_sleep = (since - Span::from_hours(since_mid_sleep)).floor_to(CELL);
        let state = usual_state(models, persona, &entrained, mid_sleep, lux_at);
        let person = models.person(persona, since, Hours(f64::from(usual_angle)));
        let begin = if persona.is_known() { Track::settled } else { Track::diffuse };
        let track = begin(&models.filter, &person.prior, mid_sleep, state.amplitude(), state.adaptation());
        let mut run = track.run(&models.filter, &person);
        // What is usual is known for certain.
        run.advance(since, &[], |bin| LightBin { light: lux_at(bin), source: LightSource::Asleep });
        SettledClock { track: run.track(), usual_angle, gut: Gut::usual(since), lags: Rare::default() }
    }

    /// Takes over a new usual day without moving the oscillator.
    pub fn change_habit(&mut self, models: &Models, persona: &Persona<'_>) {
        self.usual_angle = usual_angle(&models.entrained(persona), persona);
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.track.at()
    }

    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        size_of::<SettledClock>() + self.track.heap_bytes() + self.lags.heap_bytes()
    }

    /// Runs the filter for good up to `until`, an instant of the window's edge. What is known there must be beyond change.
    pub fn settle(&mut self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>, until: UtcMillis) {
        if until <= self.at() {
            return;
        }
        let sources = LightSources { now: UtcMillis::MAX, ..*light };
        let mut lags = std::mem::take(&mut self.lags).into_vec();
        let (track, ()) = self.follow(models, persona, &sources, until, |run, _| {
            lags.extend(lags_at(models, persona, light.whereabouts, run));
        });
        self.track = track;
        stomach::advance(&mut self.gut, models, persona, &sources, until, &lags);
        // Settling in one go or in many leaves the same: what is kept depends on where it ends alone.
        lags.retain(|lag| lag.at + LAGS_KEPT >= until);
        self.lags = lags.into();
    }

    /// Runs up to the last stop at or before `until` and hands the run to `look` there. A run ends where an age ends and,
    /// for an answer about who was tested, where the laboratory's results are taken in: `look` is called at every such instant with no light to ask for, and what it made of the last is returned.
    fn follow<R>(
        &self,
        models: &Models,
        persona: &Persona<'_>,
        sources: &LightSources<'_>,
        until: UtcMillis,
        mut look: impl FnMut(&Run<'_>, Option<&mut LightAtEye<'_>>) -> R,
    ) -> (Track, R) {
        let from = self.at();
        let planned_before = models.people.journey.planned_before;
        let happenings = signs::happenings(&models.filter.numbers, persona, sources, planned_before, from, until);
        let mut eye = LightAtEye::new(*sources, from);
        let mut track = self.track.clone();
        if !persona.is_known() {
            eye.live_later(track.later_than_assumed());
        }
        // Not kept in the settled clock, and not counted from its edge, which lies where somebody happened to ask.
        let is_answer = sources.now < UtcMillis::MAX;
        let is_tested = is_answer && persona.measurements().any(|measured| !measured.displaced());
        // The last instant before the answer: what is known of δ would fade, and drift, on a longer way.
        let tests_count_from = if is_tested { (until - Span(1)).floor_to(EDGE_STEP).max(from) } else { UtcMillis::MAX };
        let mut is_contradicted = false;
        let mut surprises = Vec::new();
        loop {
            let age_from = track.at().floor_to(AGE_HOLDS);
            let person = models.person(persona, age_from, Hours(f64::from(self.usual_angle)));
            let mut run = track.run(&models.filter, &person);
            run.surprises = surprises;
            if run.at() == tests_count_from {
                let nights = Nights { models, persona, sources };
                let counts = persona.measurements().filter(|measured| !measured.displaced());
                let between_people = person.prior.delta().1;
                let found = counts.filter_map(|measured| {
                    measured.result_at(run.at(), &models.filter.numbers, between_people, &nights)
                });
                run.know_delta(&found.collect::<Vec<_>>());
                is_contradicted = run.is_contradicted;
            }
            run.is_contradicted = is_contradicted;
            let next_stop = if run.at() < tests_count_from { tests_count_from.min(until) } else { until };
            let end = (age_from + AGE_HOLDS).min(next_stop);
            let mut stop = run.at().floor_to(EDGE_STEP) + EDGE_STEP;
            while !persona.is_known() && stop <= end {
                run.advance(stop, &happenings, |bin| eye.at(bin));
                // Which hours are a stranger's is seen from when they sleep, and looked at where the clock may be settled.
                eye.live_later(run.later_than_assumed());
                stop += EDGE_STEP;
            }
            run.advance(end, &happenings, |bin| eye.at(bin));
            track = run.track();
            if end == until {
                return (track, look(&run, Some(&mut eye)));
            }
            look(&run, None);
            surprises = run.surprises;
        }
    }

    /// How the body's day lay in the last days, up to tomorrow; empty for somebody whose clock was not moved.
    #[must_use]
    pub fn lags(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> Vec<Lag> {
        self.see(models, persona, light).lags
    }

    /// What the clock says at `light.now`.
    #[must_use]
    pub fn estimate(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> ClockEstimate {
        self.see(models, persona, light).estimate
    }

    /// Both: the dear part is common.
    #[must_use]
    pub fn look(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> (ClockEstimate, Vec<Lag>) {
        let seen = self.see(models, persona, light);
        (seen.estimate, seen.lags)
    }

    fn see(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> Seen {
        let now = light.now;
        let mut lags = self.lags.as_slice().to_vec();
        let (_, estimate) = self.follow(models, persona, light, now, |run, eye| {
            lags.extend(lags_at(models, persona, light.whereabouts, run));
            eye.map(|eye| estimate_of(models, persona, light, run, eye))
        });
        let mut estimate = estimate.unwrap_or_else(|| ClockEstimate::of_nothing(persona.delta.mean));
        let mut gut = self.gut;
        stomach::advance(&mut gut, models, persona, light, now, &lags);
        estimate.stomach = Stomach::of(models, persona, light.whereabouts, &gut, estimate.cbt_min, now);
        if let Some(cbt_min) = estimate.cbt_min
            && is_displaced(light.whereabouts, cbt_min, cbt_min, models.people.shift_remembered)
        {
            lags.extend(lag_at(persona, cbt_min, estimate.delta));
        }
        Seen { estimate, lags }
    }
}

fn estimate_of(
    models: &Models,
    persona: &Persona<'_>,
    light: &LightSources<'_>,
    run: &Run<'_>,
    eye: &mut LightAtEye<'_>,
) -> ClockEstimate {
    let people = &models.people;
    let is_answer_at = light.now;
    let latest = run.surprises.last().filter(|(at, _)| *at >= settled_until(is_answer_at));
    let nis = latest.map(|(_, surprise)| surprise.nis);
    let published = run.next_minimum(is_answer_at, |bin| eye.at(bin));
    let here = stretch_at(light.whereabouts, is_answer_at);
    // Of a stranger's usual day nothing is known: neither what is assumed of it nor where is theirs to be off from.
    let misalignment = persona.is_known().then(|| {
        let usual = persona.day.mid_sleep() + published.delta;
        (zones::hour_of_day(here.time_zone, published.cbt_min) - usual).wrap_12()
    });
    let is_uncertain = run.is_diffuse()
        || !persona.is_known()
        || published.sd.0 > people.uncertain_above_sd.0
        || published.amplitude < people.uncertain_below_amplitude
        || published.lighter > models.filter.numbers.uncertain_weight
        || run.is_contradicted
        // More sleeps than anybody has: of the older ones it is not known any more when it was dark.
        || light.sleeps.may_lack_some_since(window_edge(is_answer_at));
    let quality = if persona.is_known() && persona.months < people.not_yet_under {
        ClockQuality::NotYet
    } else if is_uncertain {
        ClockQuality::Uncertain
    } else {
        ClockQuality::Estimated
    };
    let mut estimate = ClockEstimate::of(&published, misalignment, quality, nis);
    estimate.narrowing = estimate.width().and_then(|width| Narrowing::of(models, persona, light, run.life(), width));
    estimate
}

/// The minima of a run that tell of a displaced clock.
fn lags_at(models: &Models, persona: &Persona<'_>, whereabouts: &[Stretch], run: &Run<'_>) -> Vec<Lag> {
    let remembered = models.people.shift_remembered;
    let displaced = run.minima.iter().filter(|(at, _)| is_displaced(whereabouts, *at, *at, remembered));
    displaced.filter_map(|(at, delta)| lag_at(persona, *at, *delta)).collect()
}

fn lag_at(persona: &Persona<'_>, at: UtcMillis, delta: Hours) -> Option<Lag> {
    let lag = (zones::hour_of_day(persona.home, at) - persona.day.mid_sleep() - delta).wrap_12();
    let minutes = libm::round(lag.0 * 60.0) as i16;
    (minutes.abs() >= LEAST_LAG_MINUTES).then_some(Lag { at, minutes })
}

/// As it is kept: rounded before anything is computed with it.
fn usual_angle(entrained: &EntrainedDay<Hannay19State>, persona: &Persona<'_>) -> f32 {
    (entrained.cbt_min - persona.day.mid_sleep()).wrap_12().0 as f32
}

/// A typical oscillator's state on a usual day at home.
fn usual_state(
    models: &Models,
    persona: &Persona<'_>,
    entrained: &EntrainedDay<Hannay19State>,
    at: UtcMillis,
    lux_at: impl FnMut(UtcMillis) -> crate::units::Lux,
) -> Hannay19State {
    let midnight = zones::to_utc(persona.home, zones::local_date(persona.home, at), 0);
    models.typical.integrate(entrained.state_at_midnight, midnight, at, lux_at)
}

/// Where the person is at a time.
#[must_use]
pub fn stretch_at(whereabouts: &[Stretch], at: UtcMillis) -> &Stretch {
    let index = whereabouts.iter().position(|stretch| stretch.to.is_none_or(|to| to > at));
    &whereabouts[index.unwrap_or(whereabouts.len() - 1)]
}

/// Whether the person was away from home between `from` and `to`, or shortly before.
fn is_displaced(whereabouts: &[Stretch], from: UtcMillis, to: UtcMillis, remembered: Span) -> bool {
    whereabouts.iter().any(|stretch| {
        stretch.place != Place::Home && stretch.from <= to && stretch.to.is_none_or(|end| end + remembered > from)
    })
}

/// Whether the body's day may differ from the clock at home.
#[must_use]
pub fn may_lag(whereabouts: &[Stretch], now: UtcMillis, remembered: Span) -> bool {
    is_displaced(whereabouts, now - LAGS_KEPT, now, remembered)
}
