//! `zoner replay FILE|-`. What it does between topics is in `replay_topic`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::DateTime;
use clap::Args;

use super::common;
use super::replay_topic::{self, ReplayTopic};
use crate::event::dead_letter::DeadLetter;
use crate::event::line::{Line, OwnedRecord, UNTIMED, parse_line};
use crate::event::recommendation::Recommendation;
use crate::replay::{Listener, Replay as Player};
use crate::units::UtcMillis;

/// Plays records through the core, as fast as it goes. Recommendations come as JSON lines as soon as they are made.
///
/// With --from-topic and --to-topic instead of a file, a topic is played into another one, for a version under test.
#[derive(Debug, Args)]
#[command(
    override_usage = "zoner replay [OPTIONS] <FILE>\n       zoner replay --from-topic <TOPIC> --to-topic <TOPIC> [OPTIONS]"
)]
pub struct Replay {
    /// Lines {"topic","key","timestamp","value"}, or bare activities and flight statuses; `-` reads standard input
    #[arg(required_unless_present = "from_topic", conflicts_with_all = ["from_topic", "since", "from_offset", "brokers", "prefix", "config"])]
    file: Option<PathBuf>,
    /// Let time run on to TIME after the last line
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<UtcMillis>,
    /// At the end, everybody's estimate and plan, a line each
    #[arg(long)]
    state: bool,
    /// Where records go that can't be used [default: standard error]
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// Records between commits: changes no output
    #[arg(long, value_name = "RECORDS", default_value_t = 1_000, hide = true)]
    batch: usize,
    #[command(flatten)]
    topics: ReplayTopic,
}

/// Bytes. No topic has records of that size, and whatever has such lines would fill the memory.
const LONGEST_LINE: u64 = 64 << 20;

/// What some editors put at the top of a text file.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

fn time(text: &str) -> Result<UtcMillis, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| UtcMillis(time.timestamp_millis()))
        .map_err(|_| "expected an RFC 3339 time, e.g. 2026-12-04T18:00:00Z".to_owned())
}

pub fn run(command: &Replay) -> anyhow::Result<()> {
    match &command.file {
        Some(file) => play(command, file),
        None => replay_topic::run(&command.topics),
    }
}

fn play(command: &Replay, file: &Path) -> anyhow::Result<()> {
    let dead_letters: Box<dyn Write> = match &command.dead_letters {
        Some(path) => {
            Box::new(BufWriter::new(File::create(path).with_context(|| format!("creating {}", path.display()))?))
        }
        None => Box::new(std::io::stderr()),
    };
    let mut output = Lines { output: std::io::stdout().lock(), dead_letters };
    let (mut input, length): (Box<dyn BufRead>, u64) = if file.as_os_str() == "-" {
        (Box::new(std::io::stdin().lock()), 0)
    } else {
        let opened = File::open(file).with_context(|| format!("reading {}", file.display()))?;
        let length = opened.metadata().map_or(0, |metadata| metadata.len());
        (Box::new(BufReader::with_capacity(1 << 20, opened)), length)
    };
    let bar = if length > 0 { common::progress(length, "bytes") } else { indicatif::ProgressBar::hidden() };

    let mut player = Player::new(command.batch);
    let mut previous: Option<UtcMillis> = None;
    // Lines at the top of a file that say no time wait for the first that does.
    let mut untimed: Vec<OwnedRecord> = Vec::new();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let mut limited = (&mut input).take(LONGEST_LINE);
        if limited.read_until(b'\n', &mut line).with_context(|| format!("reading {}", file.display()))? == 0 {
            break;
        }
        number += 1;
        if line.len() as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
            bail!("{}: line {number} has more than {LONGEST_LINE} bytes: that is no record", file.display());
        }
        bar.inc(line.len() as u64);
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let record = match parse_line(&line, number, previous) {
            Ok(Line::Record(record)) => record,
            Ok(Line::Recording(header)) if previous.is_none() && untimed.is_empty() => {
                player.begin_recording(header);
                continue;
            }
            Ok(Line::Recording(_)) => {
                bail!("{}: line {number}: a recording's header stands at the top of the file", file.display())
            }
            Err(error) => bail!("{}: {error}", file.display()),
        };
        if record.stamp == UNTIMED {
            untimed.push(record);
            continue;
        }
        previous = Some(record.stamp);
        for mut waiting in untimed.drain(..) {
            waiting.stamp = record.stamp;
            player.play(&waiting, &mut output)?;
        }
        player.play(&record, &mut output)?;
    }
    // Nothing in the file says what time it is: the epoch is as good as any other.
    for mut waiting in untimed.drain(..) {
        waiting.stamp = command.until.unwrap_or(UtcMillis(0));
        player.play(&waiting, &mut output)?;
    }
    if let Some(until) = command.until {
        if let Some(last) = previous.filter(|last| *last > until) {
            eprintln!("--until {until} is before the last line ({last}): time had passed it already");
        }
        player.run_until(until, &mut output)?;
    }
    bar.finish_and_clear();
    if command.state {
        for estimate in player.estimates() {
            serde_json::to_writer(&mut output.output, &estimate)?;
            output.output.write_all(b"\n")?;
        }
    }
    output.output.flush()?;
    output.dead_letters.flush()?;
    Ok(())
}

struct Lines<O: Write> {
    output: O,
    dead_letters: Box<dyn Write>,
}

impl<O: Write> Listener for Lines<O> {
    fn recommendation(&mut self, recommendation: &Recommendation) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.output, recommendation)?;
        self.output.write_all(b"\n")?;
        self.output.flush()
    }

    fn dead_letter(&mut self, letter: &DeadLetter) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.dead_letters, letter)?;
        self.dead_letters.write_all(b"\n")
    }
}
