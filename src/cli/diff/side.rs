//! One side of a comparison: a topic or a file, what is read of it, and what is left out.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::diff::{NotSaid, Said};
use crate::kafka::Cluster;
use crate::kafka::scan::{Scan, Start, Step};

#[derive(Clone, Debug)]
pub enum Source {
    Topic(String),
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Topic(name) => write!(f, "topic {name}"),
            Source::File(path) => write!(f, "{}", path.display()),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
pub fn source(text: &str) -> Result<Source, String> {
    Ok(match text.strip_prefix("topic:") {
        Some(name) => Source::Topic(name.to_owned()),
        None => Source::File(PathBuf::from(text)),
    })
}

/// What one side has beside what is compared.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// Neither recommendations nor estimates.
    pub others: u64,
    /// Of a file that is compared with a topic, which holds none.
    pub estimates: u64,
    /// The first that can't be read at all: where it stands, and why.
    unreadable: Option<String>,
}

impl LeftOut {
    fn note(&mut self, why: &NotSaid, place: impl FnOnce() -> String) {
        match why {
            NotSaid::Unreadable(_) if self.unreadable.is_none() => {
                self.unreadable = Some(format!("{}: {why}", place()));
            }
            NotSaid::Unreadable(_) => {}
            NotSaid::Another => self.others += 1,
        }
    }

    /// `total`: what this side has that can be compared.
    pub fn refuse_what_is_none(&self, side: &Source, total: u64) -> anyhow::Result<()> {
        match (total, &self.unreadable) {
            (0, None) if self.others == 0 && self.estimates == 0 => Ok(()),
            (0, _) if self.estimates > 0 => {
                bail!(
                    "{side} holds estimates and no recommendation, and a topic holds no estimates to compare them with"
                )
            }
            (0, _) => bail!(
                "{side} has records, and none of them is a recommendation: it is probably not the topic or file of \
                 recommendations that was meant"
            ),
            (_, Some(unreadable)) => bail!("{unreadable}"),
            (_, None) => Ok(()),
        }
    }

    pub fn in_words(&self, side: &str) -> Vec<String> {
        let mut words = Vec::new();
        match self.others {
            0 => {}
            1 => words.push(format!("1 record in {side} was no recommendation and was left out")),
            many => words.push(format!("{many} records in {side} were no recommendations and were left out")),
        }
        match self.estimates {
            0 => {}
            1 => words.push(format!("1 estimate in {side} was left out: a topic holds none")),
            many => words.push(format!("{many} estimates in {side} were left out: a topic holds none")),
        }
        words
    }
}

/// One side.
pub struct Reader {
    lines: Lines,
    pub left_out: LeftOut,
}

enum Lines {
    Topic(Box<Scan>),
    File { path: PathBuf, lines: BufReader<File>, number: u64, line: Vec<u8> },
}

impl Reader {
    pub fn open(source: &Source, role: &str, cluster: Option<&Cluster>) -> anyhow::Result<Reader> {
        Ok(Reader { lines: Lines::open(source, role, cluster)?, left_out: LeftOut::default() })
    }

    pub fn rewind(&mut self) -> anyhow::Result<()> {
        self.lines.rewind()
    }

    pub fn next(&mut self) -> anyhow::Result<Option<Said>> {
        loop {
            let parsed = match &mut self.lines {
                Lines::Topic(scan) => match scan.next(Duration::from_millis(100))? {
                    Step::Record(record) => {
                        Said::parse(record.value.as_deref().unwrap_or_default()).inspect_err(|why| {
                            self.left_out.note(why, || {
                                format!("{} partition {} offset {}", scan.topic(), record.partition, record.offset)
                            });
                        })
                    }
                    Step::Nothing => continue,
                    Step::End => return Ok(None),
                },
                Lines::File { path, lines, number, line } => {
                    line.clear();
                    if lines.read_until(b'\n', line).with_context(|| format!("reading {}", path.display()))? == 0 {
                        return Ok(None);
                    }
                    *number += 1;
                    Said::parse(line).inspect_err(|why| {
                        self.left_out.note(why, || format!("{}: line {number}", path.display()));
                    })
                }
            };
            if let Ok(Some(said)) = parsed {
                return Ok(Some(said));
            }
        }
    }
}

impl Lines {
    fn open(source: &Source, role: &str, cluster: Option<&Cluster>) -> anyhow::Result<Lines> {
        match (source, cluster) {
            (Source::Topic(name), Some(cluster)) => {
                Ok(Lines::Topic(Box::new(Scan::open(cluster, role, name, &Start::Beginning)?)))
            }
            (Source::Topic(name), None) => bail!("topic:{name}: no cluster is configured"),
            (Source::File(path), _) => {
                let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
                let metadata = file.metadata().with_context(|| format!("reading {}", path.display()))?;
                if !metadata.is_file() {
                    bail!("{} can't be read twice: write it into a file first", path.display());
                }
                let lines = BufReader::with_capacity(1 << 20, file);
                Ok(Lines::File { path: path.clone(), lines, number: 0, line: Vec::new() })
            }
        }
    }

    fn rewind(&mut self) -> anyhow::Result<()> {
        match self {
            Lines::Topic(scan) => scan.rewind()?,
            Lines::File { path, lines, number, .. } => {
                *number = 0;
                lines.rewind().with_context(|| format!("reading {}", path.display()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said_in_words() {
        let left_out = LeftOut { others: 3, estimates: 1, unreadable: None };
        assert_eq!(
            left_out.in_words("A"),
            [
                "3 records in A were no recommendations and were left out",
                "1 estimate in A was left out: a topic holds none"
            ]
        );
        assert!(LeftOut::default().in_words("B").is_empty());
    }
}
