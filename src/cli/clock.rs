//! `zoner clock`.

use std::fmt::Write as _;
use std::io::{BufWriter, Read, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::circadian::catalogue::{NAMES, Tabulated, WithOscillator, with_oscillator};
use crate::circadian::{LightSchedule, dlmo};
use crate::units::{Hours, Lux, Span, UtcMillis};

/// Runs a model of the body clock over a light schedule, for comparing with other programs.
///
/// The schedule is a CSV file with the columns t_hours and lux (others are ignored), in order of time. Writes the state at
/// every whole hour as CSV, or with --markers the CBTmin and DLMO times as JSON.
#[derive(Debug, Args)]
pub struct Clock {
    /// hannay19, hannay19tp, forger99, forger99k, forger99p6 (its light parameters by three schools), jewett99
    #[arg(long, value_name = "NAME", default_value = "hannay19")]
    model: String,
    /// The schedule; `-` for standard input
    #[arg(long, value_name = "FILE")]
    light: PathBuf,
    /// When a line's lux holds
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Holds::After)]
    holds: Holds,
    /// Where to stop, hours [default: the time of the last line]
    #[arg(long, value_name = "HOURS", allow_negative_numbers = true)]
    until: Option<f64>,
    /// The first state, in the order of the output's columns [default: that of the model's authors]
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', allow_hyphen_values = true)]
    initial: Option<Vec<f64>>,
    /// CBTmin and DLMO times instead of states; those whose cycle is not over are decided as if the last light went on
    #[arg(long)]
    markers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Holds {
    /// From its time until the next line's
    After,
    /// From the previous line's time until its own, as in the Python package `circadian`
    Before,
}

/// More than a century: beyond it a number is hardly meant as hours.
const MOST_HOURS: f64 = 1e6;

/// How far a value of --initial may be from what the model makes of it.
const SAME: f64 = 1e-9;

pub fn run(command: &Clock) -> anyhow::Result<()> {
    let name = command.model.as_str();
    if !NAMES.contains(&name) {
        bail!("no model {name:?}; there are {}", NAMES.join(", "));
    }
    let file = command.light.display().to_string();
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().lock().read_to_string(&mut text).context("reading standard input")?;
    } else {
        text = std::fs::read_to_string(&command.light).with_context(|| format!("reading {file}"))?;
    }
    let samples = parse(&text).with_context(|| file)?;
    let schedule = schedule(&samples, command.holds, command.until)?;
    let Some(result) = with_oscillator(name, Job { command, schedule: &schedule }) else {
        bail!("no model {name:?}; there are {}", NAMES.join(", "));
    };
    result
}

/// Lines of (time, light), in order of time.
fn parse(text: &str) -> anyhow::Result<Vec<(UtcMillis, Lux)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let Some((_, header)) = lines.next() else { bail!("line 1: the columns t_hours and lux are missing") };
    let columns = fields_of(header);
    let column = |name: &str| {
        let mut named = columns.iter().enumerate().filter(|(_, column)| **column == name).map(|(index, _)| index);
        let Some(index) = named.next() else { bail!("line 1: there is no column {name}; expected t_hours and lux") };
        ensure!(named.next().is_none(), "line 1: there is more than one column {name}; expected one");
        Ok(index)
    };
    let (time_column, lux_column) = (column("t_hours")?, column("lux")?);

    let mut samples: Vec<(UtcMillis, Lux)> = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let fields = fields_of(line);
        ensure!(
            fields.len() == columns.len(),
            "line {number}: {} fields where the header has {}",
            fields.len(),
            columns.len()
        );
        let field = |index: usize| {
            let value = fields[index].parse::<f64>().ok().filter(|value| value.is_finite());
            value
                .with_context(|| format!("line {number}: {} is {:?}, expected a number", columns[index], fields[index]))
        };
        let (hours, lux) = (field(time_column)?, field(lux_column)?);
        ensure!(
            hours.abs() <= MOST_HOURS,
            "line {number}: t_hours is {hours}, expected at most {MOST_HOURS} either way"
        );
        ensure!(lux >= 0.0, "line {number}: lux is {lux}, expected 0 or more");
        let time = UtcMillis(0) + Span::from_hours(Hours(hours));
        if let Some((before, _)) = samples.last() {
            ensure!(time > *before, "line {number}: t_hours is {hours}, expected later than the line before");
        }
        samples.push((time, Lux(lux)));
    }
    ensure!(!samples.is_empty(), "there is no line after the header");
    Ok(samples)
}

/// Each may stand in quotes, as spreadsheets write them; a comma inside quotes is not expected in numbers.
fn fields_of(line: &str) -> Vec<&str> {
    line.split(',')
        .map(str::trim)
        .map(|field| field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).map_or(field, str::trim))
        .collect()
}

fn schedule(samples: &[(UtcMillis, Lux)], holds: Holds, until: Option<f64>) -> anyhow::Result<LightSchedule> {
    let (Some((start, _)), Some((last, last_light))) = (samples.first().copied(), samples.last().copied()) else {
        bail!("the schedule is empty");
    };
    let end = match until {
        Some(hours) => {
            ensure!(hours.abs() <= MOST_HOURS, "--until is {hours}, expected at most {MOST_HOURS} either way");
            UtcMillis(0) + Span::from_hours(Hours(hours))
        }
        None => last,
    };
    let first = hours(start);
    ensure!(
        end > start,
        match until {
            Some(until) => format!("--until is {until}, expected later than the first line's t_hours, {first}"),
            None => "the schedule has no length: give it a second line, or --until a time after its first".to_owned(),
        }
    );
    let changes = match holds {
        Holds::After => samples.to_vec(),
        Holds::Before => {
            let starts = samples.iter().map(|(time, _)| *time);
            let lights = samples.iter().skip(1).map(|(_, light)| *light);
            // What comes after the last line is not said; it stays as it is.
            starts.zip(lights.chain([last_light])).collect()
        }
    };
    let before_end = changes.into_iter().filter(|(begins, _)| *begins < end).collect();
    Ok(LightSchedule::new(before_end, end))
}

struct Job<'a> {
    command: &'a Clock,
    schedule: &'a LightSchedule,
}

/// What --markers prints.
#[derive(Serialize)]
struct Markers<'a> {
    model: &'a str,
    cbt_min_hours: Vec<f64>,
    dlmo_hours: Vec<f64>,
}

impl WithOscillator for Job<'_> {
    type Output = anyhow::Result<()>;

    fn run<O: Tabulated>(self, oscillator: &O) -> anyhow::Result<()> {
        let start = match &self.command.initial {
            None => oscillator.initial_state(),
            Some(values) => initial_state(oscillator, values)?,
        };
        let mut output = BufWriter::new(std::io::stdout().lock());
        if self.command.markers {
            let (crossings, _) = self.schedule.run(oscillator, start, |_, _| {});
            let markers = Markers {
                model: &self.command.model,
                cbt_min_hours: crossings.iter().map(|at| hours(*at)).collect(),
                dlmo_hours: crossings.iter().map(|at| hours(dlmo(*at))).collect(),
            };
            serde_json::to_writer(&mut output, &markers)?;
            writeln!(output)?;
        } else {
            let mut rows = format!("t_hours,{}\n", O::VARIABLES.join(","));
            let (first, last) = (self.schedule.start(), self.schedule.end());
            self.schedule.run(oscillator, start, |at, state| {
                if at == first || at == last || at.0 % Span::hours(1).0 == 0 {
                    let _ = write!(rows, "{}", hours(at));
                    for value in oscillator.values(state) {
                        rows.push(',');
                        write_number(&mut rows, value);
                    }
                    rows.push('\n');
                }
            });
            output.write_all(rows.as_bytes())?;
        }
        output.flush()?;
        Ok(())
    }
}

/// Below this a number is written with its power of ten: n after weeks of darkness has three hundred zeros.
const SMALL: f64 = 1e-9;

/// Every digit that it takes to read the same number again.
fn write_number(text: &mut String, value: f64) {
    // Writing to a string does not fail.
    let _ = if value != 0.0 && value.abs() < SMALL { write!(text, "{value:e}") } else { write!(text, "{value}") };
}

fn initial_state<O: Tabulated>(oscillator: &O, values: &[f64]) -> anyhow::Result<O::State> {
    ensure!(
        values.len() == O::VARIABLES.len(),
        "--initial has {} values, expected {}: {}",
        values.len(),
        O::VARIABLES.len(),
        O::VARIABLES.join(",")
    );
    let state = oscillator.state_of(values);
    let taken = oscillator.values(&state);
    // False for NaN.
    let is_taken = values.iter().zip(&taken).all(|(given, taken)| (given - taken).abs() <= SAME);
    ensure!(
        is_taken,
        "--initial: {} = {} is no state that the model reaches; the nearest is {}",
        O::VARIABLES.join(","),
        numbers(values),
        numbers(&taken)
    );
    Ok(state)
}

fn numbers(values: &[f64]) -> String {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_number(&mut text, *value);
    }
    text
}

/// Hours since t_hours = 0.
fn hours(at: UtcMillis) -> f64 {
    (at - UtcMillis(0)).as_hours().0
}
