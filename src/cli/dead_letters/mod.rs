//! `zoner dead-letters list|redrive`.

mod list;
mod redrive;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::dead_letters::Filter;
use crate::event::rejection::Code;

#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// Show what could not be used: a table on a terminal, JSON lines otherwise; counts by code at the end
    List(list::List),
    /// Write what could not be used back to where it came from, for a version that can use it; each record once
    Redrive(redrive::Redrive),
}

/// Which letters are meant.
#[derive(Debug, Args)]
struct Wanted {
    /// Only letters of this code; may be repeated
    #[arg(long = "code", value_name = "CODE", value_parser = PossibleValuesParser::new(Code::ALL.map(Code::as_str)))]
    codes: Vec<String>,
    /// Only letters from this topic
    #[arg(long, value_name = "TOPIC", value_parser = ["user_activity", "flight_status"])]
    topic: Option<String>,
    /// Only letters with this record key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        Filter { codes: self.codes.clone(), topic: self.topic.clone(), key: self.key.clone() }
    }
}

pub fn run(command: &DeadLetters) -> anyhow::Result<()> {
    match command {
        DeadLetters::List(list) => list::run(list),
        DeadLetters::Redrive(redrive) => redrive::run(redrive),
    }
}

/// `3 bad_field, 1 not_json`, most first.
fn by_count<K: Ord + Copy>(counts: &std::collections::BTreeMap<K, u64>, name: impl Fn(K) -> String) -> String {
    let mut counts: Vec<(K, u64)> = counts.iter().map(|(key, count)| (*key, *count)).collect();
    counts.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    counts.into_iter().map(|(key, count)| format!("{count} {}", name(key))).collect::<Vec<_>>().join(", ")
}
