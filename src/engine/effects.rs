//! What the core asks the engine to do: collected while a state changes, carried out afterwards.

use crate::event::activity::FlightUpdate;
use crate::event::flight::Watch;
use crate::event::recommendation::Recommendation;

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// To `recommendations`, keyed by its household.
    Recommend(Box<Recommendation>),
    /// To `user_activity`, keyed by the household that watches.
    FlightUpdate { household_id: Box<str>, update: Box<FlightUpdate> },
    /// To `flight_status`, keyed by the flight.
    Watch(Watch),
}

/// Effects of one record or timer, in the order in which they arose, with what is worth counting.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    pub list: Vec<Effect>,
    /// Facts older than the window: they no longer move the estimate.
    pub late_events: u32,
    /// Plans that changed too little to be said.
    pub held_unchanged: u32,
    /// Body clocks that were spoken of.
    pub clocks: Vec<ClockSaid>,
}

/// What an operator sees of an estimate: whether the filter is sure, and whether it is right to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockSaid {
    /// Width of the 80 % interval, hours.
    pub width: f64,
    /// Normalised innovation squared of the latest observation, if there was one in the window.
    pub nis: Option<f64>,
}

impl Effects {
    pub fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    pub fn recommend(&mut self, recommendation: Recommendation) {
        self.list.push(Effect::Recommend(Box::new(recommendation)));
    }

    pub fn clear(&mut self) {
        self.list.clear();
        self.late_events = 0;
        self.held_unchanged = 0;
        self.clocks.clear();
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
