//! `zoner run`: the service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;
use tokio::net::TcpListener;
use tracing::{info, warn};

use super::Connection;
use super::common;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::record::Topic;
use crate::engine::worker::Shared;
use crate::http::{Answers, serve};
use crate::kafka::Cluster;
use crate::kafka::markers::{self, Found};
use crate::kafka::topics::{Topics, Wanted, wanted};
use crate::service::{Plan, Service};
use crate::settings::Config;
use crate::{flight, telemetry};

#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    connection: Connection,
    /// Address of metrics, health and questions (overrides http.listen)
    #[arg(long, value_name = "HOST:PORT", value_parser = common::listen_address)]
    http: Option<String>,
    /// Static member name, unique to this process (overrides kafka.instance_id)
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Accept input topics stamped by their producers; no ticks are written, so time stands still where nothing arrives
    #[arg(long)]
    create_time: bool,
    /// Go on where records were deleted too early, or where the group's offsets expired or were set by hand; it is remembered
    #[arg(long)]
    accept_gap: bool,
    /// On SIGTERM give the partitions up at once, even as a static member
    #[arg(long)]
    leave: bool,
    /// Show the configuration in force, secrets masked, and end
    #[arg(long)]
    print_config: bool,
}

pub fn run(command: &Run) -> anyhow::Result<()> {
    let mut config = common::configuration(&command.connection)?;
    if let Some(listen) = &command.http {
        config.http.listen.clone_from(listen);
    }
    if let Some(instance) = &command.instance {
        config.kafka.instance_id.clone_from(instance);
    }
    if command.print_config {
        print!("{}", config.to_masked_toml());
        return Ok(());
    }
    common::start_logging("info");
    common::runtime()?.block_on(serve_until_signalled(command, &config))
}

async fn serve_until_signalled(command: &Run, config: &Config) -> anyhow::Result<()> {
    let metrics = telemetry::install().context("installing the metrics recorder")?;
    telemetry::process_info(flight::zones::tzdb_version());
    let cluster = Arc::new(config.cluster());
    let partitions = check_topics(command, config).await?;
    let ticks = !command.create_time;
    let plan = Plan {
        cluster: Arc::clone(&cluster),
        travellers: config.worker(partitions.user_activity, ticks, command.accept_gap),
        flights: config.worker(partitions.flight_status, ticks, command.accept_gap),
        traveller_workers: config.engine.traveller_workers,
        flight_workers: config.engine.flight_workers,
        leave: command.leave,
    };
    let listener = TcpListener::bind(&config.http.listen)
        .await
        .with_context(|| format!("listening on {} (http.listen)", config.http.listen))?;
    let address = listener.local_addr()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let service = Service::start(&plan, clock).context("starting the workers")?;
    let kafka_cluster = Topics::connect(&cluster)?.cluster_id();
    let answers = Answers::new(metrics, service.shared(), &cluster, partitions.user_activity, kafka_cluster);
    info!(brokers = cluster.brokers, "zoner runs");
    info!("metrics http://{address}/metrics, health http://{address}/health/ready");
    let (stop_http, http_stopped) = tokio::sync::oneshot::channel::<()>();
    let http = tokio::spawn(serve(listener, answers, async {
        // An error means that the sender is gone: stop as well.
        let _ = http_stopped.await;
    }));

    let restores = tokio::spawn(show_restores(service.shared()));
    tokio::select! {
        result = common::signalled() => result?,
        () = failure(&service) => {}
    }
    restores.abort();
    info!("stopping: committing and leaving");
    let stopped = tokio::task::spawn_blocking(move || service.stop()).await.context("stopping the workers")?;
    let _ = stop_http.send(());
    // Connections that stay open must not keep the process.
    let _ = tokio::time::timeout(Duration::from_secs(2), http).await;
    stopped.map_err(anyhow::Error::msg)
}

/// A bar for every restore, for whoever watches on a terminal; metrics and `/health/ready` say the same to everybody.
async fn show_restores(shared: Arc<Shared>) {
    const OFTEN: Duration = Duration::from_millis(200);
    let mut bar: Option<ProgressBar> = None;
    loop {
        tokio::time::sleep(OFTEN).await;
        let restoring = shared.directory.restoring();
        let left = restoring.states + restoring.records;
        if restoring.partitions == 0 {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        } else if left > 0 {
            let bar = bar.get_or_insert_with(|| common::progress(left, "states and records"));
            // What is left to replay is known only once the states are there: the whole may grow.
            let total = bar.length().unwrap_or(left).max(left);
            bar.set_length(total);
            bar.set_position(total - left);
        }
    }
}

async fn failure(service: &Service) {
    while !service.has_failed() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

struct Partitions {
    user_activity: i32,
    flight_status: i32,
}

/// Names every topic that is missing, and the command that makes them.
fn refuse_missing(topics: &Topics, wanted: &[Wanted], config: &Config, create_time: bool) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for Wanted { name, .. } in wanted {
        if topics.partitions(name)?.is_none() {
            missing.push(name.as_str());
        }
    }
    let stamps = if create_time { " --create-time" } else { "" };
    let prefix = match config.topics.prefix.as_str() {
        "" => String::new(),
        prefix => format!(" --prefix {prefix}"),
    };
    let advice = format!("`zoner topics create{stamps}{prefix}` makes what is missing");
    match missing.as_slice() {
        [] => Ok(()),
        [name] => bail!("topic {name} does not exist: {advice}"),
        names => bail!("topics {} do not exist: {advice}", names.join(", ")),
    }
}

/// Refuses to start on topics that are missing or whose stamps are the producers'.
async fn check_topics(command: &Run, config: &Config) -> anyhow::Result<Partitions> {
    let cluster = config.cluster();
    let topics = Topics::connect(&cluster)?;
    let layout = config.layout(command.create_time);
    let wanted = wanted(&cluster, &layout);
    refuse_missing(&topics, &wanted, config, command.create_time)?;
    for Wanted { name, settings, partitions_matter, .. } in wanted {
        if !partitions_matter {
            continue;
        }
        let in_force = topics.settings(&name).await?;
        let setting = |key: &str| in_force.get(key).map_or("", String::as_str);
        if settings.get("cleanup.policy").is_some_and(|policy| policy == "compact")
            && setting("cleanup.policy") != "compact"
        {
            bail!(
                "topic {name} has cleanup.policy={}: states that do not change would be deleted. `zoner topics create --alter` sets \
                 compact",
                setting("cleanup.policy")
            );
        }
        let stamps = setting("message.timestamp.type");
        let wanted_stamps = settings.get("message.timestamp.type").map_or("", String::as_str);
        if stamps != wanted_stamps && !command.create_time {
            bail!(
                "topic {name} has message.timestamp.type={stamps}: a producer's wrong clock would move everybody's time. \
                 `zoner topics create --alter` sets {wanted_stamps}; --create-time runs on it as it is"
            );
        }
    }
    let count = |topic: Topic| -> anyhow::Result<i32> {
        let (input, states) = (cluster.topic(topic), cluster.state_topic(topic.processor()));
        let partitions = topics.partitions(&input)?.context("the topic was there a moment ago")?;
        let state_partitions = topics.partitions(&states)?.context("the topic was there a moment ago")?;
        if partitions != state_partitions {
            bail!(
                "topic {input} has {partitions} partitions and {states} has {state_partitions}: they must be as many. \
                 Where partitions were added to the input, households have moved between partitions: replay it into \
                 topics of another prefix (zoner replay --from-topic … --to-topic …). Where {states} was made with another \
                 number than its input: delete it, `zoner topics create` makes it anew, and the states are rebuilt from the input"
            );
        }
        Ok(partitions)
    };
    let partitions =
        Partitions { user_activity: count(Topic::UserActivity)?, flight_status: count(Topic::FlightStatus)? };
    for (topic, count) in
        [(Topic::UserActivity, partitions.user_activity), (Topic::FlightStatus, partitions.flight_status)]
    {
        check_layout(&cluster, topic, count)?;
    }
    Ok(partitions)
}

/// Refuses states that lie by another layout before the group is joined: a member that could not take its partitions over
/// would make the others stop for its coming and its going.
fn check_layout(cluster: &Cluster, topic: Topic, partitions: i32) -> anyhow::Result<()> {
    match markers::any(cluster, topic.processor(), partitions)? {
        Found::Marker { partition, marker } => {
            marker.check_layout(topic, partition, partitions, cluster.placement).map_err(anyhow::Error::msg)
        }
        Found::Nothing => Ok(()),
        Found::NotInTime => {
            let states = cluster.state_topic(topic.processor());
            warn!(topic = states, "no marker was found in time: whether states fit is seen when they are loaded");
            Ok(())
        }
    }
}
