//! `zoner models`.

use anyhow::bail;
use clap::Args;

use crate::models::FILES;

#[derive(Debug, Args)]
pub struct Models {
    /// A model; without it the names are listed
    name: Option<String>,
}

pub fn run(command: &Models) -> anyhow::Result<()> {
    let Some(name) = &command.name else {
        for (name, _) in &FILES {
            println!("{name}");
        }
        return Ok(());
    };
    let Some((_, text)) = FILES.iter().find(|(known, _)| known == name) else {
        let names: Vec<&str> = FILES.iter().map(|(known, _)| *known).collect();
        bail!("no model {name:?}; there are {}", names.join(", "));
    };
    print!("{text}");
    Ok(())
}
