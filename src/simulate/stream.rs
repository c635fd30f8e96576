//! All families merged by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

use crate::circadian::{Hannay19, LightModel};
use crate::engine::record::Topic;
use crate::simulate::family::Family;
use crate::simulate::life::World;
use crate::simulate::numbers::Numbers;
use crate::simulate::pending::Saying;
use crate::simulate::scenario::Scenario;
use crate::simulate::wire;
use crate::units::UtcMillis;

/// A record as its producer would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedRecord {
    pub topic: Topic,
    /// The household's, or the flight's.
    pub key: String,
    /// When it arrives, seconds to hours after what it tells.
    pub stamp: UtcMillis,
    /// JSON, as the contract has it.
    pub value: String,
}

/// The true time of somebody's core body temperature minimum. Serialises as a line of a truth file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruePhase {
    pub household: String,
    pub user: String,
    #[serde(serialize_with = "wire::utc")]
    pub at: UtcMillis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Record(SimulatedRecord),
    Truth(TruePhase),
}

/// The records of a scenario in order of their stamps.
pub fn records(scenario: &Scenario) -> impl Iterator<Item = SimulatedRecord> + use<> {
    outputs(scenario).filter_map(|output| match output {
        Output::Record(record) => Some(record),
        Output::Truth(_) => None,
    })
}

/// Every true CBTmin of a scenario in order of time.
pub fn truth(scenario: &Scenario) -> impl Iterator<Item = TruePhase> + use<> {
    outputs(scenario).filter_map(|output| match output {
        Output::Truth(truth) => Some(truth),
        Output::Record(_) => None,
    })
}

/// Both, from one run, in order of time.
#[must_use]
pub fn outputs(scenario: &Scenario) -> Outputs {
    let world = World {
        base: Hannay19::embedded(),
        light: LightModel::embedded(),
        numbers: Numbers::embedded(),
        rates: scenario.rates,
    };
    let families: Vec<Option<Family>> =
        (0..scenario.families).map(|number| Family::new(&world, scenario, number)).collect();
    let mut outputs = Outputs {
        heap: BinaryHeap::with_capacity(families.len()),
        start: scenario.start,
        end: scenario.end,
        sequence: 0,
        world,
        families,
    };
    for family in 0..outputs.families.len() {
        outputs.ask(family);
    }
    outputs
}

/// See [`outputs`].
#[derive(Debug)]
pub struct Outputs {
    world: World,
    /// `None`: nothing more to say.
    families: Vec<Option<Family>>,
    /// The next saying of every family.
    heap: BinaryHeap<Reverse<Next>>,
    start: UtcMillis,
    end: UtcMillis,
    sequence: u64,
}

#[derive(Debug)]
struct Next {
    stamp: UtcMillis,
    family: usize,
    sequence: u64,
    saying: Saying,
}

impl Next {
    fn rank(&self) -> (UtcMillis, usize, u64) {
        (self.stamp, self.family, self.sequence)
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Next) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Next) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Next) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Outputs {
    /// Puts the family's next saying in line; lets go of a family that has none.
    fn ask(&mut self, family: usize) {
        let Some(place) = self.families.get_mut(family) else { return };
        let Some((stamp, saying)) = place.as_mut().and_then(|living| living.next(&self.world, self.end)) else {
            *place = None;
            return;
        };
        self.sequence += 1;
        self.heap.push(Reverse(Next { stamp, family, sequence: self.sequence, saying }));
    }
}

impl Iterator for Outputs {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        loop {
            let Reverse(Next { stamp, family, saying, .. }) = self.heap.pop()?;
            let household = match (&saying, self.families.get(family)) {
                (Saying::Truth { .. }, Some(Some(living))) => living.household.clone(),
                _ => String::new(),
            };
            self.ask(family);
            // The clocks begin at the midnight before: their first minimum may lie before the scenario.
            if stamp < self.start {
                continue;
            }
            return Some(match saying {
                Saying::Record { topic, key, value } => Output::Record(SimulatedRecord { topic, key, stamp, value }),
                Saying::Truth { user } => Output::Truth(TruePhase { household, user: user.to_owned(), at: stamp }),
            });
        }
    }
}
