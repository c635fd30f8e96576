//! `zoner dead-letters redrive`.
//!
//! Records and the receipt that they were written back are one transaction, and only one run at a time can commit: a
//! second fences the first before it reads what was done. So no letter is written back twice, whatever the filters of
//! the runs, and however they ended (docs/decisions/0006).

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use super::{Wanted, by_count};
use crate::cli::start::From;
use crate::cli::{Connection, common};
use crate::dead_letters::{Entry, Filter, Letter, Receipts, Stays, destination, receipt, redriven_headers};
use crate::engine::placement::Placement;
use crate::engine::record::{Received, Topic};
use crate::kafka::Cluster;
use crate::kafka::scan::{Scan, Step};
use crate::kafka::topics::Topics;
use crate::kafka::writer::{Outgoing, WriteError, Writer};

/// Records of a transaction: the receipt that names them stays a small record.
const TRANSACTION: usize = 500;

/// Writes letters back as they were received, to the partition of their key, marked by a header `zoner.redriven`. A
/// record that is refused again is a new letter with that mark, and stays.
#[derive(Debug, Args)]
pub struct Redrive {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    wanted: Wanted,
    /// Write back at most so many, oldest first
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Write back, once more, what was refused again
    #[arg(long)]
    again: bool,
}

pub fn run(command: &Redrive) -> anyhow::Result<()> {
    common::start_logging("warn");
    let cluster = common::configuration(&command.connection)?.cluster();
    let letters = cluster.dead_letters();
    let targets = Targets::find(&cluster)?;
    // Before anything is read: what another run commits after this would not be seen.
    let writer = if command.dry_run {
        None
    } else {
        Some(Writer::transactional(&cluster, "redrive").context("beginning to write")?)
    };
    let mut scan = Scan::open(&cluster, "redrive", &letters, &command.from.start())?;
    let mut receipts = Receipts::default();
    scan.read_all(|record| {
        receipts.note(&record);
        Ok(())
    })?;
    scan.rewind()?;

    let stop = common::stop_flag()?;
    let bar =
        if command.dry_run { indicatif::ProgressBar::hidden() } else { common::progress(scan.length(), "offsets") };
    let mut run = Run {
        prefix: cluster.prefix,
        filter: command.wanted.filter(),
        receipts,
        again: command.again,
        targets,
        letters_topic: letters,
        say: if command.dry_run { Some(Say::new()) } else { None },
        pending: Vec::new(),
        redriven: 0,
        committed: 0,
        counts: BTreeMap::new(),
        stays: BTreeMap::new(),
    };
    while !stop.is_set() && command.limit.is_none_or(|limit| run.redriven < limit) {
        match scan.next(Duration::from_millis(100))? {
            Step::Record(record) => {
                bar.inc(1);
                run.take(record)?;
            }
            Step::Nothing => {}
            Step::End => break,
        }
        if run.pending.len() >= TRANSACTION {
            run.write(writer.as_ref())?;
        }
    }
    run.write(writer.as_ref())?;
    bar.finish_and_clear();
    run.finish(command.dry_run, stop.is_set())
}

/// The input topics, as they are now.
struct Targets {
    topics: Vec<(Topic, String, i32)>,
    placement: Placement,
}

impl Targets {
    fn find(cluster: &Cluster) -> anyhow::Result<Targets> {
        let admin = Topics::connect(cluster)?;
        let mut topics = Vec::new();
        for topic in [Topic::UserActivity, Topic::FlightStatus] {
            let name = cluster.topic(topic);
            let Some(partitions) = admin.partitions(&name)? else {
                bail!("topic {name} does not exist: --prefix says which installation is meant");
            };
            topics.push((topic, name, partitions));
        }
        Ok(Targets { topics, placement: cluster.placement })
    }
}

struct Run {
    /// Of the installation's topics.
    prefix: String,
    filter: Filter,
    receipts: Receipts,
    again: bool,
    targets: Targets,
    letters_topic: String,
    say: Option<Say>,
    /// Letters of the next transaction, with the place of their target and their partition there.
    pending: Vec<(Received, usize, i32)>,
    redriven: u64,
    committed: u64,
    counts: BTreeMap<String, u64>,
    stays: BTreeMap<Stays, u64>,
}

impl Run {
    fn take(&mut self, record: Received) -> anyhow::Result<()> {
        let Entry::Letter(letter) = Entry::of(&record, &self.prefix) else { return Ok(()) };
        if !self.filter.takes(&letter) {
            return Ok(());
        }
        let place = destination(&letter, &self.receipts, self.again).and_then(|to| {
            let index = self.targets.topics.iter().position(|(topic, ..)| *topic == to.topic);
            let index = index.ok_or(Stays::UnknownTopic)?;
            let partitions = self.targets.topics[index].2;
            Ok((index, to.partition(record.key.as_deref(), self.targets.placement, partitions)))
        });
        if let Some(say) = &mut self.say {
            let to = place.map(|(index, partition)| (self.targets.topics[index].1.as_str(), partition));
            say.one(&letter, to)?;
        }
        match place {
            Err(why) => *self.stays.entry(why).or_default() += 1,
            Ok((index, partition)) => {
                *self.counts.entry(letter.code.to_owned()).or_default() += 1;
                self.redriven += 1;
                self.pending.push((record, index, partition));
            }
        }
        Ok(())
    }

    /// Writes what is pending, with its receipts. Without a writer nothing is written.
    fn write(&mut self, writer: Option<&Writer>) -> anyhow::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let (Some(writer), false) = (writer, pending.is_empty()) else { return Ok(()) };
        let result = self.transaction(writer, &pending);
        if let Err(error) = result {
            if !matches!(error, WriteError::Fenced(_)) {
                // Failing too: the broker ends it by itself.
                let _ = writer.abort();
            }
            return Err(error).with_context(|| {
                format!(
                    "{} records were written back; whether the next {} were is not known. Run the command again: what \
                     was written is not written twice",
                    self.committed,
                    pending.len()
                )
            });
        }
        self.committed += pending.len() as u64;
        Ok(())
    }

    fn transaction(&self, writer: &Writer, pending: &[(Received, usize, i32)]) -> Result<(), WriteError> {
        writer.begin()?;
        let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for (record, index, partition) in pending {
            let Entry::Letter(letter) = Entry::of(record, &self.prefix) else { continue };
            let headers = redriven_headers(&letter, &self.letters_topic);
            writer.send(&Outgoing {
                topic: &self.targets.topics[*index].1,
                partition: Some(*partition),
                stamp: Some(letter.timestamp),
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers,
            })?;
            offsets.entry(record.partition).or_default().push(record.offset);
        }
        for (partition, offsets) in &offsets {
            let headers = receipt(offsets);
            writer.send(&Outgoing {
                topic: &self.letters_topic,
                partition: Some(*partition),
                stamp: None,
                key: None,
                value: None,
                headers: &headers,
            })?;
        }
        writer.commit()
    }

    fn finish(mut self, dry_run: bool, stopped: bool) -> anyhow::Result<()> {
        if let Some(say) = &mut self.say {
            say.output.flush()?;
        }
        let verb = if dry_run { "would be written back" } else { "written back" };
        let codes: BTreeMap<&str, u64> = self.counts.iter().map(|(code, count)| (code.as_str(), *count)).collect();
        match self.redriven {
            0 => eprintln!("nothing {}", if dry_run { "would be written back" } else { "to write back" }),
            count => eprintln!("{count} {verb}: {}", by_count(&codes, str::to_owned)),
        }
        for (why, count) in &self.stays {
            eprintln!("{count} not: {}", why.as_str());
        }
        if stopped {
            bail!("interrupted: run the command again to go on, nothing is written twice");
        }
        Ok(())
    }
}

/// What a dry run says of each letter.
struct Say {
    output: BufWriter<std::io::Stdout>,
    as_text: bool,
}

impl Say {
    fn new() -> Say {
        let stdout = std::io::stdout();
        Say { as_text: stdout.is_terminal(), output: BufWriter::new(stdout) }
    }

    fn one(&mut self, letter: &Letter<'_>, to: Result<(&str, i32), Stays>) -> std::io::Result<()> {
        let (partition, offset) = (letter.record.partition, letter.record.offset);
        if self.as_text {
            return match to {
                Ok((topic, target)) => {
                    writeln!(self.output, "{partition}/{offset} {} to {topic} partition {target}", letter.code)
                }
                Err(why) => writeln!(self.output, "{partition}/{offset} {} stays: {}", letter.code, why.as_str()),
            };
        }
        let mut line = json!({ "partition": partition, "offset": offset, "code": letter.code });
        match to {
            Ok((topic, target)) => line["to"] = json!({ "topic": topic, "partition": target }),
            Err(why) => line["stays"] = why.as_str().into(),
        }
        writeln!(self.output, "{line}")
    }
}
