//! The engine on a model of Kafka, with everything that can go wrong going wrong, seed by seed.
//!
//! A seed decides partitions, members, settings, what families do and which faults happen when; the same seed is the same
//! run to the last bit. `ZONER_SIM_SEEDS=N` plays N seeds, `ZONER_SIM_SEED=S` plays one and tells what happens. What is
//! simulated and what is not stands in docs/reliability.md.
//!
//! | file | what |
//! |---|---|
//! | [`kafka_model`] | the broker |
//! | [`membership`], [`model_log`], [`batch`] | the clients of a worker |
//! | [`slot`], [`process`] | processes: alive, frozen, killed |
//! | [`plan`], [`family`] | what a seed decides: the set-up, the records |
//! | [`world`], [`schedule`] | what happens next, what goes wrong |
//! | [`refused_states`] | state topics that take nothing, in a world in which nothing else goes wrong |
//! | [`invariants`], [`seed`], [`reference`], [`watched`] | what must hold, and how it is looked at |

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::struct_excessive_bools, reason = "faults are switched on one by one")]
#![allow(clippy::maybe_infinite_iter, reason = "one of many names lies in any partition")]
#![allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref, reason = "as the traits have it")]

#[path = "../common/mod.rs"]
mod common;

mod batch;
mod family;
mod invariants;
mod kafka_model;
mod membership;
mod model_log;
mod plan;
mod process;
mod random;
mod reference;
mod refused_states;
mod schedule;
mod seed;
mod slot;
mod watched;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use plan::Sabotage;
use world::Statistics;
use zoner::engine::worker;

/// About a minute on two cores.
const SEEDS: u64 = 10_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}: a number is expected")))
}

/// What is wrong with a seed, if anything.
fn verdict(seed: u64, sabotage: Sabotage, is_told: bool) -> Result<Statistics, String> {
    match catch_unwind(AssertUnwindSafe(|| seed::play(seed, sabotage, is_told))) {
        Ok(result) => result.map_err(|violation| violation.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(format!("panic: {}", text.unwrap_or_default()))
        }
    }
}

/// Plays seeds 1 to `seeds` on all cores. The lowest seed that failed, with what is wrong with it.
fn play_all(seeds: u64, sabotage: Sabotage) -> Result<Statistics, (u64, String)> {
    let next = AtomicU64::new(1);
    let worst: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let sum = Mutex::new(Statistics::default());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds || worst.lock().unwrap().as_ref().is_some_and(|(lowest, _)| *lowest < seed) {
                        return;
                    }
                    match verdict(seed, sabotage, false) {
                        Ok(statistics) => sum.lock().unwrap().add(&statistics),
                        Err(what) => {
                            let mut worst = worst.lock().unwrap();
                            if worst.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
                                *worst = Some((seed, what));
                            }
                        }
                    }
                }
            });
        }
    });
    let worst = worst.into_inner().unwrap();
    worst.map_or_else(|| Ok(sum.into_inner().unwrap()), Err)
}

fn command(seed: u64) -> String {
    format!("ZONER_SIM_SEED={seed} cargo test --release --test simulation invariants_hold -- --nocapture")
}

/// Something is switched off, and somebody must notice. Says who.
#[track_caller]
fn caught(sabotage: Sabotage) -> String {
    /// Of the seeds that every run plays.
    const WITHIN: u64 = 1_000;
    match play_all(WITHIN, sabotage) {
        Ok(_) => panic!("{WITHIN} seeds do not notice {sabotage:?}"),
        Err((seed, what)) => {
            let what = what.lines().next().unwrap_or_default().chars().take(200).collect();
            eprintln!("seed {seed} notices {sabotage:?}: {what}");
            what
        }
    }
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 1..=30 {
        let play = || verdict(seed, Sabotage::default(), false);
        assert_eq!(play(), play(), "seed {seed}");
    }
}

#[test]
fn states_that_survive_an_abort_are_noticed() {
    let engine = Some(worker::Sabotage::KeepsAbortedStates);
    caught(Sabotage { engine, ..Sabotage::default() });
}

#[test]
fn offsets_committed_outside_their_transaction_are_noticed() {
    let what = caught(Sabotage { offsets_outside_transactions: true, ..Sabotage::default() });
    assert!(!what.starts_with("panic"), "{what}");
}

#[test]
fn a_restore_that_ends_at_the_last_stable_offset_is_noticed() {
    caught(Sabotage { restores_to_the_last_stable_offset: true, ..Sabotage::default() });
}

#[test]
fn a_commit_without_an_answer_that_is_taken_for_good_is_noticed() {
    caught(Sabotage { trusts_lost_commits: true, ..Sabotage::default() });
}

#[test]
fn a_group_that_takes_offsets_from_whoever_sends_them_is_noticed() {
    caught(Sabotage { no_generations: true, ..Sabotage::default() });
}

#[test]
fn the_invariants_hold_whatever_goes_wrong() {
    if let Some(seed) = number("ZONER_SIM_SEED") {
        let statistics = verdict(seed, Sabotage::default(), true).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        eprintln!("seed {seed} holds: {statistics:?}");
        return;
    }
    let seeds = number("ZONER_SIM_SEEDS").unwrap_or(SEEDS);
    let begun = Instant::now();
    match play_all(seeds, Sabotage::default()) {
        Ok(statistics) => eprintln!("{seeds} seeds hold after {:.0?}: {statistics:#?}", begun.elapsed()),
        Err((seed, what)) => panic!("seed {seed} fails: {what}\nplay it again: {}", command(seed)),
    }
}
