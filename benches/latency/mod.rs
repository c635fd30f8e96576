//! From a record to the recommendation that follows from it, at a steady rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use zoner::engine::clock::{Clock as _, SystemClock};
use zoner::engine::record::Topic;
use zoner::kafka::feed::Feed;
use zoner::kafka::tail::Tail;
use zoner::settings::Config;
use zoner::units::Span;

use super::{household, say, start};

/// Toddlers whose parents report skipped naps: every hundredth event is one, the others are light.
pub fn measure(
    config: &Config,
    partitions: i32,
    rate: u64,
    (warm_up, seconds): (u64, u64),
    metrics: &PrometheusHandle,
) {
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
