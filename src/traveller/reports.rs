//! Taking in what is reported of a person.

use super::clock::window_edge;
use super::facts::{Reading, Report};
use super::level::Level;
use super::measurements::{self, Measurement, Nights};
use super::nap_watch::{self, NapNews};
use super::persona::Known;
use super::sleeps::SleepRecord;
use super::{Traveller, View, settled_until};
use crate::circadian::light::MelanopicEdi;
use crate::circadian::markers::DLMO_BEFORE_CBT_MIN;
use crate::circadian::{LightContext, LightModel};
use crate::event::activity::{
    LightContext as SaidContext, LightExposure, LightLevel, Marker, Meal, NapSkipped, PhaseMeasurement, Profile,
    SleepKind,
};
use crate::planner::Place;
use crate::rare::Rare;
use crate::units::{Lux, Span, UtcMillis};

/// A laboratory result counts if it is no older than this when it comes in.
const MEASUREMENT_COUNTS: Span = Span::days(60);

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noted {
    /// Older than the window: it no longer moves the estimate.
    pub late: bool,
    pub news: Option<NapNews>,
}

const LATE: Noted = Noted { late: true, news: None };

/// A sleep that was reported by its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SleepReport {
    pub start: UtcMillis,
    pub end: Option<UtcMillis>,
    pub kind: Option<SleepKind>,
    pub deleted: bool,
    /// The record's own stamp: it settles contradictions.
    pub stamp: UtcMillis,
}

impl Traveller {
    /// Whether a report that names this id is about this person.
    #[must_use]
    pub fn is_named(&self, id: &str) -> bool {
        self.id.as_bytes() == id.as_bytes()
    }

    /// Light at the eye. Touches nothing but the list of facts.
    pub fn note_light(&mut self, model: &LightModel, light: &LightExposure, now: UtcMillis) -> Noted {
        let edge = window_edge(now);
        if light.end < edge {
            return LATE;
        }
        let start = light.start.max(edge);
        let report = match &light.level {
            LightLevel::Lux(lux) => Report::Measured(Level::of(*lux)),
            LightLevel::MelanopicEdi(edi, context) => {
                Report::Measured(Level::of(model.from_melanopic(MelanopicEdi(edi.0), known_context(*context))))
            }
            LightLevel::Context(context) => known_context(*context).map_or(Report::Usual, Report::Context),
            LightLevel::Usual => Report::Usual,
            LightLevel::Samples { interval, lux } => {
                for (index, lux) in (0_i64..).zip(lux) {
                    let at = light.start + Span(interval.0.saturating_mul(index));
                    if at >= edge {
                        self.facts.note(at, Report::Measured(Level::of(Lux(f64::from(*lux)))));
                    }
                }
                return Noted::default();
            }
        };
        if start < light.end {
            self.facts.note_span(start, light.end, report);
        } else {
            // A report without a level stands for its quarter hour, whichever minute it was sent in.
            let at = if matches!(report, Report::Measured(_)) { start } else { start.floor_to(crate::circadian::BIN) };
            self.facts.note(at, report);
        }
        Noted::default()
    }

    /// A light reading of one moment inside the window, taken in so that it can be taken back. `None`, and nothing
    /// changed, where it is anything else.
    pub fn note_light_reading(&mut self, model: &LightModel, light: &LightExposure, now: UtcMillis) -> Option<Reading> {
        let level = match &light.level {
            LightLevel::Lux(lux) => Level::of(*lux),
            LightLevel::MelanopicEdi(edi, context) => {
                Level::of(model.from_melanopic(MelanopicEdi(edi.0), known_context(*context)))
            }
            _ => return None,
        };
        if light.start != light.end || light.start < window_edge(now) {
            return None;
        }
        self.facts.note_reversibly(light.start, Report::Measured(level))
    }

    pub fn take_back_reading(&mut self, reading: Reading) {
        self.facts.take_back(reading);
    }

    #[must_use]
    pub fn facts_heap_bytes(&self) -> usize {
        self.facts.heap_bytes()
    }

    pub fn note_meal(&mut self, meal: &Meal, now: UtcMillis) -> Noted {
        let edge = window_edge(now);
        if meal.end < edge {
            return LATE;
        }
        self.facts.note(meal.start.max(edge).floor_to(crate::circadian::BIN), Report::Meal(meal.kind));
        Noted::default()
    }

    /// Seen asleep: neither start nor end is known.
    pub fn note_seen_asleep(&mut self, at: UtcMillis, now: UtcMillis) -> Noted {
        if at < window_edge(now) {
            return LATE;
        }
        self.facts.note(at.floor_to(crate::circadian::BIN), Report::SeenAsleep);
        Noted::default()
    }

    /// A sleep, its end, or its deletion.
    pub fn note_sleep(&mut self, view: &View<'_>, report: &SleepReport) -> Noted {
        let edge = window_edge(view.now);
        let end = report.end.unwrap_or(report.start + view.models.naps.open_ends_after);
        if end < edge {
            return LATE;
        }
        // It reaches behind the window: what is settled there must not depend on when that is done.
        if report.start < edge || self.has_gathered_sleeps(view.now) {
            self.settle(view);
        }
        let record = SleepRecord::new(report.start, report.end, report.kind, report.deleted, report.stamp);
        if !self.rest.write().sleeps.note(record) || self.known().is_none() {
            return Noted::default();
        }
        self.take_back_false_skip(view);
        let (news, alarm) = self.with_log(view, |log, _| {
            nap_watch::after_sleep(view.models, log, self.alarm(), self.naps_told(), report.start, view.now)
        });
        self.set_alarm(alarm);
        self.forget_old_advice(view.now);
        self.set_nap_timer(view);
        Noted { late: false, news }
    }

    pub fn note_nap_skipped(&mut self, view: &View<'_>, skipped: &NapSkipped) -> Noted {
        if skipped.at < window_edge(view.now) {
            return LATE;
        }
        let alarm = self.alarm();
        let told = self.naps_told();
        let news =
            self.with_log(view, |log, _| nap_watch::after_report(view.models, log, alarm, told, skipped.at, view.now));
        if news.is_some() {
            nap_watch::note_told(&mut self.said_mut().skips, skipped.at, view.now);
        }
        Noted { late: false, news }
    }

    /// A profile replaces the one before it, unless that was judged later. Whether it says anything new; then timers are
    /// to be set anew, by where home is now.
    pub fn note_profile(&mut self, view: &View<'_>, profile: Profile, judged_at: UtcMillis) -> bool {
        let Some(before) = self.known() else {
            let details = self.rest.write();
            details.known = Some(Box::new(Known { profile, judged_at, measurements: Rare::default() }));
            // Until now the clock was anybody's: it begins again, in the phase of the habit.
            details.clock = None;
            self.since = settled_until(view.now);
            self.facts.forget_before(self.since);
            // Where the habit holds a clock is dear to find: once, not for every answer until something is settled.
            self.settle(view);
            return true;
        };
        if before.judged_at > judged_at {
            return false;
        }
        let is_new = before.profile != profile;
        if is_new {
            // The light of the past was that of the old habit, and so are the nights that nobody told of.
            self.settle(view);
            self.decide_measurements(view, UtcMillis::MAX);
        }
        if let Some(known) = self.rest.known_mut() {
            known.profile = profile;
            known.judged_at = judged_at;
        }
        if is_new && let Some(mut clock) = self.rest.write().clock.take() {
            clock.change_habit(view.models, &self.persona(view));
            self.rest.write().clock = Some(clock);
        }
        is_new
    }

    /// A laboratory or home test. Of settled life at home it says how this person's clock lies to the usual sleep, and
    /// counts for weeks; on a journey and soon after it says where the clock was, and must come in as soon as other facts.
    /// `stamp`: the record's own.
    pub fn note_measurement(&mut self, view: &View<'_>, measured: &PhaseMeasurement, stamp: UtcMillis) -> Noted {
        let cbt_min = match measured.marker {
            Marker::Cbtmin => measured.at,
            Marker::Dlmo => measured.at + DLMO_BEFORE_CBT_MIN,
        };
        if measured.at + MEASUREMENT_COUNTS < view.now {
            return LATE;
        }
        let remembered = view.models.people.shift_remembered;
        let displaced = view.whereabouts.iter().any(|stretch| {
            let is_near = stretch.from <= cbt_min && stretch.to.is_none_or(|to| to + remembered > cbt_min);
            stretch.place != Place::Home && is_near
        });
        if displaced && cbt_min < window_edge(view.now) {
            return LATE;
        }
        if self.known().is_some_and(|known| known.measurements.as_slice().len() >= measurements::MOST_KEPT) {
            // One may be dropped: what it says of the settled past must be in there, whenever that is settled.
            self.settle(view);
        }
        let persona = self.persona(view);
        let sources = self.light_sources(view, &persona);
        let nights = Nights { models: view.models, persona: &persona, sources: &sources };
        let measurement = Measurement::new(cbt_min, measured.sd, displaced, stamp).decided_late(&nights, view.now);
        let Some(known) = self.rest.known_mut() else { return Noted::default() };
        let mut measurements = std::mem::take(&mut known.measurements).into_vec();
        measurements::note(&mut measurements, measurement);
        known.measurements = measurements.into();
        Noted::default()
    }

    /// Decides against which nights results are taken whose nights are all known at `until`.
    pub(super) fn decide_measurements(&mut self, view: &View<'_>, until: UtcMillis) {
        let Some(known) = self.known() else { return };
        let persona = self.persona(view);
        let sources = self.light_sources(view, &persona);
        let nights = Nights { models: view.models, persona: &persona, sources: &sources };
        let decided = measurements::decided(known.measurements.as_slice(), &nights, until);
        if let (Some(decided), Some(known)) = (decided, self.rest.known_mut()) {
            known.measurements = decided;
        }
    }
}

fn known_context(context: SaidContext) -> Option<LightContext> {
    match context {
        SaidContext::Outdoor => Some(LightContext::Outdoor),
        SaidContext::Indoor => Some(LightContext::Indoor),
        SaidContext::Dim => Some(LightContext::Dim),
        SaidContext::Dark => Some(LightContext::Dark),
        SaidContext::Aircraft => Some(LightContext::Aircraft),
        SaidContext::Unknown => None,
    }
}
