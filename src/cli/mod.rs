//! The command line: one file a command. Errors go to standard error and name the file, line or key; exit codes are
//! 0 (ok), 1 (failed), 2 (usage); those of `diff` are diff's: 1 where there are differences, 2 for trouble.

#![expect(clippy::doc_markdown, reason = "doc comments of arguments are help texts, where backticks would be printed")]
#![expect(clippy::struct_excessive_bools, reason = "flags are flags")]
#![expect(clippy::struct_field_names, reason = "field names are flag names")]

mod clock;
mod common;
mod copy_target;
mod dead_letters;
mod demo;
mod diff;
mod evaluate;
mod models;
mod record;
mod replay;
mod replay_topic;
mod run;
mod schema;
mod simulate;
mod start;
mod state;
mod topics;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Repairs a travelling family's plan the moment a nap is missed or a flight changes.
///
/// Start with `zoner demo`: it needs nothing, and shows families living and flying within seconds.
#[derive(Debug, Parser)]
#[command(name = "zoner", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process: an embedded Kafka cluster, families living and flying at speed, the engine
    Demo(demo::Demo),
    /// The service, against the Kafka of the configuration
    Run(run::Run),
    /// Make the topics, or compare them with what is wanted
    #[command(subcommand)]
    Topics(topics::Topics),
    /// The core over a file of records: recommendations as JSON lines; or a topic played into another
    Replay(replay::Replay),
    /// Write the input topics into a file that `zoner replay` reads
    Record(record::RecordTopics),
    /// Where two topics or files of recommendations differ
    Diff(diff::Diff),
    /// What could not be used: look at it, write it back
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
    /// What a running service knows of its travellers
    #[command(subcommand)]
    State(state::State),
    /// Families with known true body clocks, to a file or to Kafka
    Simulate(simulate::Simulate),
    /// What can be measured without Kafka
    #[command(subcommand)]
    Evaluate(evaluate::Evaluate),
    /// The JSON Schema of an activity or a topic's records
    Schema(schema::Schema),
    /// A model of the body clock over a light schedule: its states by the hour, or its CBTmin and DLMO times
    Clock(clock::Clock),
    /// The parameters in force, each with its source
    Models(models::Models),
}

/// What every command that talks to Kafka understands.
#[derive(Clone, Debug, Args)]
pub struct Connection {
    /// Configuration file [default: zoner.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Bootstrap servers (overrides kafka.brokers)
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,
    /// Before every topic and group name (overrides topics.prefix)
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Demo(command) => demo::run(&command),
        Command::Run(command) => run::run(&command),
        Command::Topics(command) => topics::run(&command),
        Command::Replay(command) => replay::run(&command),
        Command::Record(command) => record::run(&command),
        Command::Diff(command) => return difference(diff::run(&command)),
        Command::DeadLetters(command) => dead_letters::run(&command),
        Command::State(command) => state::run(&command),
        Command::Simulate(command) => simulate::run(&command),
        Command::Evaluate(command) => evaluate::run(&command),
        Command::Schema(command) => schema::run(&command),
        Command::Clock(command) => clock::run(&command),
        Command::Models(command) => models::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if common::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn difference(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Before its end it prints nothing but differences.
        Err(error) if common::is_closed_pipe(&error) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
