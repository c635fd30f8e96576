//! What must hold, each named once. The engine's debug assertions and docs/reliability.md use the same names.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// EO-1: no effect is lost. Every recommendation, dead letter, flight update, watch and forwarded record that follows
    /// from the input is committed.
    Eo1,
    /// EO-2: none is said twice, and nothing is said that does not follow from the input.
    Eo2,
    /// EO-3: what is said to a household is said in the order in which it arose.
    Eo3,
    /// OF-1: a committed offset never goes back.
    Of1,
    /// ST-1: a state, restored however often, equals that of a run without interruption bit for bit, and so do the
    /// estimates made from it.
    St1,
    /// TM-1: timers fire once and in order: no worker fires one that lies before what it fired last, unless it went back
    /// to a commit or took the partition over in between.
    Tm1,
    /// LT-1: facts give the same estimate in any order of arrival within the window of 48 hours.
    Lt1,
    /// LV-1: when nothing goes wrong any more, everything is processed.
    Lv1,
}

impl Invariant {
    pub const fn name(self) -> &'static str {
        match self {
            Invariant::Eo1 => "EO-1",
            Invariant::Eo2 => "EO-2",
            Invariant::Eo3 => "EO-3",
            Invariant::Of1 => "OF-1",
            Invariant::St1 => "ST-1",
            Invariant::Tm1 => "TM-1",
            Invariant::Lt1 => "LT-1",
            Invariant::Lv1 => "LV-1",
        }
    }
}

/// An invariant that did not hold, and what shows it.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub detail: String,
}

impl Violation {
    pub fn new(invariant: Invariant, detail: impl Into<String>) -> Violation {
        Violation { invariant, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.name(), self.detail)
    }
}

/// Compares what was said with what follows from the input, in the order of either.
pub fn same_effects(what: &str, said: &[String], wanted: &[String]) -> Result<(), Violation> {
    if said == wanted {
        return Ok(());
    }
    let count = |all: &[String], one: &String| all.iter().filter(|other| *other == one).count();
    if let Some(lost) = wanted.iter().find(|one| count(said, one) < count(wanted, one)) {
        return Err(Violation::new(Invariant::Eo1, format!("{what} is missing: {lost}")));
    }
    if let Some(twice) = said.iter().find(|one| count(said, one) > count(wanted, one)) {
        return Err(Violation::new(Invariant::Eo2, format!("{what} is one too many: {twice}")));
    }
    Err(Violation::new(Invariant::Eo3, format!("{what}: {said:#?} in the order {wanted:#?}")))
}
