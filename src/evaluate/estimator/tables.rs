//! The scores as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::columns::Column;
use super::scores::{Measure, Place, Scores};
use super::stories::Story;
use super::targets::Target;

/// Every cell and its periods, a line each.
#[must_use]
pub fn table(scores: &Scores) -> String {
    let mut text = String::from("Travellers, CBTmin less mid-sleep (h):");
    for (truth, (mean, sd)) in &scores.populations {
        // Writing to a string does not fail.
        let _ = write!(text, " {} {mean:.2} ± {sd:.2};", truth.name());
    }
    let _ = write!(
        text,
        "\n{:40} | zoner                                    | rough              | naive       | rule\n\
         {:9} {:17} {:12} |  80 %  95 %   MAE  bias  NEES width  NIS |  80 %   MAE  width |  80 %   MAE |  MAE\n",
        "", "truth", "life", "days"
    );
    for (index, cell) in scores.cells.iter().enumerate() {
        for (period, name) in cell.story.periods().iter().enumerate() {
            let get = |column, measure| scores.measure(Place { cell: index, period, column }, measure);
            let ours = |measure| get(Column::Zoner, measure);
            let _ = writeln!(
                text,
                "{:9} {:15} {name:>14} | {:5.2} {:5.2} {:5.2} {:+5.2} {:5.2} {:5.2} {:>4} | {:5.2} {:5.2} {:6.2} | {:5.2} {:5.2} | {:4.2}",
                cell.truth.name(),
                cell.story.name(),
                ours(Measure::Coverage80),
                ours(Measure::Coverage95),
                ours(Measure::Mae),
                ours(Measure::Bias),
                ours(Measure::Nees),
                ours(Measure::Width80),
                or_dash(ours(Measure::Nis)),
                get(Column::Rough, Measure::Coverage80),
                get(Column::Rough, Measure::Mae),
                get(Column::Rough, Measure::Width80),
                get(Column::Naive, Measure::Coverage80),
                get(Column::Naive, Measure::Mae),
                get(Column::Rule, Measure::Mae),
            );
        }
    }
    text
}

fn or_dash(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") }
}

/// One line a family of targets, and one for each that is missed.
#[must_use]
pub fn verdicts(targets: &[Target]) -> String {
    let mut text = String::new();
    let mut rest = targets;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|target| target.family == first.family).count();
        let (family, others) = rest.split_at(count);
        rest = others;
        let met = family.iter().filter(|target| target.is_met()).count();
        let verdict = if met == count { "pass" } else { "FAIL" };
        let worst = family.iter().max_by(|one, other| one.excess().total_cmp(&other.excess())).unwrap_or(first);
        let _ = writeln!(text, "{verdict}  {}: {met} of {count}; worst: {}", first.family, line(worst));
        for missed in family.iter().filter(|target| !target.is_met()) {
            let _ = writeln!(text, "        missed: {}", line(missed));
        }
    }
    text
}

fn line(target: &Target) -> String {
    let range = match (target.least.is_finite() && target.least > 0.0, target.most.is_finite()) {
        (true, true) => format!("{} to {}", target.least, target.most),
        (_, true) => format!("at most {}", target.most),
        (_, false) => format!("at least {}", target.least),
    };
    let name = &target.place;
    format!("{name}: {:.3} ± {:.3}, wanted {range}", target.measured.value, target.measured.error)
}

#[derive(Serialize)]
struct CellsOut {
    cells: Vec<CellOut>,
}

#[derive(Serialize)]
struct CellOut {
    truth: &'static str,
    shift: i32,
    days: &'static str,
    travellers: usize,
    filter: &'static str,
    coverage80: Option<f64>,
    coverage95: Option<f64>,
    mae_hours: Option<f64>,
    nees: Option<f64>,
    width80_hours: Option<f64>,
}

/// The cells for programs; what a column does not say is null.
///
/// # Errors
/// None that these data can cause.
pub fn json(scores: &Scores) -> serde_json::Result<String> {
    let mut cells = Vec::new();
    for (index, cell) in scores.cells.iter().enumerate() {
        // Programs are given the journeys: their form has no place for other lives.
        let Story::Journey(shift) = cell.story else { continue };
        for (period, days) in cell.story.periods().iter().enumerate() {
            for column in Column::ALL {
                let has_interval = column != Column::Rule;
                let value = |measure: Measure| {
                    let value = scores.measure(Place { cell: index, period, column }, measure);
                    (value.is_finite() && (has_interval || measure == Measure::Mae)).then_some(value)
                };
                cells.push(CellOut {
                    truth: cell.truth.name(),
                    shift,
                    days,
                    travellers: cell.lives.len(),
                    filter: column.name(),
                    coverage80: value(Measure::Coverage80),
                    coverage95: value(Measure::Coverage95),
                    mae_hours: value(Measure::Mae),
                    nees: value(Measure::Nees),
                    width80_hours: value(Measure::Width80),
                });
            }
        }
    }
    serde_json::to_string_pretty(&CellsOut { cells })
}
