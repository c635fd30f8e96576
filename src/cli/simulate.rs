//! `zoner simulate`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::DateTime;
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Connection;
use super::common;
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::record::Topic;
use crate::kafka::Cluster;
use crate::kafka::feed::Feed;
use crate::kafka::topics::Topics;
use crate::simulate::{Output, Scenario, SimulatedRecord, outputs};
use crate::units::{Span, UtcMillis};

/// Families that sleep, eat, fly and miss naps, with body clocks that are known. The same options give the same bytes.
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    connection: Connection,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    families: u32,
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// First day, RFC 3339 [default: as many days ago as are simulated, at midnight UTC]
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<UtcMillis>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Records as JSON lines, as `zoner replay` reads them; `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Write into the input topics instead, stamped with simulated time (topics made with --create-time)
    #[arg(long, conflicts_with = "output")]
    to_kafka: bool,
    /// The true time of everybody's CBTmin, as JSON lines
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

fn time(text: &str) -> Result<UtcMillis, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| UtcMillis(time.timestamp_millis()))
        .map_err(|_| "expected an RFC 3339 time, e.g. 2026-12-04T00:00:00Z".to_owned())
}

pub fn run(command: &Simulate) -> anyhow::Result<()> {
    common::start_logging("warn");
    let length = Span::days(i64::from(command.days));
    let start = command.start.unwrap_or_else(|| (SystemClock.now() - length).floor_to(Span::days(1)));
    let scenario = Scenario::new(command.families, start, start + length, command.seed);
    if command.to_kafka && scenario.end > SystemClock.now() {
        bail!("--start and --days reach into the future: brokers refuse such stamps");
    }
    let mut truth = command.truth.as_deref().map(create).transpose()?;
    let mut sink = Sink::open(command)?;
    // Progress by simulated hours: how many records a family makes is not known beforehand.
    let bar = common::progress(u64::from(command.days) * 24, "hours");
    let mut count = 0_u64;
    for output in outputs(&scenario) {
        match output {
            Output::Record(record) => {
                sink.write(&record)?;
                count += 1;
                if count.is_multiple_of(1_000) {
                    bar.set_position((record.stamp - start).as_hours().0 as u64);
                }
            }
            Output::Truth(phase) => {
                if let Some(truth) = &mut truth {
                    serde_json::to_writer(&mut *truth, &phase)?;
                    truth.write_all(b"\n")?;
                }
            }
        }
    }
    sink.finish()?;
    if let Some(mut truth) = truth {
        truth.flush()?;
    }
    bar.finish_and_clear();
    eprintln!("{count} records of {} families, {} to {}", command.families, scenario.start, scenario.end);
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("creating {}", path.display()))?))
}

enum Sink {
    Lines(Box<dyn Write>),
    Kafka(Feed),
}

#[derive(Serialize)]
struct LineOut<'a> {
    topic: &'static str,
    key: &'a str,
    timestamp: String,
    value: &'a RawValue,
}

/// Simulated people have no place in topics of real ones.
fn refuse_live_topics(cluster: &Cluster) -> anyhow::Result<()> {
    let topics = Topics::connect(cluster)?;
    let runtime = common::runtime()?;
    for topic in [Topic::UserActivity, Topic::FlightStatus] {
        let name = cluster.topic(topic);
        if topics.partitions(&name)?.is_none() {
            bail!(
                "topic {name} does not exist: `zoner topics create --create-time --prefix …` makes topics for simulations"
            );
        }
        let settings = runtime.block_on(topics.settings(&name))?;
        if settings.get("message.timestamp.type").is_none_or(|stamps| stamps != "CreateTime") {
            bail!(
                "topic {name} has its broker's time: simulations go to topics of their own (--create-time, --prefix)"
            );
        }
    }
    Ok(())
}

impl Sink {
    fn open(command: &Simulate) -> anyhow::Result<Sink> {
        if command.to_kafka {
            let cluster = common::configuration(&command.connection)?.cluster();
            refuse_live_topics(&cluster)?;
            return Ok(Sink::Kafka(Feed::connect(&cluster)?));
        }
        if command.output.as_os_str() == "-" {
            return Ok(Sink::Lines(Box::new(BufWriter::new(std::io::stdout().lock()))));
        }
        Ok(Sink::Lines(Box::new(create(&command.output)?)))
    }

    fn write(&mut self, record: &SimulatedRecord) -> anyhow::Result<()> {
        match self {
            Sink::Lines(output) => {
                let line = LineOut {
                    topic: record.topic.as_str(),
                    key: &record.key,
                    timestamp: record.stamp.to_rfc3339(),
                    value: serde_json::from_str(&record.value).context("a simulated record that is not JSON")?,
                };
                serde_json::to_writer(&mut *output, &line)?;
                output.write_all(b"\n")?;
            }
            Sink::Kafka(feed) => feed
                .send(record.topic, &record.key, &record.value, record.stamp)
                .with_context(|| format!("writing to {}", record.topic.as_str()))?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Sink::Lines(mut output) => output.flush()?,
            Sink::Kafka(feed) => feed.flush(Duration::from_secs(60)).context("writing the last records")?,
        }
        Ok(())
    }
}
