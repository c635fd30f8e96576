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
use zoner::units::Span;

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
            latency(&config, partitions, rate, (warm_up, seconds), &metrics);
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

/// How far it had come at a moment, and what that had taken.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    count: u64,
    spent: Spent,
}

/// Progress between the first records that count and nine tenths of all: what starting costs, and what a last transaction
/// waits for when nothing more comes, is not in it. The second half is looked at by itself: by then everybody is known.
#[derive(Default)]
struct Progress {
    first: Option<Mark>,
    half: Option<Mark>,
    last: Option<Mark>,
}

impl Progress {
    fn observe(&mut self, count: u64, events: u64, spent: impl Fn() -> Spent) {
        if count == 0 || self.last.is_some() {
            return;
        }
        let mark = |due: bool, place: &mut Option<Mark>| {
            if due && place.is_none() {
                *place = Some(Mark { at: Instant::now(), count, spent: spent() });
            }
        };
        mark(true, &mut self.first);
        mark(count * 2 >= events, &mut self.half);
        mark(count * 10 >= events * 9, &mut self.last);
    }

    fn between(from: Option<Mark>, to: Option<Mark>) -> Option<(u64, Duration, Spent)> {
        let (from, to) = (from?, to?);
        (to.count > from.count).then(|| (to.count - from.count, to.at - from.at, to.spent.since(from.spent)))
    }

    /// Events a second.
    fn rate(from: Option<Mark>, to: Option<Mark>) -> f64 {
        Progress::between(from, to).map_or(f64::NAN, |(events, took, _)| events as f64 / took.as_secs_f64())
    }

    /// Of the threads that take the records.
    fn takers_ns(from: Option<Mark>, to: Option<Mark>) -> f64 {
        Progress::between(from, to)
            .map_or(f64::NAN, |(events, _, spent)| spent.takers.as_secs_f64() * 1e9 / events as f64)
    }
}

struct Measure {
    progress: Progress,
    spent: Spent,
}

impl Measure {
    fn rate(&self) -> f64 {
        Progress::rate(self.progress.first, self.progress.last)
    }

    fn second_half_rate(&self) -> f64 {
        Progress::rate(self.progress.half, self.progress.last)
    }

    fn second_half_takers_ns(&self) -> f64 {
        Progress::takers_ns(self.progress.half, self.progress.last)
    }

    fn per_cpu(&self, events: u64) -> f64 {
        events as f64 / self.spent.process.as_secs_f64()
    }

    fn takers_ns(&self, events: u64) -> f64 {
        self.spent.takers.as_secs_f64() * 1e9 / events as f64
    }

    fn clients_ns(&self, events: u64) -> f64 {
        self.spent.clients.as_secs_f64() * 1e9 / events as f64
    }
}

/// What this process has used of the machine. CPU time depends less than rates on what else the machine does.
#[derive(Clone, Copy, Default)]
struct Spent {
    process: Duration,
    /// The threads that take the records from the queue.
    takers: Duration,
    /// librdkafka's own.
    clients: Duration,
    /// Pages that the kernel had to find memory for.
    faults: u64,
}

impl Spent {
    /// Up to now, by the threads that live. `takes` tells the threads that take records by their names.
    fn so_far(takes: impl Fn(&str) -> bool) -> Spent {
        let mut spent = Spent { process: cpu_time(), faults: faults(), ..Spent::default() };
        for task in std::fs::read_dir("/proc/self/task").expect("Linux").filter_map(Result::ok) {
            let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let on_cpu = on_cpu(&task.path().join("schedstat"));
            if takes(name.trim_end()) {
                spent.takers += on_cpu;
            } else if name.starts_with("rdk:") {
                spent.clients += on_cpu;
            }
        }
        spent
    }

    /// Threads that have ended meanwhile are missing from the groups, not from the process.
    fn since(self, before: Spent) -> Spent {
        Spent {
            process: self.process - before.process,
            takers: self.takers.saturating_sub(before.takers),
            clients: self.clients.saturating_sub(before.clients),
            faults: self.faults - before.faults,
        }
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

/// Toddlers whose parents report skipped naps: every hundredth event is one, the others are light.
fn latency(config: &Config, partitions: i32, rate: u64, (warm_up, seconds): (u64, u64), metrics: &PrometheusHandle) {
    const CHILDREN: u64 = 20_000;
    let cluster = Arc::new(config.cluster());
    // As librdkafka's producers come. With a batch a millisecond and partition, the load alone is 3,700 requests a second.
    let mut feeding = config.cluster();
    feeding.properties.entry("linger.ms".to_owned()).or_insert("5".to_owned());
    let feed = Feed::connect(&feeding).expect("a producer");
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
                    latencies.push((recommendation.issued_at, (now - recommendation.issued_at).0));
                }
            }
            latencies
        })
    };
    let started = Instant::now();
    let measured_from = SystemClock.now() + Span::seconds(i64::try_from(warm_up).expect("small"));
    for event in 0..rate * (warm_up + seconds) {
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
    let latencies = reader.join().expect("the reader");
    let mut latencies: Vec<i64> =
        latencies.into_iter().filter(|(issued_at, _)| *issued_at >= measured_from).map(|(_, took)| took).collect();
    latencies.sort_unstable();
    let quantile = |share: f64| latencies.get(((latencies.len() as f64 - 1.0) * share) as usize).copied();
    say(&serde_json::json!({
        "bench": "latency", "events_per_s": rate, "warm_up": warm_up, "seconds": seconds, "recommendations": latencies.len(),
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

/// The first number of a `schedstat` file of Linux.
fn on_cpu(schedstat: &std::path::Path) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// A field of `/proc/self/stat`, counted from the state, which follows the name.
fn stat(field: usize) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a process name in parentheses");
    after_name.split_whitespace().nth(field).and_then(|field| field.parse().ok()).expect("a number")
}

/// User and system time of this process, threads that have ended included.
fn cpu_time() -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    Duration::from_secs_f64((stat(11) + stat(12)) as f64 / TICKS_PER_SECOND)
}

/// Page faults of this process that needed no disk.
fn faults() -> u64 {
    stat(7)
}

/// Resident bytes of this process.
fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("resident pages") * PAGE
}
