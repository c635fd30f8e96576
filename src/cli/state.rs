//! `zoner state dump`: what the running members know, by asking them.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum State {
    /// Everybody's estimate and plan as JSON lines, as `zoner replay --state` prints them
    Dump(Dump),
}

#[derive(Debug, Args)]
pub struct Dump {
    /// HTTP address of a member; give every member of the group
    #[arg(long = "member", value_name = "HOST:PORT", default_value = "127.0.0.1:9464")]
    members: Vec<String>,
    /// Be content with the people of these members, though others may own partitions
    #[arg(long)]
    partial: bool,
}

pub fn run(command: &State) -> anyhow::Result<()> {
    let State::Dump(dump) = command;
    let mut output = std::io::stdout().lock();
    let mut covered = Covered::default();
    for member in &dump.members {
        let body = get(member, "/v1/estimates", &mut covered)?;
        output.write_all(&body)?;
    }
    output.flush()?;
    let missing = covered.missing();
    if !missing.is_empty() && !dump.partial {
        bail!(
            "partitions {missing:?} of user_activity belong to none of these members: name every member, or wait until the \
             group is whole; --partial is content without their people"
        );
    }
    Ok(())
}

/// Whose people were told of.
#[derive(Default)]
struct Covered {
    partitions: BTreeSet<i32>,
    of: i32,
}

impl Covered {
    fn note(&mut self, partitions: &str, of: &str) {
        self.partitions.extend(partitions.split(',').filter_map(|number| number.parse::<i32>().ok()));
        self.of = of.parse().unwrap_or(self.of);
    }

    fn missing(&self) -> Vec<i32> {
        (0..self.of).filter(|number| !self.partitions.contains(number)).collect()
    }
}

/// The members answer on loopback or inside a cluster, without TLS.
fn get(member: &str, path: &str, covered: &mut Covered) -> anyhow::Result<Vec<u8>> {
    let mut response = ureq::get(format!("http://{member}{path}"))
        .config()
        .http_status_as_error(false)
        .build()
        .call()
        .with_context(|| format!("asking member {member}"))?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    covered.note(header("zoner-partitions"), header("zoner-partition-count"));
    let body = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()
        .with_context(|| format!("reading from member {member}"))?;
    if status != 200 {
        bail!("member {member} answered {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body)
}
