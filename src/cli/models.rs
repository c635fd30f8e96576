//! `zoner models`.

use anyhow::bail;
use clap::Args;

/// Every model file as it stands in the program.
const FILES: &[(&str, &str)] = &[
    ("ages", include_str!("../../models/ages.toml")),
    ("light", include_str!("../../models/light.toml")),
    ("naps", include_str!("../../models/naps.toml")),
    ("oscillators", include_str!("../../models/oscillators.toml")),
    ("people", include_str!("../../models/people.toml")),
    ("planner", include_str!("../../models/planner.toml")),
    ("simulate", include_str!("../../models/simulate.toml")),
];

#[derive(Debug, Args)]
pub struct Models {
    /// A model; without it the names are listed
    name: Option<String>,
}

pub fn run(command: &Models) -> anyhow::Result<()> {
    let Some(name) = &command.name else {
        for (name, _) in FILES {
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
