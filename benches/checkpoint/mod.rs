//! What checkpoints cost of the engine's CPU: runs over the same events, without and with them.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::runtime::Runtime;
use zoner::settings::Config;

use super::{counter, empty_state_topics, run_engine, say};

/// Longer than any run: no round begins.
const NEVER: f64 = 86_400.0;

/// What the runs of one kind have spent.
#[derive(Default)]
struct Spent {
    cpu: Duration,
    worker: Duration,
    states: f64,
}

pub fn compare(
    config: &Config,
    events: u64,
    travellers: u64,
    interval: f64,
    rounds: u32,
    metrics: &PrometheusHandle,
    runtime: &Runtime,
) {
    let (mut without, mut with) = (Spent::default(), Spent::default());
    let states_written = || counter(metrics, "zoner_checkpoint_records_total", "\"state\"");
    for round in 0..rounds {
        for (every, spent) in [(NEVER, &mut without), (interval, &mut with)] {
            let mut fresh = config.clone();
            let group = format!("bench-{}-{round}-{every}", std::process::id());
            fresh.kafka.properties.insert("group.id".to_owned(), group);
            fresh.engine.checkpoint_interval_s = every;
            runtime.block_on(empty_state_topics(&fresh));
            let states_before = states_written();
            let engine = run_engine(&fresh, config.topics.partitions, events, metrics);
            // What is written when the engine is stopped is no part of an interval.
            let states = engine.states_written - states_before;
            spent.cpu += engine.measure.spent.process;
            spent.worker += engine.measure.spent.takers;
            spent.states += states;
            say(&json!({
                "bench": "checkpoint", "round": round + 1, "interval_s": (every < NEVER).then_some(every),
                "events": events, "travellers": travellers, "cpu_s": engine.measure.spent.process.as_secs_f64(),
                "worker_thread_s": engine.measure.spent.takers.as_secs_f64(),
                "seconds": engine.seconds, "engine_events_per_s": engine.measure.rate(), "states_written": states,
            }));
        }
    }
    let share = |with: Duration, without: Duration| 1.0 - without.as_secs_f64() / with.as_secs_f64();
    say(&json!({
        "bench": "checkpoint", "share_of_cpu": share(with.cpu, without.cpu),
        "share_of_worker_thread": share(with.worker, without.worker),
        "events_per_state_written": (u64::from(rounds) * events) as f64 / with.states,
        "cpu_us_per_state": (with.cpu.as_secs_f64() - without.cpu.as_secs_f64()) * 1e6 / with.states,
    }));
}
