//! `zoner topics create|check`.

use std::io::Write as _;

use anyhow::bail;
use clap::{Args, Subcommand};

use super::Connection;
use super::common;
use crate::kafka::topics::{Creation, Finding, Topics as Admin, wanted};

#[derive(Debug, Subcommand)]
pub enum Topics {
    /// Make what is missing; refuse to touch what differs
    Create(Create),
    /// Say what is missing or differs; exit code 1 if anything does
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    connection: Connection,
    /// Partitions of the input topics (overrides topics.partitions)
    #[arg(long)]
    partitions: Option<i32>,
    /// Replication factor (overrides topics.replication)
    #[arg(long)]
    replication: Option<i32>,
    /// Inputs stamped by their producers: for replays and simulations
    #[arg(long)]
    create_time: bool,
    /// Set what is wanted on topics that differ
    #[arg(long)]
    alter: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    connection: Connection,
    /// Inputs are meant to be stamped by their producers
    #[arg(long)]
    create_time: bool,
}

pub fn run(command: &Topics) -> anyhow::Result<()> {
    common::start_logging("warn");
    let runtime = common::runtime()?;
    match command {
        Topics::Create(create) => runtime.block_on(create_topics(create)),
        Topics::Check(check) => runtime.block_on(check_topics(check)),
    }
}

async fn create_topics(command: &Create) -> anyhow::Result<()> {
    let mut config = common::configuration(&command.connection)?;
    config.topics.partitions = command.partitions.unwrap_or(config.topics.partitions);
    config.topics.replication = command.replication.unwrap_or(config.topics.replication);
    config.check()?;
    let cluster = config.cluster();
    let admin = Admin::connect(&cluster)?;
    let wanted = wanted(&cluster, &config.layout(command.create_time));
    let findings = admin.check(&wanted).await?;
    let mut refused = Vec::new();
    for topic in &wanted {
        let mut own: Vec<Finding> = findings.iter().filter(|finding| about(finding) == topic.name).cloned().collect();
        if own.iter().any(|finding| matches!(finding, Finding::Missing { .. })) {
            if admin.create(topic, config.topics.replication).await? == Creation::Made {
                tell(&format!("{} created with {} partitions", topic.name, topic.partitions));
                continue;
            }
            // Another run of this command, perhaps with other wishes.
            own = admin.check(std::slice::from_ref(topic)).await?;
        }
        if own.is_empty() {
            match admin.partitions(&topic.name)? {
                // Readers of an output may want another number of partitions than the inputs have.
                Some(partitions) if partitions != topic.partitions => {
                    tell(&format!("{} is as wanted ({partitions} partitions: any number will do)", topic.name));
                }
                _ => tell(&format!("{} is as wanted", topic.name)),
            }
        } else if command.alter && !own.iter().any(|finding| matches!(finding, Finding::Partitions { .. })) {
            admin.alter(topic).await?;
            tell(&format!("{} altered", topic.name));
        } else {
            refused.extend(own.iter().map(ToString::to_string));
        }
    }
    if !refused.is_empty() {
        bail!(
            "{}\nnothing of that was touched: --alter changes settings; a partition count can't be changed under states \
             that lie by it",
            refused.join("\n")
        );
    }
    Ok(())
}

async fn check_topics(command: &Check) -> anyhow::Result<()> {
    let config = common::configuration(&command.connection)?;
    let cluster = config.cluster();
    let findings = Admin::connect(&cluster)?.check(&wanted(&cluster, &config.layout(command.create_time))).await?;
    if findings.is_empty() {
        tell("all topics are as wanted");
        return Ok(());
    }
    bail!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn about(finding: &Finding) -> &str {
    match finding {
        Finding::Missing { topic } | Finding::Partitions { topic, .. } | Finding::Setting { topic, .. } => topic,
    }
}

/// Who reads this may be gone (`zoner topics create | head`): topics are made all the same.
fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
