//! `zoner record`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::Connection;
use super::common;
use crate::engine::record::Topic;
use crate::event::line::RecordingHeader;
use crate::kafka::reader::TopicReader;

/// Reads `user_activity` and `flight_status` from their beginning to their present end, with partition, offset, stamp
/// and headers.
#[derive(Debug, Args)]
pub struct RecordTopics {
    #[command(flatten)]
    connection: Connection,
    /// Where to write; `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

pub fn run(command: &RecordTopics) -> anyhow::Result<()> {
    common::start_logging("warn");
    let config = common::configuration(&command.connection)?;
    let cluster = config.cluster();
    let reader = TopicReader::open(&cluster, &[Topic::UserActivity, Topic::FlightStatus])?;
    let partitions = reader.partitions(Topic::UserActivity);
    if partitions != reader.partitions(Topic::FlightStatus) {
        bail!("user_activity and flight_status have different partition counts: a recording holds one");
    }
    let mut output: Box<dyn Write> = if command.output.as_os_str() == "-" {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        let file = File::create(&command.output).with_context(|| format!("creating {}", command.output.display()))?;
        Box::new(BufWriter::new(file))
    };
    let placement = config.topics.placement;
    writeln!(output, "{}", RecordingHeader { partitions, placement }.to_line())?;
    let cut = reader.cut();
    if cut > 0 {
        eprintln!(
            "warning: {cut} partitions no longer begin at offset 0: a replay of this recording does not know what was deleted, \
             and its states and recommendations may differ from the live ones"
        );
    }
    let bar = common::progress(reader.length(), "offsets");
    let mut count = 0_u64;
    reader.read(|record| {
        count += 1;
        bar.inc(1);
        writeln!(output, "{}", record.to_line())
    })?;
    output.flush()?;
    bar.finish_and_clear();
    eprintln!("{count} records of {partitions} partitions a topic");
    Ok(())
}
