//! The engine on a real Kafka: throughput beside raw consumption of the same topic, latency, memory.
//!
//! `dev/bench` starts a Kafka and runs this; by hand: `cargo bench --bench kafka -- --brokers HOST:PORT throughput`.
//! Every figure is measured in this process and printed as one JSON line; nothing is asserted.
#![expect(clippy::unchecked_time_subtraction, reason = "clocks of one process run forward")]
#![expect(clippy::struct_field_names, reason = "cargo passes --bench")]
#![expect(clippy::expect_used, reason = "a bench that can't go on says so and ends")]

use std::io::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use metrics_exporter_prometheus::PrometheusHandle;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use zoner::engine::clock::{Clock, SystemClock};
use zoner::engine::log::Batch as _;
use zoner::engine::record::Topic;
use zoner::kafka::feed::Feed;
use zoner::kafka::native::WorkerQueue;
use zoner::kafka::topics::{Topics, wanted};
use zoner::service::{Plan, Service};
use zoner::settings::Config;
use zoner::telemetry;

mod checkpoint;
mod latency;
mod measure;
mod restore;

use self::measure::{Measure, Progress, Spent, resident};

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Bench {
    #[arg(long)]
    brokers: String,
    /// A librdkafka property for every client, as name=value; may be repeated
    #[arg(long)]
    property: Vec<String>,
    /// `engine.batch`, for raw consumption as well
    #[arg(long)]
    batch: Option<usize>,
    /// cargo adds it
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Subcommand)]
enum What {
    /// Light events of a million strangers: raw consumption, then the engine, alternating
    Throughput {
        #[arg(long, default_value_t = 3_000_000)]
        events: u64,
        #[arg(long, default_value_t = 1_000_000)]
        travellers: u64,
        #[arg(long, default_value_t = 16)]
        partitions: i32,
        #[arg(long, default_value_t = 1)]
        workers: usize,
        #[arg(long, default_value_t = 3)]
        rounds: u32,
        /// Prefix of topics that an earlier run with the same numbers has filled; it is said while they are filled
        #[arg(long)]
        loaded: Option<String>,
    },
    /// What checkpoints cost: the same light events without and with them, alternating. The defaults have a traveller report
    /// as often in an interval as a million travellers do in a minute of a million events a second
    Checkpoint {
        #[arg(long, default_value_t = 24_000_000)]
        events: u64,
        #[arg(long, default_value_t = 200_000)]
        travellers: u64,
        #[arg(long, default_value_t = 16)]
        partitions: i32,
        /// Seconds between the beginnings of two rounds
        #[arg(long, default_value_t = 12.0)]
        interval: f64,
        /// Pairs of a run without checkpoints and one with them
        #[arg(long, default_value_t = 2)]
        rounds: u32,
    },
    /// A takeover of every partition from its state topic, which holds every state twice
    Restore {
        #[arg(long, default_value_t = 1_000_000)]
        travellers: u64,
        #[arg(long, default_value_t = 16)]
        partitions: i32,
        /// Bytes of a state
        #[arg(long, default_value_t = 600)]
        bytes: usize,
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// Record to committed recommendation at a steady rate
    Latency {
        #[arg(long, default_value_t = 10_000)]
        rate: u64,
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// Seconds of the same load before: a broker that has just started takes seconds for what later takes milliseconds
        #[arg(long, default_value_t = 30)]
        warm_up: u64,
        #[arg(long, default_value_t = 16)]
        partitions: i32,
    },
}

fn main() {
    let bench = Bench::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let metrics = telemetry::install().expect("the first recorder of the process");
    match bench.what.clone() {
        What::Throughput { events, travellers, partitions, workers, rounds, loaded } => {
            let mut config = configure(&bench, partitions, workers);
            if let Some(prefix) = loaded {
                config.topics.prefix = prefix;
            } else {
                runtime.block_on(make_topics(&config));
                eprintln!("loading {events} light events of {travellers} travellers: {}", config.topics.prefix);
                load(&config, events, travellers);
            }
            for round in 1..=rounds {
                let raw = consume_raw(&config, events);
                // A group and transactions of its own each round: everything is processed from the beginning.
                let mut fresh = config.clone();
                fresh.kafka.properties.insert("group.id".to_owned(), format!("bench-{}-{round}", std::process::id()));
                runtime.block_on(empty_state_topics(&fresh));
                let engine = run_engine(&fresh, partitions, events, &metrics);
                say(&serde_json::json!({
                    "bench": "throughput", "round": round, "events": events, "travellers": travellers,
                    "partitions": partitions, "workers": workers,
                    "raw_events_per_s": raw.rate(), "raw_events_per_cpu_s": raw.per_cpu(events),
                    "engine_events_per_s": engine.measure.rate(),
                    "engine_events_per_cpu_s": engine.measure.per_cpu(events),
                    "engine_share_of_raw": engine.measure.rate() / raw.rate(),
                    "second_half": {
                        "raw_events_per_s": raw.second_half_rate(),
                        "engine_events_per_s": engine.measure.second_half_rate(),
                        "engine_share_of_raw": engine.measure.second_half_rate() / raw.second_half_rate(),
                        "engine_thread_ns_per_event": engine.measure.second_half_takers_ns(),
                    },
                    "raw_thread_ns_per_event": raw.takers_ns(events),
                    "engine_thread_ns_per_event": engine.measure.takers_ns(events),
                    "raw_clients_ns_per_event": raw.clients_ns(events),
                    "engine_clients_ns_per_event": engine.measure.clients_ns(events),
                    "raw_page_faults": raw.spent.faults, "engine_page_faults": engine.measure.spent.faults,
                    "resident_bytes_per_traveller": engine.resident_bytes as f64 / travellers as f64,
                    "state_bytes_per_traveller": engine.state_bytes / travellers as f64,
                }));
            }
        }
        What::Checkpoint { events, travellers, partitions, interval, rounds } => {
            let config = configure(&bench, partitions, 1);
            runtime.block_on(make_topics(&config));
            eprintln!("loading {events} light events of {travellers} travellers");
            load(&config, events, travellers);
            checkpoint::compare(&config, events, travellers, interval, rounds, &metrics, &runtime);
        }
        What::Restore { travellers, partitions, bytes, rounds } => {
            let config = configure(&bench, partitions, 1);
            runtime.block_on(make_topics(&config));
            let written = restore::load(&config, travellers, bytes);
            for round in 1..=rounds {
                restore::measure(&config, travellers, written, round);
            }
        }
        What::Latency { rate, seconds, warm_up, partitions } => {
            let config = configure(&bench, partitions, 1);
            runtime.block_on(make_topics(&config));
            latency::measure(&config, partitions, rate, (warm_up, seconds), &metrics);
        }
    }
}

fn say(line: &serde_json::Value) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

fn configure(bench: &Bench, partitions: i32, workers: usize) -> Config {
    let mut config = Config::default();
    config.kafka.brokers.clone_from(&bench.brokers);
    for property in &bench.property {
        let (name, value) = property.split_once('=').expect("name=value");
        config.kafka.properties.insert(name.to_owned(), value.to_owned());
    }
    config.topics.prefix = format!("bench-{:x}.", SystemClock.now().0);
    config.topics.partitions = partitions;
    config.engine.traveller_workers = workers;
    config.engine.batch = bench.batch.unwrap_or(config.engine.batch);
    config
}

async fn make_topics(config: &Config) {
    let cluster = config.cluster();
    let admin = Topics::connect(&cluster).expect("a Kafka to talk to");
    for topic in wanted(&cluster, &config.layout(false)) {
        admin.create(&topic, 1).await.expect("a topic of its own");
    }
}

/// Each engine of a process begins from nothing.
async fn empty_state_topics(config: &Config) {
    let cluster = config.cluster();
    let admin = Topics::connect(&cluster).expect("a Kafka to talk to");
    for topic in wanted(&cluster, &config.layout(false)).iter().filter(|topic| topic.name.contains("zoner.state.")) {
        admin.delete(&topic.name).await.expect("the topic deleted");
        admin.create(topic, 1).await.expect("the topic made again");
    }
}

/// Household ids in an order that touches memory everywhere.
fn household(event: u64, travellers: u64) -> String {
    // An odd multiplier visits every residue of a power of two and nearly every one of other sizes.
    format!("household-{:07}", event.wrapping_mul(2_654_435_761) % travellers)
}

fn load(config: &Config, events: u64, travellers: u64) -> u64 {
    let feed = Feed::connect(&config.cluster()).expect("a producer");
    let mut bytes = 0;
    for event in 0..events {
        let household = household(event, travellers);
        let at = (SystemClock.now().0 / 1_000) - i64::try_from(event % 3_600).expect("small");
        let value = format!(
            "{{\"user_id\":\"traveller-1\",\"household_id\":\"{household}\",\"activity\":\"light_exposure\",\
             \"timestamp\":{at},\"lux\":{},\"source\":\"watch\",\"event_id\":\"{event:016x}\"}}",
            50 + event % 900
        );
        bytes += value.len() as u64;
        feed.send(Topic::UserActivity, &household, &value, SystemClock.now()).expect("a queued record");
    }
    feed.flush(Duration::from_secs(120)).expect("everything written");
    bytes
}

/// Only consumption, by the same batch call and client settings as the engine.
fn consume_raw(config: &Config, events: u64) -> Measure {
    let cluster = config.cluster();
    let mut settings = cluster.group_consumer("raw", 0);
    settings.set("group.id", format!("raw-{}", std::process::id())).set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    let topic = cluster.topic(Topic::UserActivity);
    let queue = WorkerQueue::new(&consumer, thread::current());
    let mut list = TopicPartitionList::new();
    for partition in 0..config.topics.partitions {
        queue.take_partition(&consumer, &topic, partition).expect("a partition's queue");
        list.add_partition_offset(&topic, partition, Offset::Beginning).expect("an offset");
    }
    let own_name = std::fs::read_to_string("/proc/thread-self/comm").expect("Linux");
    let takes = |name: &str| name == own_name.trim_end();
    let before = Spent::so_far(takes);
    consumer.assign(&list).expect("assigned");
    let mut progress = Progress::default();
    let mut seen = 0;
    while seen < events {
        let _ = consumer.poll(Duration::ZERO);
        let batch = queue.consume(config.engine.batch, Topic::UserActivity).expect("records");
        if batch.is_empty() {
            thread::park_timeout(Duration::from_millis(10));
            continue;
        }
        seen += batch.len() as u64;
        progress.observe(seen, events, || Spent::so_far(takes));
    }
    Measure { progress, spent: Spent::so_far(takes).since(before) }
}

struct EngineRun {
    measure: Measure,
    resident_bytes: u64,
    state_bytes: f64,
    /// By every engine of this process, when the last event was taken.
    states_written: f64,
    seconds: f64,
}

fn run_engine(config: &Config, partitions: i32, events: u64, metrics: &PrometheusHandle) -> EngineRun {
    let before = counter(metrics, "zoner_events_total", "user_activity");
    let begun = Instant::now();
    let resident_before = resident();
    let takes = |name: &str| name.starts_with("travellers-");
    let spent_before = Spent::so_far(takes);
    let service = start(config, partitions);
    let mut progress = Progress::default();
    loop {
        let so_far = counter(metrics, "zoner_events_total", "user_activity") - before;
        progress.observe(so_far as u64, events, || Spent::so_far(takes));
        if so_far >= events as f64 {
            break;
        }
        assert!(!service.has_failed(), "a worker failed");
        // To ask takes a fraction of a millisecond of the processor that the engine runs on.
        thread::sleep(Duration::from_millis(25));
    }
    let spent = Spent::so_far(takes).since(spent_before);
    let seconds = begun.elapsed().as_secs_f64();
    let states_written = counter(metrics, "zoner_checkpoint_records_total", "\"state\"");
    let resident_bytes = resident().saturating_sub(resident_before);
    thread::sleep(Duration::from_millis(1_100));
    let state_bytes = counter(metrics, "zoner_state_bytes", "user_activity");
    service.stop().expect("a clean stop");
    EngineRun { measure: Measure { progress, spent }, resident_bytes, state_bytes, states_written, seconds }
}

fn start(config: &Config, partitions: i32) -> Service {
    let plan = Plan {
        cluster: Arc::new(config.cluster()),
        travellers: config.worker(partitions, false, false),
        flights: config.worker(partitions, false, false),
        traveller_workers: config.engine.traveller_workers,
        flight_workers: 1,
        leave: true,
    };
    Service::start(&plan, Arc::new(SystemClock)).expect("threads")
}

/// Sum of the series of a metric with a topic label.
fn counter(metrics: &PrometheusHandle, name: &str, topic: &str) -> f64 {
    metrics
        .render()
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(topic))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
