//! Every metric: its name, its unit, what it says. Base units; no user, household or flight in a label.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use rustc_hash::FxHashMap;

use crate::engine::record::Topic;
use crate::event::activity::Activity;
use crate::event::recommendation::Reason;
use crate::event::rejection::Code;

const EVENTS: &str = "zoner_events_total";
const DEAD_LETTERS: &str = "zoner_dead_letters_total";
const LATE_EVENTS: &str = "zoner_late_events_total";
const FORWARDED: &str = "zoner_forwarded_total";
const RECOMMENDATIONS: &str = "zoner_recommendations_total";
const HELD: &str = "zoner_recommendations_held_total";
const EVENT_TO_RECOMMENDATION: &str = "zoner_event_to_recommendation_seconds";
const BATCH: &str = "zoner_batch_seconds";
const CLOCK_WIDTH: &str = "zoner_clock_interval_hours";
const CLOCK_NIS: &str = "zoner_clock_innovation_squared";
const COMMIT: &str = "zoner_commit_seconds";
const TRANSACTIONS: &str = "zoner_transactions_total";
const REBALANCES: &str = "zoner_rebalances_total";
const FENCED: &str = "zoner_fenced_total";
const KNOCKS: &str = "zoner_knocks_total";
const PARTITIONS: &str = "zoner_partitions";
const PARTITIONS_OWNED: &str = "zoner_partitions_owned";
const LAG_RECORDS: &str = "zoner_consumer_lag_records";
const LAG_SECONDS: &str = "zoner_stream_time_lag_seconds";
const TICKS: &str = "zoner_ticks_total";
const TRAVELLERS: &str = "zoner_travellers";
const TRAVELLING: &str = "zoner_travelling";
const STATE_BYTES: &str = "zoner_state_bytes";
const RESTORE_REMAINING: &str = "zoner_restore_remaining_records";
const RESTORE_STATES_REMAINING: &str = "zoner_restore_remaining_states";
const RESTORE_SECONDS_LEFT: &str = "zoner_restore_left_seconds";
const RESTORED: &str = "zoner_restored_states_total";
const GAP: &str = "zoner_gap_records_total";
const REPLAYED_BY_ANOTHER: &str = "zoner_replayed_by_another_program_total";
const CHECKPOINT: &str = "zoner_checkpoint_seconds";
const CHECKPOINT_RECORDS: &str = "zoner_checkpoint_records_total";
const CHECKPOINT_BYTES: &str = "zoner_checkpoint_bytes_total";
const CHECKPOINT_BACKLOG: &str = "zoner_checkpoint_backlog_states";
const CHECKPOINT_AGE: &str = "zoner_checkpoint_age_seconds";
const BUILD_INFO: &str = "zoner_build_info";
const TZDB_INFO: &str = "zoner_tzdb_info";

/// Seconds; from the half millisecond of a batch to the minute of somebody's bad night.
const SECONDS_BUCKETS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Hours of an 80 % interval; settled life has about two.
const WIDTH_BUCKETS: [f64; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0];

/// Normalised innovations squared: above 4 is twice as far off as the filter thinks likely.
const NIS_BUCKETS: [f64; 8] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 9.0, 16.0];

/// Installs the recorder of this process; the handle renders what `/metrics` answers.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(CLOCK_WIDTH.to_owned()), &WIDTH_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(CLOCK_NIS.to_owned()), &NIS_BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!(EVENTS, "records applied, by topic and activity");
    describe_counter!(DEAD_LETTERS, "records that could not be used, by code");
    describe_counter!(LATE_EVENTS, "facts older than the 48 h window: they no longer move an estimate");
    describe_counter!(FORWARDED, "records found in another partition than their key's and moved there");
    describe_counter!(RECOMMENDATIONS, "recommendations published, by reason");
    describe_counter!(HELD, "recommendations not published: unchanged, or expired before time reached them");
    describe_histogram!(EVENT_TO_RECOMMENDATION, Unit::Seconds, "record timestamp to committed recommendation");
    describe_histogram!(BATCH, Unit::Seconds, "decoding and applying one fetched batch");
    describe_histogram!(COMMIT, Unit::Seconds, "committing one transaction");
    describe_histogram!(CLOCK_WIDTH, "width of the 80 % interval of a published body clock, hours");
    describe_histogram!(
        CLOCK_NIS,
        "normalised innovation squared of the latest night that somebody told of, whether their published body clock rests on \
         it or nobody said why it lies elsewhere: below 1 on average"
    );
    describe_counter!(TRANSACTIONS, "transactions, by outcome");
    describe_counter!(REBALANCES, "assignments and revocations handled");
    describe_counter!(FENCED, "times that another producer or member took over");
    describe_counter!(KNOCKS, "times that a group was made to assign anew, because partitions belonged to nobody");
    describe_gauge!(PARTITIONS, "partitions of an input topic");
    describe_gauge!(PARTITIONS_OWNED, "partitions that a worker owns, live or being restored");
    describe_gauge!(LAG_RECORDS, "records between a partition's next offset and its end");
    describe_gauge!(LAG_SECONDS, Unit::Seconds, "clock minus stream time of a partition");
    describe_counter!(TICKS, "tick records written");
    describe_gauge!(TRAVELLERS, "people in memory");
    describe_gauge!(TRAVELLING, "people in memory who are on a journey");
    describe_gauge!(STATE_BYTES, Unit::Bytes, "bytes of the states in memory");
    describe_gauge!(RESTORE_REMAINING, "records still to be replayed before a partition is live");
    describe_gauge!(RESTORE_STATES_REMAINING, "state records still to be read before a partition can be replayed");
    describe_gauge!(RESTORE_SECONDS_LEFT, Unit::Seconds, "time that the restore still takes at its present pace");
    describe_counter!(RESTORED, "states that were known again when partitions were taken over");
    describe_counter!(GAP, "records whose effects never come: what --accept-gap went on without");
    describe_counter!(REPLAYED_BY_ANOTHER, "records replayed by another program than the one that applied them");
    describe_histogram!(CHECKPOINT, Unit::Seconds, "writing one slice of states");
    describe_counter!(CHECKPOINT_RECORDS, "records written into the state topic, by kind");
    describe_counter!(CHECKPOINT_BYTES, Unit::Bytes, "bytes of the states written");
    describe_gauge!(CHECKPOINT_BACKLOG, "changed states that the state topic does not have yet");
    describe_gauge!(CHECKPOINT_AGE, Unit::Seconds, "age of the oldest checkpoint of the partitions that have changed");
    describe_gauge!(BUILD_INFO, "1, with the version of the program");
    describe_gauge!(TZDB_INFO, "1, with the version of the time-zone rules in force");
}

/// What a process says of itself from its first scrape on.
pub fn process_info(tzdb_version: &'static str) {
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!(TZDB_INFO, "version" => tzdb_version).set(1.0);
}

/// The handles of one worker, registered once with every label value, so that a series exists before its first event.
pub struct WorkerMetrics {
    topic: &'static str,
    events: FxHashMap<&'static str, Counter>,
    dead_letters: Vec<(Code, Counter)>,
    recommendations: Vec<(Reason, Counter)>,
    pub late_events: Counter,
    pub forwarded: Counter,
    pub held_unchanged: Counter,
    pub held_expired: Counter,
    pub event_to_recommendation: Histogram,
    pub batch: Histogram,
    pub commit: Histogram,
    pub clock_width: Histogram,
    pub clock_nis: Histogram,
    pub committed: Counter,
    pub aborted: Counter,
    pub regrouped: Counter,
    pub rebalances: Counter,
    pub fenced: Counter,
    pub ticks: Counter,
    pub partitions_owned: Gauge,
    pub travellers: Gauge,
    pub travelling: Gauge,
    pub state_bytes: Gauge,
    pub restore_remaining: Gauge,
    pub restore_states_remaining: Gauge,
    pub restore_seconds_left: Gauge,
    pub restored: Counter,
    pub gap: Counter,
    pub replayed_by_another: Counter,
    pub checkpoint: Histogram,
    pub checkpoint_states: Counter,
    pub checkpoint_gone: Counter,
    pub checkpoint_bytes: Counter,
    pub checkpoint_backlog: Gauge,
    pub checkpoint_age: Gauge,
}

/// Times that the group of an input topic was made to assign anew; 0 from the start.
pub fn knocks(topic: Topic) -> Counter {
    counter!(KNOCKS, "topic" => topic.as_str())
}

/// Gauges of one partition, of which nothing is said any more when it is given up.
pub struct PartitionMetrics {
    pub lag_records: Gauge,
    pub lag_seconds: Gauge,
}

impl PartitionMetrics {
    #[must_use]
    pub fn new(topic: Topic, partition: i32) -> PartitionMetrics {
        let partition = partition.to_string();
        PartitionMetrics {
            lag_records: gauge!(LAG_RECORDS, "topic" => topic.as_str(), "partition" => partition.clone()),
            lag_seconds: gauge!(LAG_SECONDS, "topic" => topic.as_str(), "partition" => partition),
        }
    }
}

impl Drop for PartitionMetrics {
    fn drop(&mut self) {
        // Its next owner goes on; what stood here last would count as its lag for ever.
        self.lag_records.set(0.0);
        self.lag_seconds.set(0.0);
    }
}

impl WorkerMetrics {
    #[must_use]
    pub fn new(topic: Topic, worker: usize, partitions: i32) -> WorkerMetrics {
        let name = topic.as_str();
        let worker = worker.to_string();
        gauge!(PARTITIONS, "topic" => name).set(f64::from(partitions));
        let event_names: &[&'static str] = match topic {
            Topic::UserActivity => &Activity::NAMES,
            Topic::FlightStatus => &["flight_status", "watch", "tick"],
        };
        WorkerMetrics {
            topic: name,
            events: event_names
                .iter()
                .map(|activity| (*activity, counter!(EVENTS, "topic" => name, "activity" => *activity)))
                .collect(),
            dead_letters: Code::ALL.map(|code| (code, counter!(DEAD_LETTERS, "code" => code.as_str()))).to_vec(),
            recommendations: Reason::ALL
                .map(|reason| (reason, counter!(RECOMMENDATIONS, "reason" => reason.as_str())))
                .to_vec(),
            late_events: counter!(LATE_EVENTS),
            forwarded: counter!(FORWARDED, "topic" => name),
            held_unchanged: counter!(HELD, "why" => "unchanged"),
            held_expired: counter!(HELD, "why" => "expired"),
            event_to_recommendation: histogram!(EVENT_TO_RECOMMENDATION),
            batch: histogram!(BATCH),
            commit: histogram!(COMMIT),
            clock_width: histogram!(CLOCK_WIDTH),
            clock_nis: histogram!(CLOCK_NIS),
            committed: counter!(TRANSACTIONS, "outcome" => "committed"),
            aborted: counter!(TRANSACTIONS, "outcome" => "aborted"),
            regrouped: counter!(TRANSACTIONS, "outcome" => "regrouped"),
            rebalances: counter!(REBALANCES),
            fenced: counter!(FENCED),
            ticks: counter!(TICKS, "topic" => name),
            partitions_owned: gauge!(PARTITIONS_OWNED, "topic" => name, "worker" => worker.clone()),
            travellers: gauge!(TRAVELLERS, "topic" => name, "worker" => worker.clone()),
            travelling: gauge!(TRAVELLING, "topic" => name, "worker" => worker.clone()),
            state_bytes: gauge!(STATE_BYTES, "topic" => name, "worker" => worker.clone()),
            restore_remaining: gauge!(RESTORE_REMAINING, "topic" => name, "worker" => worker.clone()),
            restore_states_remaining: gauge!(RESTORE_STATES_REMAINING, "topic" => name, "worker" => worker.clone()),
            restore_seconds_left: gauge!(RESTORE_SECONDS_LEFT, "topic" => name, "worker" => worker.clone()),
            restored: counter!(RESTORED, "topic" => name),
            gap: counter!(GAP, "topic" => name),
            replayed_by_another: counter!(REPLAYED_BY_ANOTHER, "topic" => name),
            checkpoint: histogram!(CHECKPOINT, "topic" => name),
            checkpoint_states: counter!(CHECKPOINT_RECORDS, "topic" => name, "kind" => "state"),
            checkpoint_gone: counter!(CHECKPOINT_RECORDS, "topic" => name, "kind" => "tombstone"),
            checkpoint_bytes: counter!(CHECKPOINT_BYTES, "topic" => name),
            checkpoint_backlog: gauge!(CHECKPOINT_BACKLOG, "topic" => name, "worker" => worker.clone()),
            checkpoint_age: gauge!(CHECKPOINT_AGE, "topic" => name, "worker" => worker),
        }
    }

    pub fn event(&self, activity: &'static str, count: u64) {
        if let Some(counter) = self.events.get(activity) {
            counter.increment(count);
        } else {
            counter!(EVENTS, "topic" => self.topic, "activity" => activity).increment(count);
        }
    }

    pub fn dead_letter(&self, code: Code) {
        if let Some((_, counter)) = self.dead_letters.iter().find(|(known, _)| *known == code) {
            counter.increment(1);
        }
    }

    pub fn recommendation(&self, reason: Reason) {
        if let Some((_, counter)) = self.recommendations.iter().find(|(known, _)| *known == reason) {
            counter.increment(1);
        }
    }
}
