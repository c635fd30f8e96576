//! `zoner schema`.

use anyhow::bail;
use clap::Args;

use crate::event::schema;

#[derive(Debug, Args)]
pub struct Schema {
    /// An activity (sleep, trip …) or a topic's records (user_activity, flight_status, recommendation …); without it the
    /// names are listed
    name: Option<String>,
}

pub fn run(command: &Schema) -> anyhow::Result<()> {
    let Some(name) = &command.name else {
        for name in schema::NAMES {
            println!("{name}");
        }
        return Ok(());
    };
    let Some(schema) = schema::schema(name) else {
        bail!("no schema {name:?}; there are {}", schema::NAMES.join(", "));
    };
    println!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(())
}
