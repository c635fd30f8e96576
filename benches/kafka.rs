//! The engine on a real Kafka: throughput beside raw consumption of the same topic, latency, memory.
//!
//! `dev/bench` starts a Kafka and runs this; by hand: `cargo bench --bench kafka -- --brokers HOST:PORT throughput`.
//! Every figure is measured in this process and printed as one JSON line; nothing is asserted.
#![expect(clippy::unchecked_time_subtraction, reason = "clocks of one process run forward")]
#![expect(clippy::struct_field_names, reason = "cargo passes --bench")]
#![expect(clippy::expect_used, reason = "a bench that can't go on says so and ends")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use zoner::kafka::tail::Tail;
use zoner::kafka::topics::{Topics, wanted};
use zoner::service::{Plan, Service};
use zoner::settings::Config;
use zoner::telemetry;

mod checkpoint;
mod restore;

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
    /// cargo adds it
    #[arg(long, hide = true)]
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
        What::Throughput { events, travellers, partitions, workers, rounds } => {
            let config = configure(&bench, partitions, workers);
            runtime.block_on(make_topics(&config));
            eprintln!("loading {events} light events of {travellers} travellers");
            let bytes = load(&config, events, travellers);
            for round in 1..=rounds {
                let raw = consume_raw(&config, events);
                // A group and transactions of its own each round: everything is processed from the beginning.
                let mut fresh = config.clone();
                fresh.kafka.properties.insert("group.id".to_owned(), format!("bench-{}-{round}", std::process::id()));
                runtime.block_on(empty_state_topics(&fresh));
                let engine = run_engine(&fresh, partitions, events, &metrics);
                say(&serde_json::json!({
                    "bench": "throughput", "round": round, "events": events, "travellers": travellers,
                    "partitions": partitions, "workers": workers, "record_bytes": bytes / events,
                    "raw_events_per_s": raw.steady.rate(), "raw_events_per_cpu_s": raw.per_cpu(events),
                    "engine_events_per_s": engine.measure.steady.rate(),
                    "engine_events_per_cpu_s": engine.measure.per_cpu(events),
                    "engine_share_of_raw": engine.measure.steady.rate() / raw.steady.rate(),
                    "raw_thread_ns_per_event": raw.thread_ns(events),
                    "engine_thread_ns_per_event": engine.measure.thread_ns(events),
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
        What::Latency { rate, seconds, partitions } => {
            let config = configure(&bench, partitions, 1);
            runtime.block_on(make_topics(&config));
            latency(&config, partitions, rate, seconds, &metrics);
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

/// How fast it goes between the first records that count and nine tenths of all: what starting costs, and what a last
/// transaction waits for when nothing more comes, is not in it.
#[derive(Default)]
struct Steady {
    first: Option<(Instant, u64)>,
    last: Option<(Instant, u64)>,
}

impl Steady {
    fn observe(&mut self, count: u64, events: u64) {
        if count == 0 {
            return;
        }
        let now = Instant::now();
        self.first.get_or_insert((now, count));
        if self.last.is_none() && count * 10 >= events * 9 {
            self.last = Some((now, count));
        }
    }

    fn rate(&self) -> f64 {
        match (self.first, self.last) {
            (Some((begun, first)), Some((ended, last))) if last > first => {
                (last - first) as f64 / (ended - begun).as_secs_f64()
            }
            _ => f64::NAN,
        }
    }
}

struct Measure {
    steady: Steady,
    /// All threads of this process, librdkafka's included.
    cpu: Duration,
    /// The threads that take the records from the queue: what they cost hardly depends on what else the machine does.
    threads: Duration,
}

impl Measure {
    fn per_cpu(&self, events: u64) -> f64 {
        events as f64 / self.cpu.as_secs_f64()
    }

    fn thread_ns(&self, events: u64) -> f64 {
        self.threads.as_secs_f64() * 1e9 / events as f64
    }
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
    let cpu_before = cpu_time();
    let thread_before = spent("/proc/thread-self/stat");
    consumer.assign(&list).expect("assigned");
    let mut steady = Steady::default();
    let mut seen = 0;
    while seen < events {
        let _ = consumer.poll(Duration::ZERO);
        let batch = queue.consume(config.engine.batch, Topic::UserActivity).expect("records");
        if batch.is_empty() {
            thread::park_timeout(Duration::from_millis(10));
            continue;
        }
        seen += batch.len() as u64;
        steady.observe(seen, events);
    }
    let cpu = cpu_time() - cpu_before;
    Measure { steady, cpu, threads: spent("/proc/thread-self/stat") - thread_before }
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
    let cpu_before = cpu_time();
    let service = start(config, partitions);
    let mut steady = Steady::default();
    loop {
        let so_far = counter(metrics, "zoner_events_total", "user_activity") - before;
        steady.observe(so_far as u64, events);
        if so_far >= events as f64 {
            break;
        }
        assert!(!service.has_failed(), "a worker failed");
        thread::sleep(Duration::from_millis(5));
    }
    let cpu = cpu_time() - cpu_before;
    let threads = worker_threads_time();
    let seconds = begun.elapsed().as_secs_f64();
    let states_written = counter(metrics, "zoner_checkpoint_records_total", "\"state\"");
    let resident_bytes = resident().saturating_sub(resident_before);
    thread::sleep(Duration::from_millis(1_100));
    let state_bytes = counter(metrics, "zoner_state_bytes", "user_activity");
    service.stop().expect("a clean stop");
    EngineRun { measure: Measure { steady, cpu, threads }, resident_bytes, state_bytes, states_written, seconds }
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

/// Toddlers whose parents report skipped naps: every hundredth event is one, the others are light.
fn latency(config: &Config, partitions: i32, rate: u64, seconds: u64, metrics: &PrometheusHandle) {
    const CHILDREN: u64 = 20_000;
    let cluster = Arc::new(config.cluster());
    let feed = Feed::connect(&cluster).expect("a producer");
    for child in 0..CHILDREN {
        let household = household(child, CHILDREN);
        let profile = format!(
            "{{\"user_id\":\"mia\",\"household_id\":\"{household}\",\"activity\":\"profile\",\"age_band\":\"toddler\",\
             \"home_time_zone\":\"UTC\",\"sleep\":{{\"bedtime\":\"19:30\",\"wake\":\"07:00\"}},\
             \"naps\":[{{\"start\":\"12:30\",\"minutes\":90}}]}}"
        );
        feed.send(Topic::UserActivity, &household, &profile, SystemClock.now()).expect("a queued record");
    }
    feed.flush(Duration::from_secs(60)).expect("everything written");
    let service = start(config, partitions);
    while service.shared().directory.not_ready().is_some() {
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_secs(5));

    let topic = format!("{}recommendations", cluster.prefix);
    let tail = Tail::open(&cluster, &topic).expect("the recommendations");
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut latencies = Vec::new();
            while !stop.load(Ordering::Acquire) {
                if let Some(value) = tail.next(Duration::from_millis(10)) {
                    let now = SystemClock.now();
                    let text = String::from_utf8(value).expect("JSON");
                    let recommendation: zoner::event::Recommendation =
                        serde_json::from_str(&text).expect("a recommendation");
                    // Stream time is the broker's stamp of the record that caused it.
                    latencies.push((now - recommendation.issued_at).0);
                }
            }
            latencies
        })
    };
    let started = Instant::now();
    for event in 0..rate * seconds {
        let due = Duration::from_secs_f64(event as f64 / rate as f64);
        while started.elapsed() < due {
            thread::sleep(Duration::from_micros(200));
        }
        // Every child skips one nap: the hundredth events visit them one after the other.
        let skips = event % 100 == 0;
        let household = household(if skips { event / 100 } else { event }, CHILDREN);
        let now = SystemClock.now();
        let value = if skips {
            format!(
                "{{\"user_id\":\"mia\",\"household_id\":\"{household}\",\"activity\":\"nap_skipped\",\"timestamp\":\"{now}\"}}"
            )
        } else {
            format!(
                "{{\"user_id\":\"mia\",\"household_id\":\"{household}\",\"activity\":\"light_exposure\",\
                 \"timestamp\":\"{now}\",\"lux\":{}}}",
                50 + event % 900
            )
        };
        feed.send(Topic::UserActivity, &household, &value, now).expect("a queued record");
    }
    feed.flush(Duration::from_secs(30)).expect("everything written");
    thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Release);
    let mut latencies = reader.join().expect("the reader");
    latencies.sort_unstable();
    let quantile = |share: f64| latencies.get(((latencies.len() as f64 - 1.0) * share) as usize).copied();
    say(&serde_json::json!({
        "bench": "latency", "events_per_s": rate, "seconds": seconds, "recommendations": latencies.len(),
        "p50_ms": quantile(0.5), "p90_ms": quantile(0.9), "p99_ms": quantile(0.99), "max_ms": quantile(1.0),
    }));
    for line in metrics.render().lines().filter(|line| line.contains("_seconds_")) {
        eprintln!("{line}");
    }
    service.stop().expect("a clean stop");
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

/// User and system time of this process.
fn cpu_time() -> Duration {
    spent("/proc/self/stat")
}

/// The same of the engine's workers for travellers; each run has new ones.
fn worker_threads_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let is_worker = |task: &std::path::Path| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("travellers-"))
    };
    let tasks = tasks.filter_map(Result::ok).map(|task| task.path()).filter(|task| is_worker(task));
    tasks.map(|task| spent(task.join("stat"))).sum()
}

/// User and system time in a `stat` file of Linux.
fn spent(stat: impl AsRef<std::path::Path>) -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(stat).expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a process name in parentheses");
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}

/// Resident bytes of this process.
fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("resident pages") * PAGE
}
