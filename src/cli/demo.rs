//! `zoner demo`: everything in one process, with families that live and fly at speed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;

use super::common;
use crate::engine::clock::{Clock, ScaledClock, SystemClock};
use crate::event::recommendation::{Action, Recommendation};
use crate::http::{Answers, serve};
use crate::kafka::Cluster;
use crate::kafka::embedded::EmbeddedCluster;
use crate::kafka::feed::Feed;
use crate::kafka::tail::Tail;
use crate::kafka::topics::{Topics, wanted};
use crate::service::{Plan, Service};
use crate::settings::Config;
use crate::simulate::{self, Scenario};
use crate::units::{Span, UtcMillis};
use crate::{flight, telemetry};

/// Partitions of the demo's topics.
const PARTITIONS: i32 = 4;

/// How far in the past the families' history begins. The demo's "now" begins some nine days later: at the default speed
/// it meets the wall clock after a quarter of an hour.
const BEGINS_BEFORE: Span = Span::days(15);

/// Starts a Kafka cluster inside this process, lets families live and fly on it at speed, and shows what they are told.
#[derive(Debug, Args)]
pub struct Demo {
    /// End by itself after this time, with a summary (30s, 5m, 1h30m)
    #[arg(long, value_name = "TIME", value_parser = common::duration)]
    duration: Option<Duration>,
    /// Families
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    families: u32,
    /// Simulated seconds a second
    #[arg(long, default_value_t = 600.0)]
    speed: f64,
    /// Other families
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Recommendations as JSON lines on standard output, everything else on standard error
    #[arg(long)]
    json: bool,
    /// Use this Kafka instead of the embedded cluster, with topics of the demo's own
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,
    /// Address of metrics, health and questions
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = common::listen_address)]
    http: String,
}

pub fn run(command: &Demo) -> anyhow::Result<()> {
    if !(command.speed.is_finite() && (1.0..=100_000.0).contains(&command.speed)) {
        bail!("--speed is {}; allowed is 1 to 100000", command.speed);
    }
    common::start_logging("warn");
    common::runtime()?.block_on(demonstrate(command))
}

async fn demonstrate(command: &Demo) -> anyhow::Result<()> {
    let metrics = telemetry::install().context("installing the metrics recorder")?;
    telemetry::process_info(flight::zones::tzdb_version());
    let embedded = match &command.brokers {
        None => Some(EmbeddedCluster::start().context("starting the embedded cluster")?),
        Some(_) => None,
    };
    let (config, cluster) = configure(command, embedded.as_ref());
    make_topics(&config, &cluster, embedded.as_ref()).await?;

    let scenario = Scenario::demo(SystemClock.now() - BEGINS_BEFORE, command.seed, command.families);
    let live_from = scenario.live_from.unwrap_or(scenario.start);
    let clock = Arc::new(ScaledClock::new(live_from, command.speed));
    let plan = Plan {
        cluster: Arc::clone(&cluster),
        travellers: config.worker(PARTITIONS, true, false),
        flights: config.worker(PARTITIONS, true, false),
        traveller_workers: 1,
        flight_workers: 1,
        leave: true,
    };
    let listener =
        TcpListener::bind(&command.http).await.with_context(|| format!("listening on {} (--http)", command.http))?;
    let address = listener.local_addr()?;
    let service = Service::start(&plan, Arc::clone(&clock) as Arc<dyn Clock>).context("starting the workers")?;
    let kafka_cluster = Topics::connect(&cluster)?.cluster_id();
    let answers = Answers::new(metrics, service.shared(), &cluster, PARTITIONS, kafka_cluster);
    let (stop_http, http_stopped) = tokio::sync::oneshot::channel::<()>();
    let http = tokio::spawn(serve(listener, answers, async {
        let _ = http_stopped.await;
    }));

    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicU64::new(0));
    let printer = Printer::new(command.json, live_from);
    printer.introduce(command, &cluster, address, &scenario)?;
    let feeding = feed(&scenario, &cluster, &clock, &stop, &sent)?;
    let reading = read(&cluster, printer, &stop)?;

    // The families' time begins when everybody is there to see it.
    let shared = service.shared();
    while let Some(why) = shared.directory.not_ready() {
        if service.has_failed() {
            break;
        }
        tracing::debug!(why, "waiting");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    clock.run();

    tokio::select! {
        result = common::signalled() => result?,
        () = tokio::time::sleep(command.duration.unwrap_or(Duration::MAX)) => {}
        () = failure(&service) => {}
    }
    let ended_at = clock.now();
    stop.store(true, Ordering::Release);
    let stopped = tokio::task::spawn_blocking(move || service.stop()).await.context("stopping the workers")?;
    let _ = stop_http.send(());
    let _ = tokio::time::timeout(Duration::from_secs(1), http).await;
    feeding.join().map_err(|_| anyhow::anyhow!("the families' thread panicked"))??;
    let mut printer = reading.join().map_err(|_| anyhow::anyhow!("the reader's thread panicked"))??;
    printer.summarise(ended_at - live_from, sent.load(Ordering::Relaxed))?;
    drop(embedded);
    stopped.map_err(anyhow::Error::msg)
}

async fn failure(service: &Service) {
    while !service.has_failed() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn configure(command: &Demo, embedded: Option<&EmbeddedCluster>) -> (Config, Arc<Cluster>) {
    let mut config = Config::default();
    config.topics.partitions = PARTITIONS;
    // Ten simulated seconds would be a tick every few milliseconds; a fifth of a second of the onlooker's is enough.
    config.engine.tick_interval_s = (0.2 * command.speed).clamp(10.0, 3_600.0);
    if let Some(embedded) = embedded {
        config.kafka.brokers = embedded.address();
    } else if let Some(brokers) = &command.brokers {
        config.kafka.brokers.clone_from(brokers);
        // Topics of this run alone: simulated time must not mix with anybody's real time.
        config.topics.prefix = format!("demo-{:x}-{}.", SystemClock.now().0 / 1_000, std::process::id());
    }
    let mut cluster = config.cluster();
    cluster.embedded = embedded.is_some();
    (config, Arc::new(cluster))
}

async fn make_topics(config: &Config, cluster: &Cluster, embedded: Option<&EmbeddedCluster>) -> anyhow::Result<()> {
    let wanted = wanted(cluster, &config.layout(true));
    if let Some(embedded) = embedded {
        for topic in &wanted {
            embedded.create_topic(&topic.name, topic.partitions).with_context(|| format!("making {}", topic.name))?;
        }
        return Ok(());
    }
    let admin = Topics::connect(cluster)?;
    for topic in &wanted {
        admin.create(topic, 1).await?;
    }
    Ok(())
}

/// Writes what the families' devices send: the past at once, the present when its time has come.
fn feed(
    scenario: &Scenario,
    cluster: &Arc<Cluster>,
    clock: &Arc<ScaledClock>,
    stop: &Arc<AtomicBool>,
    sent: &Arc<AtomicU64>,
) -> anyhow::Result<thread::JoinHandle<anyhow::Result<()>>> {
    let feed = Feed::connect(cluster)?;
    let (scenario, clock) = (scenario.clone(), Arc::clone(clock));
    let (stop, sent) = (Arc::clone(stop), Arc::clone(sent));
    let thread = thread::Builder::new().name("families".to_owned()).spawn(move || {
        for record in simulate::records(&scenario) {
            while clock.now() < record.stamp {
                if stop.load(Ordering::Acquire) {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(5));
            }
            feed.send(record.topic, &record.key, &record.value, record.stamp)
                .with_context(|| format!("writing to {}", record.topic.as_str()))?;
            sent.fetch_add(1, Ordering::Relaxed);
        }
        feed.flush(Duration::from_secs(5)).context("writing the last records")
    })?;
    Ok(thread)
}

/// Reads `recommendations` as any subscriber does.
fn read(
    cluster: &Arc<Cluster>,
    mut printer: Printer,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<thread::JoinHandle<anyhow::Result<Printer>>> {
    let topic = cluster.recommendations();
    let tail = Tail::open(cluster, &topic)?;
    let stop = Arc::clone(stop);
    let thread = thread::Builder::new().name("reader".to_owned()).spawn(move || {
        let mut end = None;
        loop {
            match tail.next(Duration::from_millis(50)) {
                Some(value) => printer.show(&value)?,
                // What was committed last should still be seen.
                None if stop.load(Ordering::Acquire) => {
                    let end = *end.get_or_insert_with(|| Instant::now() + Duration::from_millis(300));
                    if Instant::now() >= end {
                        return Ok(printer);
                    }
                }
                None => {}
            }
        }
    })?;
    Ok(thread)
}

/// Household and user of somebody to look at: the first child of whom something is told.
fn somebody(scenario: &Scenario) -> Option<(String, String)> {
    simulate::records(scenario).find(|record| record.value.contains("\"naps\"")).and_then(|record| {
        let profile: serde_json::Value = serde_json::from_str(&record.value).ok()?;
        Some((record.key, profile.get("user_id")?.as_str()?.to_owned()))
    })
}

/// Where actions lie in different zones, each zone's with the zone: `Europe/London: sleep 22:00–06:00, …`.
fn by_zone(actions: &[Action]) -> Vec<String> {
    let mut zones: Vec<(&str, Vec<String>)> = Vec::new();
    for action in actions {
        let step = format!("{} {}", action.kind.as_str(), action.local);
        match zones.iter_mut().find(|(zone, _)| *zone == action.time_zone) {
            Some((_, steps)) => steps.push(step),
            None => zones.push((&action.time_zone, vec![step])),
        }
    }
    if zones.len() < 2 {
        return Vec::new();
    }
    zones.into_iter().map(|(zone, steps)| format!("{zone}: {}", steps.join(", "))).collect()
}

/// What a person sees.
struct Printer {
    json: bool,
    colour: bool,
    live_from: UtcMillis,
    started: Instant,
    counts: BTreeMap<&'static str, u64>,
    before: u64,
}

impl Printer {
    fn new(json: bool, live_from: UtcMillis) -> Printer {
        let colour = !json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Printer { json, colour, live_from, started: Instant::now(), counts: BTreeMap::new(), before: 0 }
    }

    fn introduce(
        &self,
        command: &Demo,
        cluster: &Cluster,
        address: SocketAddr,
        scenario: &Scenario,
    ) -> anyhow::Result<()> {
        let brokers = &cluster.brokers;
        let topic = cluster.recommendations();
        let (household, user) = somebody(scenario).context("no family says anything")?;
        let mut text = format!(
            "{families} families, {speed} simulated seconds a second, from {from}\n\
             \n\
             subscribe  kcat -C -q -b {brokers} -t {topic} -o end\n\
             traveller  curl http://{address}/v1/households/{household}/users/{user}\n\
             metrics    http://{address}/metrics\n",
            families = command.families,
            speed = command.speed,
            from = self.live_from,
        );
        if cluster.embedded {
            text.push_str(
                "\nThe cluster is embedded: clients built on librdkafka (kcat, confluent-kafka) can join it, Java clients\n\
                 can't, and its transactions are not real ones. --brokers HOST:PORT uses a real Kafka.\n",
            );
        }
        if !cluster.embedded {
            let prefix = &cluster.prefix;
            let _ = write!(text, "\nThe topics {prefix}* are this run's own and stay after it.\n");
        }
        text.push('\n');
        if self.json {
            std::io::stderr().write_all(text.as_bytes())?;
        } else {
            std::io::stdout().write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn show(&mut self, value: &[u8]) -> anyhow::Result<()> {
        let recommendation: Recommendation =
            serde_json::from_slice(value).context("a recommendation that does not read back")?;
        if recommendation.issued_at < self.live_from {
            self.before += 1;
            return Ok(());
        }
        *self.counts.entry(recommendation.reason.as_str()).or_default() += 1;
        let mut output = std::io::stdout().lock();
        if self.json {
            output.write_all(value)?;
            output.write_all(b"\n")?;
        } else {
            let (bold, dim, plain) = if self.colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
            let zone = recommendation.time_zone.as_str();
            let time = flight::zones::parse(zone).map_or_else(
                || recommendation.issued_at.to_rfc3339(),
                |tz| {
                    let date = flight::zones::local_date(tz, recommendation.issued_at);
                    format!("{} {}", date.format("%a %e %b"), flight::zones::hhmm(tz, recommendation.issued_at))
                },
            );
            writeln!(
                output,
                "{dim}{time} {zone:<20}{plain} {bold}{}{plain} {dim}[{} {}]{plain}",
                recommendation.headline,
                recommendation.household_id,
                recommendation.reason.as_str(),
            )?;
            for line in by_zone(&recommendation.actions) {
                writeln!(output, "{dim}{:37}{line}{plain}", "")?;
            }
        }
        output.flush()?;
        Ok(())
    }

    fn summarise(&mut self, simulated: Span, sent: u64) -> anyhow::Result<()> {
        let total: u64 = self.counts.values().sum();
        let mut text = format!(
            "\n{:.0} s, {:.1} simulated hours: {sent} records in, {total} recommendations out (and {} about the days before)\n",
            self.started.elapsed().as_secs_f64(),
            simulated.as_hours().0,
            self.before,
        );
        for (reason, count) in &self.counts {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {count:>5}  {reason}");
        }
        if self.json {
            std::io::stderr().write_all(text.as_bytes())?;
        } else {
            std::io::stdout().write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::recommendation::ActionKind;

    fn action(kind: ActionKind, zone: &str, local: &str) -> Action {
        Action {
            action_id: uuid::Uuid::nil(),
            kind,
            start: UtcMillis(0),
            end: UtcMillis(0),
            time_zone: zone.to_owned(),
            local: local.to_owned(),
            message: String::new(),
            why: String::new(),
        }
    }

    #[test]
    fn actions_in_two_zones_are_shown_each_by_its_own_clock() {
        let at_home = action(ActionKind::Sleep, "Europe/London", "22:00–06:00");
        let abroad = action(ActionKind::Sleep, "Asia/Tokyo", "23:00–07:00");
        let light = action(ActionKind::BrightLight, "Asia/Tokyo", "08:00–10:00");
        assert!(by_zone(&[at_home.clone(), at_home.clone()]).is_empty(), "the line says it already");
        assert_eq!(
            by_zone(&[at_home, abroad, light]),
            ["Europe/London: sleep 22:00–06:00", "Asia/Tokyo: sleep 23:00–07:00, bright_light 08:00–10:00"]
        );
    }
}
