//! `zoner state dump`: what the running members know, by asking them.

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
}

pub fn run(command: &State) -> anyhow::Result<()> {
    let State::Dump(dump) = command;
    let mut output = std::io::stdout().lock();
    for member in &dump.members {
        let body = get(member, "/v1/estimates")?;
        output.write_all(&body)?;
    }
    output.flush()?;
    Ok(())
}

/// The members answer on loopback or inside a cluster, without TLS.
fn get(member: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut response = ureq::get(format!("http://{member}{path}"))
        .config()
        .http_status_as_error(false)
        .build()
        .call()
        .with_context(|| format!("asking member {member}"))?;
    let status = response.status();
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
