//! `zoner diff A B`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek as _, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use super::{Connection, common};
use crate::diff::{Difference, Said, SecondPass, Side, Tally, Traveller};
use crate::kafka::Cluster;
use crate::kafka::scan::{Scan, Start, Step};

/// Tells where two topics or files of recommendations differ, traveller by traveller: said by one only, or said by both
/// for the same cause with another content. Where in the log a cause stood makes no difference.
///
/// The exit code is 0 where they agree, 1 where they differ, 2 where they could not be compared.
#[derive(Debug, Args)]
pub struct Diff {
    /// A file of JSON lines as `zoner replay` writes them, or topic:NAME
    #[arg(value_parser = source)]
    a: Source,
    /// What it is compared with: a file or topic:NAME
    #[arg(value_parser = source)]
    b: Source,
    /// Differences and summary as JSON lines
    #[arg(long)]
    json: bool,
    /// Only the summary
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Debug)]
enum Source {
    Topic(String),
    File(PathBuf),
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn source(text: &str) -> Result<Source, String> {
    Ok(match text.strip_prefix("topic:") {
        Some(name) => Source::Topic(name.to_owned()),
        None => Source::File(PathBuf::from(text)),
    })
}

/// Returns whether they agree.
pub fn run(command: &Diff) -> anyhow::Result<bool> {
    common::start_logging("warn");
    let cluster = match (&command.a, &command.b) {
        (Source::File(_), Source::File(_)) => None,
        _ => Some(common::configuration(&command.connection)?.cluster()),
    };
    // A topic holds no estimates: those of a file have nothing to be compared with.
    let with_estimates = cluster.is_none();
    let mut a = Reader::open(&command.a, "diff-a", cluster.as_ref())?;
    let mut b = Reader::open(&command.b, "diff-b", cluster.as_ref())?;

    let mut tally = Tally::default();
    let mut totals = [0_u64; 2];
    each(&mut a, &mut b, with_estimates, |side, said| {
        totals[side as usize] += 1;
        tally.add(side, &said);
        Ok(true)
    })?;
    let mut report = Report {
        output: BufWriter::new(std::io::stdout().lock()),
        as_json: command.json,
        is_quiet: command.quiet,
        totals,
        travellers: tally.travellers(),
        travellers_that_differ: 0,
        only: [0, 0],
        different: 0,
    };
    let mut second: SecondPass = tally.second_pass();
    if !second.is_over() {
        a.rewind()?;
        b.rewind()?;
        each(&mut a, &mut b, with_estimates, |side, said| {
            if let Some((traveller, differences)) = second.hear(side, said) {
                report.tell(&traveller, &differences)?;
            }
            Ok(!second.is_over())
        })?;
        if !second.is_over() {
            bail!("one of them changed while it was read");
        }
    }
    report.finish()
}

/// Hands out both sides in turn, so that neither runs far ahead of the other, until `take` has heard enough.
fn each(
    a: &mut Reader,
    b: &mut Reader,
    with_estimates: bool,
    mut take: impl FnMut(Side, Said) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut open = [true, true];
    while open != [false, false] {
        for (side, reader) in [(Side::A, &mut *a), (Side::B, &mut *b)] {
            if !open[side as usize] {
                continue;
            }
            match reader.next()? {
                Some(said) if said.is_estimate && !with_estimates => {}
                Some(said) => {
                    if !take(side, said)? {
                        return Ok(());
                    }
                }
                None => open[side as usize] = false,
            }
        }
    }
    Ok(())
}

enum Reader {
    Topic(Box<Scan>),
    File { path: PathBuf, lines: BufReader<File>, number: u64, line: Vec<u8> },
}

impl Reader {
    fn open(source: &Source, role: &str, cluster: Option<&Cluster>) -> anyhow::Result<Reader> {
        match (source, cluster) {
            (Source::Topic(name), Some(cluster)) => {
                Ok(Reader::Topic(Box::new(Scan::open(cluster, role, name, &Start::Beginning)?)))
            }
            (Source::Topic(name), None) => bail!("topic:{name}: no cluster is configured"),
            (Source::File(path), _) => {
                let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
                let metadata = file.metadata().with_context(|| format!("reading {}", path.display()))?;
                if !metadata.is_file() {
                    bail!("{} can't be read twice: write it into a file first", path.display());
                }
                let lines = BufReader::with_capacity(1 << 20, file);
                Ok(Reader::File { path: path.clone(), lines, number: 0, line: Vec::new() })
            }
        }
    }

    fn rewind(&mut self) -> anyhow::Result<()> {
        match self {
            Reader::Topic(scan) => scan.rewind()?,
            Reader::File { path, lines, number, .. } => {
                *number = 0;
                lines.rewind().with_context(|| format!("reading {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn next(&mut self) -> anyhow::Result<Option<Said>> {
        match self {
            Reader::Topic(scan) => loop {
                match scan.next(Duration::from_millis(100))? {
                    Step::Record(record) => {
                        let value = record.value.as_deref().unwrap_or_default();
                        let place =
                            || format!("{} partition {} offset {}", scan.topic(), record.partition, record.offset);
                        if let Some(said) = Said::parse(value).map_err(anyhow::Error::msg).with_context(place)? {
                            return Ok(Some(said));
                        }
                    }
                    Step::Nothing => {}
                    Step::End => return Ok(None),
                }
            },
            Reader::File { path, lines, number, line } => loop {
                line.clear();
                if lines.read_until(b'\n', line).with_context(|| format!("reading {}", path.display()))? == 0 {
                    return Ok(None);
                }
                *number += 1;
                let place = || format!("{}: line {number}", path.display());
                if let Some(said) = Said::parse(line).map_err(anyhow::Error::msg).with_context(place)? {
                    return Ok(Some(said));
                }
            },
        }
    }
}

struct Report<O: Write> {
    output: O,
    as_json: bool,
    is_quiet: bool,
    /// Of A and B.
    totals: [u64; 2],
    travellers: u64,
    travellers_that_differ: u64,
    only: [u64; 2],
    different: u64,
}

impl<O: Write> Report<O> {
    fn tell(&mut self, traveller: &Traveller, differences: &[Difference]) -> std::io::Result<()> {
        self.travellers_that_differ += 1;
        if !self.as_json && !self.is_quiet {
            writeln!(self.output, "{} in household {}", traveller.user, traveller.household)?;
        }
        for difference in differences {
            match difference {
                Difference::Only(side, _) => self.only[*side as usize] += 1,
                Difference::Differs { .. } => self.different += 1,
            }
            match (self.is_quiet, self.as_json) {
                (true, _) => {}
                (false, true) => writeln!(self.output, "{}", as_json(traveller, difference))?,
                (false, false) => self.tell_one(difference)?,
            }
        }
        Ok(())
    }

    fn tell_one(&mut self, difference: &Difference) -> std::io::Result<()> {
        let what = |said: &Said| {
            if said.is_estimate {
                "estimate".to_owned()
            } else {
                format!("{}  {}", said.text("reason"), said.text("headline"))
            }
        };
        let at = difference.issued_at();
        match difference {
            Difference::Only(side, said) => writeln!(self.output, "  {at}  only in {side:?}  {}", what(said)),
            Difference::Differs { a, fields, .. } => {
                writeln!(self.output, "  {at}  differs    {}", what(a))?;
                fields.iter().try_for_each(|field| writeln!(self.output, "      {field}"))
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<bool> {
        let [a, b] = self.totals;
        let [only_a, only_b] = self.only;
        let same = a - only_a - self.different;
        if self.as_json {
            let summary = json!({
                "a": a, "b": b, "same": same, "only_a": only_a, "only_b": only_b, "different": self.different,
                "travellers": self.travellers, "travellers_that_differ": self.travellers_that_differ,
            });
            writeln!(self.output, "{}", json!({ "summary": summary }))?;
        } else {
            writeln!(
                self.output,
                "{a} in A, {b} in B: {same} the same, {only_a} only in A, {only_b} only in B, {} different; {} of {} \
                 travellers differ",
                self.different, self.travellers_that_differ, self.travellers
            )?;
        }
        self.output.flush()?;
        Ok(self.travellers_that_differ == 0)
    }
}

fn as_json(traveller: &Traveller, difference: &Difference) -> serde_json::Value {
    let head = |kind: &str, said: &Said| {
        json!({
            "household_id": traveller.household, "user_id": traveller.user, "difference": kind,
            "at": difference.issued_at(), "reason": said.value.get("reason"), "cause": said.value.get("cause"),
        })
    };
    match difference {
        Difference::Only(Side::A, said) => {
            let mut line = head("only_a", said);
            line["a"] = said.value.clone();
            line
        }
        Difference::Only(Side::B, said) => {
            let mut line = head("only_b", said);
            line["b"] = said.value.clone();
            line
        }
        Difference::Differs { a, fields, .. } => {
            let mut line = head("different", a);
            line["fields"] = fields
                .iter()
                .map(|field| json!({ "field": field.name, "a": field.a, "b": field.b }))
                .collect::<serde_json::Value>();
            line
        }
    }
}
