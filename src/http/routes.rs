//! The routes. Read-only.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::problem::Problem;
use crate::engine::directory::{Owner, Query};
use crate::engine::placement::Placement;
use crate::engine::record::Topic;
use crate::engine::worker::Shared;
use crate::kafka::Cluster;

/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the routes need.
#[derive(Clone)]
pub struct Answers {
    pub metrics: PrometheusHandle,
    pub shared: Arc<Shared>,
    pub placement: Placement,
    /// Partitions of `user_activity`.
    pub partitions: i32,
    /// The consumer group of the travellers, the installation's prefix included.
    pub group: String,
    /// What the brokers call their cluster; `None` where they did not say.
    pub kafka_cluster: Option<String>,
}

impl Answers {
    #[must_use]
    pub fn new(
        metrics: PrometheusHandle,
        shared: Arc<Shared>,
        cluster: &Cluster,
        partitions: i32,
        kafka_cluster: Option<String>,
    ) -> Answers {
        let group = cluster.group(Topic::UserActivity.processor());
        Answers { metrics, shared, placement: cluster.placement, partitions, group, kafka_cluster }
    }
}

/// Answers until `stop` is ready.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    answers: Answers,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/v1/households/{household}/users/{user}", get(traveller))
        .route("/v1/estimates", get(everybody))
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "no such resource",
                "there are /metrics, /health/live, /health/ready, /v1/households/{household}/users/{user}, /v1/estimates",
            )
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not allowed", "everything here is only read: GET")
        })
        .with_state(answers);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Partitions of `user_activity` that an answer covers, separated by commas, and how many there are.
pub const PARTITIONS: HeaderName = HeaderName::from_static("zoner-partitions");
pub const PARTITION_COUNT: HeaderName = HeaderName::from_static("zoner-partition-count");

/// The consumer group that owns them, and the id of its Kafka cluster.
pub const GROUP: HeaderName = HeaderName::from_static("zoner-group");
pub const CLUSTER: HeaderName = HeaderName::from_static("zoner-cluster");

async fn metrics(State(answers): State<Answers>) -> Response {
    // Histograms keep their samples until they are rendered or told to drain.
    answers.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], answers.metrics.render()).into_response()
}

async fn live(State(answers): State<Answers>) -> Response {
    if answers.shared.directory.has_failed() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not live", "a worker has failed; the log says why")
            .into_response();
    }
    "live\n".into_response()
}

async fn ready(State(answers): State<Answers>) -> Response {
    match answers.shared.directory.not_ready() {
        None => "ready\n".into_response(),
        Some(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not ready", why).into_response(),
    }
}

async fn traveller(State(answers): State<Answers>, path: Result<Path<(String, String)>, PathRejection>) -> Response {
    let (household, user) = match path {
        Ok(Path(names)) => names,
        Err(error) => return Problem::new(error.status(), "not a name", error.body_text()).into_response(),
    };
    let partition = answers.placement.partition(household.as_bytes(), answers.partitions);
    let owner = match owner(&answers, partition) {
        Ok(owner) => owner,
        Err(problem) => return problem.into_response(),
    };
    let (reply, answer) = oneshot::channel();
    match ask(&owner, Query::Household { household, user: Some(user), reply }, answer).await {
        Err(problem) => problem.into_response(),
        Ok(estimates) => match estimates.first() {
            Some(estimate) => axum::Json(estimate).into_response(),
            None => Problem::new(
                StatusCode::NOT_FOUND,
                "not known",
                "no record of this person has been seen in this household",
            )
            .into_response(),
        },
    }
}

/// Everybody whom this process knows, a line each, by partition, household and user.
async fn everybody(State(answers): State<Answers>) -> Response {
    let mut body = String::new();
    let mut answered = Vec::new();
    for (partition, owner) in answers.shared.directory.partitions(Topic::UserActivity) {
        answered.push(partition.to_string());
        if !owner.live {
            return restoring(partition).into_response();
        }
        let mut after = None;
        loop {
            let (reply, answer) = oneshot::channel();
            let slice = match ask(&owner, Query::Everybody { partition, after, reply }, answer).await {
                Ok(slice) => slice,
                Err(problem) => return problem.into_response(),
            };
            for estimate in &slice.estimates {
                match serde_json::to_string(estimate) {
                    Ok(line) => {
                        body.push_str(&line);
                        body.push('\n');
                    }
                    Err(error) => {
                        return Problem::new(
                            StatusCode::INTERNAL_SERVER_ERROR,
                            "an estimate could not be encoded",
                            error.to_string(),
                        )
                        .into_response();
                    }
                }
            }
            after = slice.next_after;
            if after.is_none() {
                break;
            }
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        // Whoever asks several members can tell whether they belong together, and whether together they know everybody.
        (GROUP, answers.group),
        (PARTITIONS, answered.join(",")),
        (PARTITION_COUNT, answers.partitions.to_string()),
    ];
    let cluster = answers.kafka_cluster.map(|id| AppendHeaders([(CLUSTER, id)]));
    (headers, cluster, body).into_response()
}

fn owner(answers: &Answers, partition: i32) -> Result<Owner, Problem> {
    match answers.shared.directory.owner(Topic::UserActivity, partition) {
        Some(owner) if owner.live => Ok(owner),
        Some(_) => Err(restoring(partition)),
        None => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not here",
            format!("partition {partition} of user_activity belongs to another member, or to none yet: ask the others"),
        )),
    }
}

fn restoring(partition: i32) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "restoring",
        format!("partition {partition} of user_activity is being rebuilt from its log"),
    )
}

async fn ask<T>(owner: &Owner, query: Query, answer: oneshot::Receiver<T>) -> Result<T, Problem> {
    let gone = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no answer", "the partition's worker is stopping");
    if !owner.mailbox.ask(query) {
        return Err(gone());
    }
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no answer", "the partition's worker is busy")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::engine::clock::SystemClock;
    use crate::engine::directory::Directory;

    fn answers(kafka_cluster: Option<&str>) -> Answers {
        let cluster = Cluster {
            brokers: String::new(),
            prefix: "test.".to_owned(),
            placement: Placement::Murmur2,
            properties: BTreeMap::new(),
            instance_id: None,
            process_id: String::new(),
            embedded: false,
        };
        let (directory, stop) = (Directory::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { directory, clock: Arc::new(SystemClock), stop });
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        Answers::new(metrics, shared, &cluster, 4, kafka_cluster.map(str::to_owned))
    }

    #[tokio::test]
    async fn an_answer_names_its_kafka_cluster_and_leaves_a_name_that_nobody_knows_out() {
        let answer = everybody(State(answers(Some("kafka-1")))).await;
        assert_eq!(answer.headers()[CLUSTER], "kafka-1");
        assert_eq!(answer.headers()[PARTITION_COUNT], "4");
        let answer = everybody(State(answers(None))).await;
        assert!(!answer.headers().contains_key(CLUSTER), "{:?}", answer.headers());
        assert_eq!(answer.headers()[GROUP], "test.zoner-travellers");
    }
}
