//! One person's state: what was reported, where the body clock is settled, what was last said.
//!
//! Reports are kept as facts for the length of a window, so that the order in which they arrive there, and how often,
//! makes no difference; what they mean is computed when an answer is needed. Taking in light or a meal is an insertion
//! into a list and nothing else.
//!
//! Knows the body clock ([`crate::circadian`]), local clocks ([`crate::flight::zones`]) and the words of the planner; not
//! who travels with whom, nor how anything is said. Where somebody is comes in from above ([`View`]).
//!
//! | file | what |
//! |---|---|
//! | [`name`] | ids without an allocation |
//! | [`facts`], [`level`], [`words`] | light, meals, dozing; how light is kept; the list that all of it is kept in |
//! | [`details`] | what few have, behind one pointer |
//! | [`sleeps`] | sleeps and their contradictions |
//! | [`habit`], [`people`], [`persona`] | the usual day; what is typical of an age; both for one person |
//! | [`light`] | the light that reached the eye |
//! | [`clock`], [`estimate`] | the body clock, settled and estimated |
//! | [`signs`] | what else tells of the clock: main sleeps, new local clocks |
//! | [`measurements`] | laboratory results, and the nights that they are taken against |
//! | [`stomach`], [`narrowing`] | the stomach's hour and meals; what would make an interval narrower |
//! | [`priors`] | what the filter believes of somebody at first |
//! | [`naps`], [`nap_model`], [`nap_watch`], `nap_alarms`, [`surroundings`] | which sleeps were naps, when the next is due, what to say of it |
//! | [`pressure`], [`untold`] | tiredness and sleep debt; the nights and naps that nobody logged |
//! | [`models`] | the numbers that all of this needs |

pub mod clock;
pub mod details;
pub mod estimate;
pub mod facts;
pub mod habit;
pub mod level;
pub mod light;
pub mod measurements;
pub mod models;
pub mod name;
pub mod nap_model;
pub mod nap_watch;
pub mod naps;
pub mod narrowing;
pub mod people;
pub mod persona;
pub mod pressure;
pub mod priors;
pub mod reports;
pub mod signs;
pub mod sleeps;
pub mod stomach;
pub mod surroundings;
pub mod untold;
pub mod words;

mod nap_alarms;

#[cfg(test)]
mod estimate_tests;
#[cfg(test)]
mod laboratory_tests;
#[cfg(test)]
mod pressure_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::clock::{SettledClock, may_lag, settled_until};
use self::details::Rest;
use self::estimate::ClockEstimate;
use self::facts::Facts;
use self::light::LightSources;
pub use self::models::Models;
use self::name::Name;
use self::nap_watch::NapAlarm;
use self::naps::{BodyTime, SleepLog, sleeps_kept_from};
use self::persona::{Known, Persona};
pub use self::reports::Noted;
use crate::event::activity::UsualNap;
use crate::event::recommendation::SleepSummary;
use crate::planner::{Heading, Published, Stretch};
use crate::units::{Hours, Span, UtcMillis};

/// A list grows beyond these only by what the window holds; then the clock is settled and the list cut.
const MANY_FACTS: usize = 48;
const OLD_FACTS: Span = Span::hours(24);
const OLD_SLEEPS: Span = Span::hours(9 * 24 + 12);

/// Advice is remembered this long after the last of it was over.
const ADVICE_KEPT: Span = Span::days(1);

/// What a traveller's state is looked at with.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub models: &'a Models,
    /// Without gaps; the first stretch reaches back for good, the last has no end.
    pub whereabouts: &'a [Stretch],
    /// Stream time.
    pub now: UtcMillis,
}

/// One person's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traveller {
    id: Name,
    /// Where a clock of which nothing was settled yet begins, in the phase of the habit.
    since: UtcMillis,
    facts: Facts,
    rest: Rest,
}

/// When the traveller's timers are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// Silence becomes a missed nap.
    pub nap: Due,
    /// The day's look at the plan, while a journey is near.
    pub plan: Due,
}

/// A time, or never; as small as a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Due(UtcMillis);

impl Due {
    pub const NEVER: Due = Due(UtcMillis::MAX);

    #[must_use]
    pub fn get(self) -> Option<UtcMillis> {
        (self != Due::NEVER).then_some(self.0)
    }
}

impl Default for Due {
    fn default() -> Due {
        Due::NEVER
    }
}

impl From<Option<UtcMillis>> for Due {
    fn from(time: Option<UtcMillis>) -> Due {
        time.map_or(Due::NEVER, Due)
    }
}

/// What was last published, and what of it is still to be repaired.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// `None` before anything was.
    pub last: Option<LastSaid>,
    pub plan: Vec<Published>,
    pub alarm: Option<NapAlarm>,
    /// The way that the plans of this journey take.
    pub heading: Option<Heading>,
    /// The alarms of the last day: a reported skip by its own time, another by when it was said; twice, where it turned out
    /// to be false and does not count.
    #[serde(default)]
    pub skips: Vec<UtcMillis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSaid {
    pub recommendation: Uuid,
    pub expires_at: UtcMillis,
}

/// What a traveller's state comes to at one time.
#[derive(Clone, Debug)]
pub struct Assessment<'a> {
    pub persona: Persona<'a>,
    pub clock: ClockEstimate,
    pub sleep: SleepSummary,
    pub asleep_since: Option<UtcMillis>,
    /// `None` while asleep, and where the log has lost track.
    pub awake_since: Option<UtcMillis>,
    /// By the clock at home, from the log where there is one.
    pub usual_naps: Vec<UsualNap>,
    /// `None` for who does not nap.
    pub wake_window: Option<Hours>,
}

impl Traveller {
    /// Somebody of whom nothing is known yet, first seen at stream time `now`.
    #[must_use]
    pub fn new(id: &str, now: UtcMillis) -> Traveller {
        Traveller { id: Name::new(id), since: settled_until(now), facts: Facts::default(), rest: Rest::default() }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.rest.known.as_deref()
    }

    #[must_use]
    pub fn timers(&self) -> Timers {
        self.rest.timers
    }

    fn set_timers(&mut self, timers: Timers) {
        if self.rest.timers != timers {
            self.rest.write().timers = timers;
        }
    }

    pub fn set_plan_timer(&mut self, due: Option<UtcMillis>) {
        self.set_timers(Timers { plan: due.into(), ..self.timers() });
    }

    /// The earliest of the timers.
    #[must_use]
    pub fn next_due(&self) -> Due {
        self.rest.timers.nap.min(self.rest.timers.plan)
    }

    #[must_use]
    pub fn said(&self) -> Option<&Said> {
        self.rest.said.as_deref()
    }

    pub fn said_mut(&mut self) -> &mut Said {
        self.rest.write().said.get_or_insert_default()
    }

    #[must_use]
    pub fn alarm(&self) -> Option<&NapAlarm> {
        self.said().and_then(|said| said.alarm.as_ref())
    }

    /// Forgets advice that is long over.
    fn forget_old_advice(&mut self, now: UtcMillis) {
        let is_old = |said: &Said| {
            said.alarm.is_none()
                && said.heading.is_none()
                && said.plan.iter().all(|action| action.end + ADVICE_KEPT < now)
        };
        if self.said().is_some_and(is_old) {
            self.rest.write().said = None;
        }
    }

    #[must_use]
    pub fn heading(&self) -> Option<Heading> {
        self.said().and_then(|said| said.heading)
    }

    /// To be called with what every plan takes as its way, said or not; with `None` where no journey is planned any more.
    pub fn set_heading(&mut self, heading: Option<Heading>) {
        if heading != self.heading() {
            self.said_mut().heading = heading;
        }
    }

    fn set_alarm(&mut self, alarm: Option<NapAlarm>) {
        if alarm.is_some() || self.alarm().is_some() {
            self.said_mut().alarm = alarm;
        }
    }

    #[must_use]
    pub fn persona(&self, view: &View<'_>) -> Persona<'_> {
        Persona::at(view.models, self.known(), view.now)
    }

    fn light_sources<'a>(&'a self, view: &View<'a>, persona: &Persona<'_>) -> LightSources<'a> {
        LightSources {
            model: &view.models.light,
            facts: &self.facts,
            sleeps: &self.rest.sleeps,
            open_ends_after: view.models.naps.open_ends_after,
            day: persona.day,
            whereabouts: view.whereabouts,
            now: view.now,
        }
    }

    fn clock_or_habit(&self, view: &View<'_>, persona: &Persona<'_>) -> Cow<'_, SettledClock> {
        match &self.rest.clock {
            Some(clock) => Cow::Borrowed(clock),
            None => Cow::Owned(SettledClock::of_habit(view.models, persona, self.since)),
        }
    }

    /// Brings the settled clock up to where nothing can change any more and forgets what lies behind it. May be done at
    /// any time, or not: no answer depends on it. Must be done before anything that the light there depends on changes.
    pub fn settle(&mut self, view: &View<'_>) {
        let until = settled_until(view.now);
        if self.rest.clock.as_ref().is_some_and(|clock| clock.at() >= until) {
            return;
        }
        let persona = self.persona(view);
        let mut clock = self.clock_or_habit(view, &persona).into_owned();
        clock.settle(view.models, &persona, &self.light_sources(view, &persona), until);
        self.decide_measurements(view, until);
        let details = self.rest.write();
        details.clock = Some(Box::new(clock));
        details.sleeps.forget_before(sleeps_kept_from(view.now));
        self.facts.forget_before(until);
    }

    /// Whether so many facts have gathered that it is time to [`Self::settle`].
    #[must_use]
    pub fn has_gathered_facts(&self, now: UtcMillis) -> bool {
        let oldest = || self.facts.oldest();
        self.facts.len() >= MANY_FACTS && oldest().is_some_and(|oldest| oldest < settled_until(now) - OLD_FACTS)
    }

    /// Whether so many sleeps have.
    fn has_gathered_sleeps(&self, now: UtcMillis) -> bool {
        let oldest = || self.rest.sleeps.oldest();
        self.rest.sleeps.len() >= sleeps::MOST_KEPT || oldest().is_some_and(|oldest| oldest < now - OLD_SLEEPS)
    }

    /// How the body's day lay in the last days; costs an integration only for somebody whose clock was moved.
    fn lags(&self, view: &View<'_>, persona: &Persona<'_>) -> Vec<clock::Lag> {
        if !may_lag(view.whereabouts, view.now, view.models.people.shift_remembered) {
            return Vec::new();
        }
        let clock = self.clock_or_habit(view, persona);
        clock.lags(view.models, persona, &self.light_sources(view, persona))
    }

    /// Everything that there is to say about this person at `view.now`.
    #[must_use]
    pub fn assess(&self, view: &View<'_>) -> Assessment<'_> {
        let persona = self.persona(view);
        let clock = self.clock_or_habit(view, &persona);
        let (estimate, lags) = clock.look(view.models, &persona, &self.light_sources(view, &persona));
        let body = BodyTime { home: persona.home, lags: &lags };
        let log = SleepLog::new(view.models, &persona, body, self.surroundings(view), &self.rest.sleeps, view.now);
        let sleep = pressure::summary(view.models, &persona, &log, view.whereabouts, view.now);
        let naps = log.naps_at_all();
        let (asleep_since, awake_since) = (log.asleep_since(), log.awake_since());
        let usual_naps = log.usual_naps();
        let wake_window = naps.then(|| view.models.naps.window(persona.months).as_hours());
        Assessment { clock: estimate, sleep, asleep_since, awake_since, usual_naps, wake_window, persona }
    }

    /// Reads a little of what a light reading touches here, to bring it into the cache. The result means nothing.
    #[must_use]
    pub fn glance(&self) -> u64 {
        u64::from(self.id.short_length()) ^ self.facts.glance()
    }

    /// The same for the list of facts, where it is a long one.
    #[must_use]
    pub fn glance_deeper(&self) -> u64 {
        self.facts.glance_deeper()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let known = self.rest.known.as_ref().map_or(0, |known| {
            let profile = &known.profile;
            size_of::<Known>()
                + profile.display_name.as_ref().map_or(0, |name| name.len())
                + profile.naps.as_ref().map_or(0, |naps| size_of_val::<[UsualNap]>(naps))
                + known.measurements.heap_bytes()
        });
        let clock = self.rest.clock.as_ref().map_or(0, |clock| clock.resident_bytes());
        let said = self.rest.said.as_ref().map_or(0, |said| {
            let skips = said.skips.capacity() * size_of::<UtcMillis>();
            size_of::<Said>() + said.plan.capacity() * size_of::<Published>() + skips
        });
        let details = self.rest.own_heap_bytes() + self.rest.sleeps.heap_bytes() + known + clock + said;
        self.id.heap_bytes() + self.facts.heap_bytes() + details
    }
}
