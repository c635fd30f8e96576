//! When a traveller's nap timer is due, and what is remembered of the alarms that were said.
//!
//! What a log means is [`nap_watch`]'s; here it meets what was published and where the person is.

use super::nap_watch::{self, NapAlarm, NapNews};
use super::naps::{BodyTime, SleepLog};
use super::persona::Persona;
use super::surroundings::Surroundings;
use super::{Due, Timers, Traveller, View};
use crate::planner::RepairKind;
use crate::units::UtcMillis;

impl Traveller {
    /// Hands the sleep log of the last days to `look`.
    pub(super) fn with_log<R>(&self, view: &View<'_>, look: impl FnOnce(&SleepLog<'_>, &Persona<'_>) -> R) -> R {
        let persona = self.persona(view);
        let lags = self.lags(view, &persona);
        let body = BodyTime { home: persona.home, lags: &lags };
        look(
            &SleepLog::new(view.models, &persona, body, self.surroundings(view), &self.rest.sleeps, view.now),
            &persona,
        )
    }

    pub(super) fn surroundings<'a>(&'a self, view: &View<'a>) -> Surroundings<'a> {
        Surroundings { whereabouts: view.whereabouts, plan: self.said().map_or(&[][..], |said| &said.plan) }
    }

    /// When alarms were said in the last day.
    pub(super) fn naps_told(&self) -> &[UtcMillis] {
        self.said().map_or(&[][..], |said| &said.skips)
    }

    /// Sets the nap timer by what is known now. For after anything that it depends on has changed from outside: where the
    /// person is.
    pub fn set_nap_timer(&mut self, view: &View<'_>) {
        let due =
            self.with_log(view, |log, _| nap_watch::due(view.models, log, self.alarm(), self.naps_told(), view.now));
        self.set_timers(Timers { nap: due.into(), ..self.timers() });
    }

    /// The nap timer has come due: what silence means. The timer is set anew.
    pub fn nap_timer_fired(&mut self, view: &View<'_>) -> Option<NapNews> {
        let news =
            self.with_log(view, |log, _| nap_watch::after_silence(log, self.alarm(), self.naps_told(), view.now));
        match news {
            // Said now; there is nothing more to say until a sleep is logged.
            Some(_) => self.set_timers(Timers { nap: Due::NEVER, ..self.timers() }),
            None => self.set_nap_timer(view),
        }
        news
    }

    /// A nap that was reported skipped before it was due, and was slept: none of the day's alarms is used up by that.
    pub(super) fn take_back_false_skip(&mut self, view: &View<'_>) {
        let Some(alarm) = self.alarm().copied() else { return };
        if self.with_log(view, |log, _| nap_watch::was_false(log, &alarm)) {
            nap_watch::take_last_back(&mut self.said_mut().skips);
        }
    }

    /// What was said about a nap stands until it is repaired or found.
    pub fn nap_was_said(&mut self, alarm: NapAlarm, view: &View<'_>) {
        // A reported skip is remembered by its own time when it is answered.
        let is_report = !alarm.by_silence && alarm.repair.kind != RepairKind::Short;
        let said = self.said_mut();
        said.alarm = Some(alarm);
        if !is_report {
            nap_watch::note_told(&mut said.skips, view.now, view.now);
        }
        self.set_nap_timer(view);
    }
}
