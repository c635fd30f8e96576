//! A processor whose timers leave a trace: the same as the one inside, and a journal of what it fired.

use std::sync::{Arc, Mutex, PoisonError};

use zoner::engine::processor::{Revert, Small};
use zoner::engine::{Decoded, Effects, Moment, Processor, Record, Topic, Unit};
use zoner::event::recommendation::Estimate;
use zoner::event::rejection::Rejection;
use zoner::units::UtcMillis;

/// A timer that was fired, by the record that moved time past it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fire {
    pub partition: i32,
    pub moved_by: i64,
    pub due: UtcMillis,
    pub unit: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    Fired(Fire),
    /// The worker went back to a commit, or took the partition over.
    BeginsAnew(i32),
}

pub type Journal = Arc<Mutex<Vec<Noted>>>;

pub fn note(journal: &Journal, noted: Noted) {
    journal.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
}

pub fn noted(journal: &Journal) -> Vec<Noted> {
    journal.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub struct Watched<P> {
    inner: Arc<P>,
    journal: Journal,
}

impl<P> Watched<P> {
    pub fn new(inner: Arc<P>, journal: Journal) -> Watched<P> {
        Watched { inner, journal }
    }
}

impl<P: Processor> Processor for Watched<P> {
    type Unit = P::Unit;
    type Event<'a> = P::Event<'a>;

    const NAME: &'static str = P::NAME;
    const INPUT: Topic = P::INPUT;

    fn decode<'a>(&self, record: &Record<'a>) -> Result<Decoded<'a, P::Event<'a>>, Rejection> {
        self.inner.decode(record)
    }

    fn new_unit(&self, key: &str) -> P::Unit {
        self.inner.new_unit(key)
    }

    fn asks_for_origin(&self, unit: &P::Unit, event: &P::Event<'_>) -> bool {
        self.inner.asks_for_origin(unit, event)
    }

    fn apply(&self, unit: &mut P::Unit, event: P::Event<'_>, moment: &Moment, effects: &mut Effects) {
        self.inner.apply(unit, event, moment, effects);
    }

    fn apply_small(&self, unit: &mut P::Unit, event: &P::Event<'_>, moment: &Moment) -> Option<Small> {
        self.inner.apply_small(unit, event, moment)
    }

    fn revert(&self, unit: &mut P::Unit, revert: Revert) {
        self.inner.revert(unit, revert);
    }

    fn fire(&self, unit: &mut P::Unit, moment: &Moment, effects: &mut Effects) {
        if let (Some(position), Some(due)) = (moment.position, unit.next_due()) {
            let unit = unit.key().to_owned();
            let fire = Fire { partition: position.partition, moved_by: position.offset, due, unit };
            note(&self.journal, Noted::Fired(fire));
        }
        self.inner.fire(unit, moment, effects);
    }

    fn estimates(&self, unit: &P::Unit, user: Option<&str>, at: UtcMillis) -> Vec<Estimate> {
        self.inner.estimates(unit, user, at)
    }
}
