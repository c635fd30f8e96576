//! `zoner dead-letters list`.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufWriter, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{Wanted, by_count};
use crate::cli::start::From;
use crate::cli::{Connection, common};
use crate::dead_letters::{Entry, Filter, Letter, Receipts};
use crate::engine::record::Received;
use crate::event::line::{bytes_json, headers_json};
use crate::kafka::scan::{Scan, Step};

/// Shows the dead letters from the beginning, or from where a flag says, to their present end.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    wanted: Wanted,
    /// Only the last so many
    #[arg(long, value_name = "NUMBER", conflicts_with = "follow")]
    limit: Option<usize>,
    /// Go on with what arrives, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// JSON lines on a terminal too
    #[arg(long)]
    json: bool,
}

pub fn run(command: &List) -> anyhow::Result<()> {
    common::start_logging("warn");
    let cluster = common::configuration(&command.connection)?.cluster();
    let topic = cluster.dead_letters();
    let mut scan = Scan::open(&cluster, "dead-letters", &topic, &command.from.start())?;
    // What was written back is said behind the letters: read first, so that each line is whole.
    let mut receipts = Receipts::default();
    scan.read_all(|record| {
        receipts.note(&record);
        Ok(())
    })?;
    if command.follow {
        scan.follow()?;
    } else {
        scan.rewind()?;
    }
    let stop = common::stop_flag()?;
    let mut shown = Shown {
        output: BufWriter::new(std::io::stdout().lock()),
        as_table: std::io::stdout().is_terminal() && !command.json,
        prefix: cluster.prefix,
        filter: command.wanted.filter(),
        receipts,
        limit: command.limit,
        held: VecDeque::new(),
        counts: BTreeMap::new(),
        foreign: 0,
    };
    shown.heading()?;
    while !stop.is_set() {
        match scan.next(Duration::from_millis(100))? {
            Step::Record(record) => shown.take(&record)?,
            Step::Nothing => shown.output.flush()?,
            Step::End => break,
        }
    }
    shown.finish()
}

struct Shown<O: Write> {
    output: O,
    as_table: bool,
    /// Of the installation's topics.
    prefix: String,
    filter: Filter,
    receipts: Receipts,
    limit: Option<usize>,
    /// The last lines, where only those are wanted.
    held: VecDeque<String>,
    counts: BTreeMap<String, u64>,
    foreign: u64,
}

impl<O: Write> Shown<O> {
    fn heading(&mut self) -> std::io::Result<()> {
        if self.as_table {
            writeln!(self.output, "{:19}  {:16}  {:26}  {:20}  what is wrong", "arrived (UTC)", "code", "was", "key")?;
        }
        Ok(())
    }

    fn take(&mut self, record: &Received) -> std::io::Result<()> {
        self.receipts.note(record);
        let letter = match Entry::of(record, &self.prefix) {
            Entry::Letter(letter) if self.filter.takes(&letter) => letter,
            Entry::Foreign => {
                self.foreign += 1;
                return Ok(());
            }
            Entry::Letter(_) | Entry::Receipt(_) => return Ok(()),
        };
        *self.counts.entry(letter.code.to_owned()).or_default() += 1;
        let written_back = self.receipts.has(record);
        let line =
            if self.as_table { row(&letter, written_back) } else { json_line(&letter, written_back).to_string() };
        let Some(limit) = self.limit else { return writeln!(self.output, "{line}") };
        self.held.push_back(line);
        if self.held.len() > limit {
            self.held.pop_front();
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        for line in &self.held {
            writeln!(self.output, "{line}")?;
        }
        self.output.flush()?;
        let total: u64 = self.counts.values().sum();
        let codes: BTreeMap<&str, u64> = self.counts.iter().map(|(code, count)| (code.as_str(), *count)).collect();
        match total {
            0 => eprintln!("no dead letters"),
            1 => eprintln!("1 dead letter: {}", by_count(&codes, str::to_owned)),
            _ => eprintln!("{total} dead letters: {}", by_count(&codes, str::to_owned)),
        }
        if self.foreign > 0 {
            eprintln!("{} records in the topic are not Zoner's", self.foreign);
        }
        Ok(())
    }
}

fn row(letter: &Letter<'_>, written_back: bool) -> String {
    let stamp = letter.timestamp.to_rfc3339();
    let was = format!("{}/{}/{}", letter.topic, letter.partition, letter.offset);
    let key = letter.record.key.as_deref().map_or("-".to_owned(), |key| String::from_utf8_lossy(key).into_owned());
    let note = match (written_back, letter.redriven_from) {
        (true, _) => " (written back)",
        (false, Some(_)) => " (refused again)",
        (false, None) => "",
    };
    let stamp: String =
        stamp.chars().take(19).map(|character| if character == 'T' { ' ' } else { character }).collect();
    format!("{stamp}  {:16}  {was:26}  {:20}  {}{note}", letter.code, printable(&key, 20), letter.message)
}

/// At most so many characters, and none that moves the cursor.
fn printable(text: &str, width: usize) -> String {
    let clean = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    if text.chars().count() <= width {
        return text.chars().map(clean).collect();
    }
    text.chars().take(width - 1).map(clean).chain(['…']).collect()
}

fn json_line(letter: &Letter<'_>, written_back: bool) -> Value {
    let record = letter.record;
    let mut line = json!({
        "partition": record.partition,
        "offset": record.offset,
        "written_back": written_back,
        "refused_again": letter.redriven_from.is_some(),
        "error": {
            "code": letter.code,
            "message": letter.message,
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "timestamp": letter.timestamp.to_rfc3339(),
            "stage": letter.stage,
        },
    });
    if let Value::Object(line) = &mut line {
        bytes_json(line, "key", record.key.as_deref());
        bytes_json(line, "value", record.value.as_deref());
        if !letter.headers.is_empty() {
            line.insert("headers".to_owned(), headers_json(letter.headers));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_key_in_the_table_is_short_and_cannot_move_the_cursor() {
        assert_eq!(printable("household-1", 20), "household-1");
        assert_eq!(printable("\u{1b}[2J", 20), "\u{fffd}[2J");
        assert_eq!(printable("abcdefghij", 5), "abcd…");
    }
}
