//! `zoner evaluate`: one subcommand a thing that is measured.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::common;
use crate::circadian::Hannay19;
use crate::circadian::filter::{FilterModel, FilterNumbers};
use crate::evaluate::estimator::stories::Story;
use crate::evaluate::estimator::truths::Truth;
use crate::evaluate::estimator::{self, Options, human, real, tables, targets};
use crate::evaluate::priors;
use crate::traveller::models::Models;

#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// What simulated people say of how period and light gain move the clock against sleep: models/priors.toml
    Priors(Priors),
    /// How right and how honest the estimates of the body clock are, on simulated travellers whose clocks are known
    Estimator(Estimator),
}

#[derive(Debug, Args)]
pub struct Priors {
    /// Seed of the simulated people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Everything follows from the options: the same ones give the same numbers, whatever the number of processors.
#[derive(Debug, Args)]
pub struct Estimator {
    /// Travellers a cell
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    travellers: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whose equations the travellers' clocks follow [default: each in turn]
    #[arg(long, value_enum)]
    truth: Vec<TruthName>,
    /// Only journeys over these shifts, and no other lives; hours, east is positive
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-12..=12))]
    shifts: Vec<i32>,
    /// Only these lives
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with_all = ["shifts", "json"])]
    lives: Vec<LifeName>,
    /// Draw some lives into this directory, an SVG each: true and estimated phase with its band
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// The journeys' cells as JSON instead of the tables
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a target is missed; meant for 200 travellers a cell and all lives: few miss some by chance
    #[arg(long)]
    check: bool,
    /// Numbers of the filter from this file instead of the ones shipped (models/filter.toml)
    #[arg(long, value_name = "FILE")]
    filter: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TruthName {
    Hannay19,
    Forger99,
    Jewett99,
}

impl From<TruthName> for Truth {
    fn from(name: TruthName) -> Truth {
        match name {
            TruthName::Hannay19 => Truth::Hannay19,
            TruthName::Forger99 => Truth::Forger99,
            TruthName::Jewett99 => Truth::Jewett99,
        }
    }
}

/// Journeys, and lives that are hard in other ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LifeName {
    Journeys,
    Plan,
    Stranger,
    Year,
    Rosters,
}

impl LifeName {
    fn of(story: Story) -> LifeName {
        match story {
            Story::Journey(_) => LifeName::Journeys,
            Story::Plan => LifeName::Plan,
            Story::Stranger => LifeName::Stranger,
            Story::Year => LifeName::Year,
            Story::Roster(_) => LifeName::Rosters,
        }
    }
}

fn evaluate_estimator(command: &Estimator) -> anyhow::Result<()> {
    let mut models = Models::embedded();
    if let Some(path) = &command.filter {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        models.filter = FilterModel::new(Hannay19::embedded(), FilterNumbers::from_toml(&text)?);
    }
    let truths: Vec<Truth> = each_once(command.truth.iter().map(|name| Truth::from(*name)));
    let stories = if command.shifts.is_empty() {
        let mut all = Options::journeys();
        // Their form has no place for other lives.
        all.extend(Story::SPECIAL.into_iter().filter(|_| !command.json));
        all.retain(|story| command.lives.is_empty() || command.lives.contains(&LifeName::of(*story)));
        all
    } else {
        each_once(command.shifts.iter().map(|shift| Story::Journey(*shift)))
    };
    let options = Options {
        travellers: command.travellers as usize,
        seed: command.seed,
        truths: if truths.is_empty() { Truth::ALL.to_vec() } else { truths },
        stories,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let bar = common::progress(options.days(), "days lived");
    let scores = estimator::scores(&options, &models, &|days| bar.inc(days));
    bar.finish_and_clear();
    if let Some(directory) = &command.svg {
        let written = estimator::plots(&options, &models, directory)
            .with_context(|| format!("cannot draw into {}", directory.display()))?;
        eprintln!("{written} drawings in {}", directory.display());
    }
    let targets = targets::targets(&scores);
    let mut out = std::io::stdout().lock();
    if command.json {
        writeln!(out, "{}", tables::json(&scores)?)?;
    } else {
        write!(out, "{}\n{}", tables::table(&scores), tables::verdicts(&targets))?;
        write!(out, "{}{}", human::table(), real::table(&models))?;
    }
    out.flush()?;
    let missed = targets.iter().filter(|target| !target.is_met()).count();
    if command.check && missed > 0 {
        bail!("{missed} of {} targets missed", targets.len());
    }
    Ok(())
}

/// What is named twice is lived and printed once.
fn each_once<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.fold(Vec::new(), |mut once, item| {
        if !once.contains(&item) {
            once.push(item);
        }
        once
    })
}

pub fn run(command: &Evaluate) -> anyhow::Result<()> {
    match command {
        Evaluate::Estimator(command) => evaluate_estimator(command),
        Evaluate::Priors(command) => {
            let text = priors::priors_toml(command.seed);
            let Some(path) = &command.out else {
                print!("{text}");
                return Ok(());
            };
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_named_twice_is_lived_once_and_in_its_first_place() {
        let stories = each_once([8, -6, 8, 8].into_iter().map(Story::Journey));
        assert_eq!(stories, [Story::Journey(8), Story::Journey(-6)]);
    }
}
