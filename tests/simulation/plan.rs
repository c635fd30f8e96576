//! What a seed decides before anything happens.

use std::time::Duration;

use zoner::engine::placement::Placement;
use zoner::engine::worker::{Checkpoints, Settings};
use zoner::units::Span;

use crate::random::Random;

/// How often what goes wrong: cases in ten thousand calls of a worker, unless it says otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Misfortunes {
    pub kill: usize,
    pub freeze: usize,
    /// The world goes on between two calls of a worker.
    pub interleave: usize,
    /// The transaction can only be aborted.
    pub refused: usize,
    /// The client can only be dropped.
    pub broken: usize,
    /// The answer to the end of a transaction is lost for good.
    pub no_answer: usize,
    /// The coordinator, just restarted, answers before it has read the group's offsets.
    pub unread: usize,
    /// Cases in a thousand actions: stops, restarts, clocks that jump.
    pub operations: u32,
}

/// What is switched off to see whether anybody notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sabotage {
    /// Offsets are committed by themselves, before their transaction is.
    pub offsets_outside_transactions: bool,
    /// An answer that was lost is taken for a good one.
    pub trusts_lost_commits: bool,
    /// States are read only as far as no open transaction may still change them.
    pub restores_to_the_last_stable_offset: bool,
    /// The group takes offsets from whoever sends them.
    pub no_generations: bool,
    /// What the engine itself leaves out.
    pub engine: Option<zoner::engine::worker::Sabotage>,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub partitions: i32,
    /// Processes of the `travellers` and of the `flights` group.
    pub members: [usize; 2],
    pub is_static: bool,
    /// The broker stamps what arrives.
    pub append_time: bool,
    pub misfortunes: Misfortunes,
    /// Cases in a thousand actions in which some marker of a decided transaction is written.
    pub markers: u32,
    pub settings: Settings,
    pub households: usize,
    pub days: i64,
}

impl Plan {
    pub fn of(random: &mut Random, sabotage: Sabotage) -> Plan {
        let partitions = random.between(1, 4) as i32;
        let append_time = random.permille(600);
        // Few kinds of trouble at a time find more than all of them always.
        let mut often = |most: usize| if random.coin() { random.below(most + 1) } else { 0 };
        let misfortunes = Misfortunes {
            kill: often(120),
            freeze: often(60),
            interleave: often(900),
            refused: often(700),
            broken: often(150),
            no_answer: often(1_200),
            unread: often(1_000),
            operations: often(25) as u32,
        };
        let settings = Settings {
            batch: *random.pick(&[1, 2, 5, 20, 500]),
            commit_interval: Duration::from_millis(*random.pick(&[0, 50, 200, 1_000])),
            records_per_transaction: *random.pick(&[1, 3, 10, 1_000]),
            timers_per_transaction: *random.pick(&[1, 2, 1_000]),
            tick_interval: Span::seconds(*random.pick(&[1, 10, 60])),
            ticks: true,
            placement: Placement::Murmur2,
            partitions,
            accept_gap: false,
            checkpoints: random.permille(850).then(|| Checkpoints {
                interval: Duration::from_millis(*random.pick(&[100, 500, 2_000, 60_000])),
                smallest_slice: *random.pick(&[1, 1, 2, 64]),
            }),
            program: "simulated".into(),
            prefix: "".into(),
            sabotage: sabotage.engine,
        };
        Plan {
            partitions,
            members: [random.between(1, 3) as usize, random.between(1, 2) as usize],
            is_static: random.permille(400),
            append_time,
            misfortunes,
            markers: *random.pick(&[5, 10, 40, 100]),
            settings,
            households: random.between(1, 4) as usize,
            days: random.between(1, 3),
        }
    }
}
