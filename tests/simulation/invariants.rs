//! What must hold, each named once. The engine's debug assertions, the campaign of kills and docs/reliability.md use the
//! same names.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// EO-1: every recommendation that follows from the log is published.
    Eo1,
    /// EO-2: none is published twice.
    Eo2,
    /// EO-3: nothing else is published.
    Eo3,
    /// OR-1: what is said to a household is said in the order in which it arose.
    Or1,
    /// DL-1: every record that can't be used is a dead letter, once.
    Dl1,
    /// FW-1: every record that lies in another's partition is forwarded, once.
    Fw1,
    /// IR-1: the processors write to each other whatever follows, once.
    Ir1,
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
    /// LV-1: when nothing goes wrong any more, everything is processed, and no process has given up.
    Lv1,
}

impl Invariant {
    pub const fn name(self) -> &'static str {
        match self {
            Invariant::Eo1 => "EO-1",
            Invariant::Eo2 => "EO-2",
            Invariant::Eo3 => "EO-3",
            Invariant::Or1 => "OR-1",
            Invariant::Dl1 => "DL-1",
            Invariant::Fw1 => "FW-1",
            Invariant::Ir1 => "IR-1",
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

fn count(all: &[String], one: &String) -> usize {
    all.iter().filter(|other| *other == one).count()
}

/// Recommendations of a household as published, against those that follow from the log, both in their order.
pub fn check_recommendations(published: &[String], wanted: &[String]) -> Result<(), Violation> {
    if published == wanted {
        return Ok(());
    }
    if let Some(lost) = wanted.iter().find(|one| count(published, one) < count(wanted, one)) {
        return Err(Violation::new(Invariant::Eo1, format!("missing: {lost}")));
    }
    if let Some(more) = published.iter().find(|one| count(published, one) > count(wanted, one)) {
        let invariant = if wanted.contains(more) { Invariant::Eo2 } else { Invariant::Eo3 };
        return Err(Violation::new(invariant, format!("one too many: {more}")));
    }
    Err(Violation::new(Invariant::Or1, format!("{published:#?} instead of {wanted:#?}")))
}

/// Records that somebody wrote against those that should have been, in any order.
pub fn check_records(invariant: Invariant, mut written: Vec<String>, mut wanted: Vec<String>) -> Result<(), Violation> {
    written.sort_unstable();
    wanted.sort_unstable();
    if written == wanted {
        return Ok(());
    }
    if let Some(lost) = wanted.iter().find(|one| count(&written, one) < count(&wanted, one)) {
        return Err(Violation::new(invariant, format!("missing: {lost}")));
    }
    let more = written.iter().find(|one| count(&written, one) > count(&wanted, one));
    Err(Violation::new(invariant, format!("one too many: {}", more.map_or("?", String::as_str))))
}
