//! `zoner replay --from-topic T --to-topic U`: a topic played again into another, for a version under test.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;

use super::copy_target::{Target, refuse_another_kind, refuse_live_target, role_of};
use super::start::{From, offsets_text};
use super::{Connection, common};
use crate::copy::{MadeAgain, Merge, Speed, target_partition};
use crate::engine::placement::Placement;
use crate::engine::record::{Received, Topic};
use crate::event::encode;
use crate::kafka::scan::{Scan, Step};
use crate::kafka::writer::{Outgoing, Writer};
use crate::units::UtcMillis;

/// Of one partition, before it is told to wait for the others.
const HELD_AT_MOST: usize = 1_000;

/// Records after which what was sent is waited for, so that an error says how far it is certain.
const CONFIRMED_EVERY: u64 = 100_000;

const FLUSH: Duration = Duration::from_secs(60);

/// A wait is told when it is long enough for somebody to wonder.
const WONDER: Duration = Duration::from_secs(3);

/// How often it is told where there is no bar.
const TOLD_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(next_help_heading = "From a topic to a topic")]
pub struct ReplayTopic {
    /// Copy this topic, up to its present end, with keys, stamps, headers and (where there are as many) partitions
    #[arg(long, value_name = "TOPIC", requires = "to_topic", conflicts_with_all = ["until", "state", "dead_letters", "batch"])]
    pub from_topic: Option<String>,
    /// Into this one
    #[arg(long, value_name = "TOPIC", requires = "from_topic")]
    to_topic: Option<String>,
    #[command(flatten)]
    from: From,
    /// So many seconds of the records in a second, or `max` [default: 1, as they came]
    #[arg(long, value_name = "TIMES", value_parser = speed, requires = "from_topic")]
    speed: Option<Speed>,
    /// Leave out what the version under test makes anew (flight updates, watches), and what lay in another partition than its
    /// household's or flight's: its forwarded copy stands for it. Ticks take their places, so that time goes the same way
    #[arg(long, requires = "from_topic")]
    outside_only: bool,
    /// Give the records the present time, instead of their own
    #[arg(long, requires = "from_topic")]
    restamp: bool,
    /// Write even into an input of the configured installation, or an output of any
    #[arg(long, requires = "from_topic")]
    into_live: bool,
    #[command(flatten)]
    connection: Connection,
}

fn speed(text: &str) -> Result<Speed, String> {
    Speed::parse(text).ok_or_else(|| "expected a number above 0, or max".to_owned())
}

pub fn run(command: &ReplayTopic) -> anyhow::Result<()> {
    common::start_logging("warn");
    let (Some(source), Some(target)) = (&command.from_topic, &command.to_topic) else {
        bail!("--from-topic and --to-topic go together");
    };
    let config = common::configuration(&command.connection)?;
    let cluster = config.cluster();
    if source == target {
        bail!("--from-topic and --to-topic are both {source}: it would never end");
    }
    refuse_live_target(&config, target, command.into_live)?;
    refuse_another_kind(source, target)?;
    let target_topic = Target::find(&cluster, target, command.restamp, command.into_live)?;
    let scan = Scan::open(&cluster, "replay", source, &command.from.start())?;
    let outside_of = |topic: Topic| MadeAgain::of(topic, scan.partitions(), cluster.placement);
    let made_again = match (command.outside_only, role_of(source)) {
        (false, _) => None,
        (true, Some(topic)) => Some(outside_of(topic)),
        (true, None) => bail!("--outside-only is for topics whose names end with user_activity or flight_status"),
    };
    let bar = common::progress(scan.length(), "offsets{msg}");
    let mut copy = Copy {
        speed: command.speed.unwrap_or(Speed::Times(1.0)),
        made_again,
        placement: cluster.placement,
        writer: Writer::plain(&cluster, "replay")?,
        begun: None,
        positions: scan.starts(),
        confirmed: scan.starts(),
        copied: 0,
        left_out: 0,
        total: scan.length(),
        last: None,
        told: None,
        scan,
        target: target_topic,
        bar,
    };
    let stop = common::stop_flag()?;
    let started = Instant::now();
    let result = copy.run(&stop).and_then(|()| Ok(copy.writer.flush(FLUSH)?));
    copy.bar.finish_and_clear();
    if let Err(error) = result {
        let confirmed = std::mem::take(&mut copy.confirmed);
        return Err(error).with_context(|| {
            format!(
                "{}; some of the last records may be written already. To go on from where it is certain:\n  {}",
                copy.how_far(),
                command_from(&confirmed)
            )
        });
    }
    if stop.is_set() {
        bail!("interrupted: {}, all of them written. To go on:\n  {}", copy.how_far(), command_from(&copy.positions));
    }
    let left_out =
        if copy.left_out > 0 { format!(", {} of Zoner's own left out", copy.left_out) } else { String::new() };
    eprintln!(
        "{} records from {source} to {target} in {:.1} s{left_out}",
        copy.copied,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

struct Copy {
    speed: Speed,
    made_again: Option<MadeAgain>,
    placement: Placement,
    scan: Scan,
    target: Target,
    writer: Writer,
    /// When the first record was sent, and its stamp.
    begun: Option<(Instant, UtcMillis)>,
    /// Where each partition would go on.
    positions: BTreeMap<i32, i64>,
    /// The same, where everything before is known to be written.
    confirmed: BTreeMap<i32, i64>,
    copied: u64,
    left_out: u64,
    total: u64,
    last: Option<UtcMillis>,
    /// When a wait was told last, where there is no bar.
    told: Option<Instant>,
    bar: ProgressBar,
}

impl Copy {
    fn run(&mut self, stop: &common::StopFlag) -> anyhow::Result<()> {
        match self.speed {
            Speed::Max => self.as_they_come(stop),
            Speed::Times(_) => self.in_their_time(stop),
        }
    }

    fn as_they_come(&mut self, stop: &common::StopFlag) -> anyhow::Result<()> {
        while !stop.is_set() {
            match self.scan.next(Duration::from_millis(100))? {
                Step::Record(record) => self.send(&record)?,
                Step::Nothing => self.confirm(),
                Step::End => break,
            }
        }
        Ok(())
    }

    fn in_their_time(&mut self, stop: &common::StopFlag) -> anyhow::Result<()> {
        let mut merge = Merge::default();
        let mut ended = false;
        while !stop.is_set() {
            let next = merge.next(self.scan.partitions(), |partition| ended || self.scan.is_done(partition));
            let wait = next.map_or(Duration::MAX, |(_, stamp)| self.wait(stamp));
            if let Some((partition, _)) = next.filter(|_| wait.is_zero()) {
                if let Some(record) = merge.pop(partition) {
                    self.send(&record)?;
                }
                if merge.held(partition) < HELD_AT_MOST / 2 {
                    self.scan.hold(partition, false)?;
                }
                continue;
            }
            if next.is_none() && ended {
                break;
            }
            self.confirm();
            if next.is_some() {
                self.tell_wait(wait);
            }
            let wait = wait.min(Duration::from_millis(100));
            match self.scan.next(wait)? {
                Step::Record(record) => {
                    let partition = record.partition;
                    merge.push(record);
                    if merge.held(partition) >= HELD_AT_MOST {
                        self.scan.hold(partition, true)?;
                    }
                }
                Step::Nothing => {}
                Step::End if ended => std::thread::sleep(wait),
                Step::End => ended = true,
            }
        }
        Ok(())
    }

    /// How long until a record of this stamp is due.
    fn wait(&self, stamp: UtcMillis) -> Duration {
        let Some((begun, first)) = self.begun else { return Duration::ZERO };
        self.speed.due(first, stamp).map_or(Duration::ZERO, |due| due.saturating_sub(begun.elapsed()))
    }

    /// At the records' own speed there may be minutes between two of them.
    fn tell_wait(&mut self, wait: Duration) {
        if wait < WONDER {
            self.bar.set_message("");
            return;
        }
        let next = format!("next record in {}", common::in_words(wait));
        if !self.bar.is_hidden() {
            self.bar.set_message(format!(", {next}"));
        } else if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.told = Some(Instant::now());
            eprintln!("{}; {next}", self.how_far());
        }
    }

    fn send(&mut self, record: &Received) -> anyhow::Result<()> {
        if self.begun.is_none() {
            self.target.check_age(record.stamp)?;
            self.begun = Some((Instant::now(), record.stamp));
        }
        let (from, to) = (self.scan.partitions(), self.target.partitions);
        let stamp = self.target.keeps_stamps.then_some(record.stamp);
        let partition = Some(target_partition(record, from, to, self.placement));
        if self.made_again.as_ref().is_some_and(|made_again| made_again.includes(record)) {
            self.left_out += 1;
            if from == to {
                let tick = encode::tick(record.stamp);
                self.writer.send(&Outgoing {
                    topic: &self.target.name,
                    partition,
                    stamp,
                    key: None,
                    value: Some(&tick),
                    headers: &[],
                })?;
            }
        } else {
            self.writer.send(&Outgoing {
                topic: &self.target.name,
                partition,
                stamp,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &record.headers,
            })?;
            self.copied += 1;
        }
        self.positions.insert(record.partition, record.offset + 1);
        self.last = Some(record.stamp);
        self.bar.inc(1);
        if (self.copied + self.left_out).is_multiple_of(CONFIRMED_EVERY) {
            self.writer.flush(FLUSH)?;
            self.confirm();
        }
        Ok(())
    }

    /// Notes how far everything is written, if nothing is under way.
    fn confirm(&mut self) {
        if self.confirmed != self.positions && self.writer.is_idle() && self.writer.check().is_ok() {
            self.confirmed.clone_from(&self.positions);
        }
    }

    fn how_far(&self) -> String {
        let at = self.last.map_or(String::new(), |stamp| format!(", the last of {stamp}"));
        format!("{} of some {} records copied{at}", self.copied, self.total)
    }
}

/// This command line, with another beginning.
fn command_from(positions: &BTreeMap<i32, i64>) -> String {
    let mut words = vec!["zoner".to_owned()];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--since" || argument == "--from-offset" {
            arguments.next();
        } else if !argument.starts_with("--since=") && !argument.starts_with("--from-offset=") {
            words.push(quoted(&argument));
        }
    }
    words.push(format!("--from-offset {}", offsets_text(positions)));
    words.join(" ")
}

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:,=@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn the_command_to_go_on_with_survives_a_shell() {
        assert_eq!(quoted("--from-topic=user_activity"), "--from-topic=user_activity");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
    }
}
