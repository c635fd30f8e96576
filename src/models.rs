//! The parameter files that are part of the program, and a digest of those that states depend on.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Name and text of every parameter file, in order of their names.
pub const FILES: [(&str, &str); 10] = [
    ("ages", include_str!("../models/ages.toml")),
    ("filter", include_str!("../models/filter.toml")),
    ("gut", include_str!("../models/gut.toml")),
    ("light", include_str!("../models/light.toml")),
    ("naps", include_str!("../models/naps.toml")),
    ("oscillators", include_str!("../models/oscillators.toml")),
    ("people", include_str!("../models/people.toml")),
    ("planner", include_str!("../models/planner.toml")),
    ("priors", include_str!("../models/priors.toml")),
    ("simulate", include_str!("../models/simulate.toml")),
];

/// Twelve hexadecimal digits that change with any number a state or a recommendation depends on.
#[must_use]
pub fn digest() -> String {
    let mut hasher = Sha256::new();
    for (name, text) in FILES.iter().filter(|(name, _)| *name != "simulate") {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    hasher.update(include_str!("../models/airports.csv").as_bytes());
    hasher.finalize()[..6].iter().fold(String::new(), |mut digits, byte| {
        // Writing into a string can't fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
