//! Reading `tests/data/oscillators`. For tests.

use crate::circadian::reference_scheme::STEP_HOURS;

/// A light schedule of the references.
pub struct Schedule {
    pub name: &'static str,
    /// Lux every 0.1 h.
    pub light: Vec<f64>,
    files: &'static [(&'static str, &'static str)],
}

impl Schedule {
    /// What the independent implementation made of it: (hours, the model's variables).
    pub fn states<const N: usize>(&self, model: &str) -> Vec<(f64, [f64; N])> {
        let (_, csv) = self.files.iter().find(|(name, _)| *name == model).expect("a reference of this model");
        samples(csv)
    }

    /// The CBTmin times that the independent implementation found, hours, on a grid of 0.1 h.
    pub fn markers(&self, model: &str) -> Vec<f64> {
        let csv = include_str!("../../tests/data/oscillators/markers.csv");
        let prefix = format!("{},{model},", self.name);
        let line = csv.lines().find_map(|line| line.strip_prefix(&prefix)).expect("markers of this model");
        line.split(' ').map(number).collect()
    }
}

fn number(field: &str) -> f64 {
    field.parse().expect("a number")
}

/// (hours, columns after the first).
fn samples<const N: usize>(csv: &str) -> Vec<(f64, [f64; N])> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<f64> = line.split(',').map(number).collect();
            (fields[0], std::array::from_fn(|column| fields[column + 1]))
        })
        .collect()
}

pub fn schedules() -> Vec<Schedule> {
    macro_rules! file {
        ($name:literal, $kind:literal) => {
            ($kind, include_str!(concat!("../../tests/data/oscillators/", $name, ".", $kind, ".csv")))
        };
    }
    macro_rules! schedule {
        ($name:literal) => {{
            const FILES: &[(&str, &str)] = &[
                file!($name, "light"),
                file!($name, "hannay19"),
                file!($name, "hannay19tp"),
                file!($name, "forger99"),
                file!($name, "jewett99"),
            ];
            ($name, FILES)
        }};
    }
    [
        schedule!("regular-30d"),
        schedule!("east-8h-day10-30d"),
        schedule!("west-6h-day10-30d"),
        schedule!("social-jetlag-28d"),
    ]
    .into_iter()
    .map(|(name, files)| {
        let mut schedule = Schedule { name, light: Vec::new(), files };
        let changes = samples::<1>(files[0].1);
        let (last_hour, _) = *schedule.states::<3>("hannay19").last().expect("states");
        let count = (last_hour / STEP_HOURS).round() as usize + 1;
        let mut change = 0;
        for index in 0..count {
            while change + 1 < changes.len() && (changes[change + 1].0 / STEP_HOURS).round() as usize <= index {
                change += 1;
            }
            schedule.light.push(changes[change].1[0]);
        }
        schedule
    })
    .collect()
}
