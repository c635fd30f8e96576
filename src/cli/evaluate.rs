//! `zoner evaluate`: one subcommand a thing that is measured.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::evaluate::priors;

#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// What simulated people say of how period and light gain move the clock against sleep: models/priors.toml
    Priors(Priors),
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

pub fn run(command: &Evaluate) -> anyhow::Result<()> {
    match command {
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
