//! Effects as records, and what is counted once they are committed.

use super::clock::Clock;
use super::effects::{ClockSaid, Effect, Effects};
use super::log::{Destination, Log, LogError, Output};
use super::record::{FORWARDED_HEADER, Record, Topic};
use crate::event::dead_letter::{self, DeadLetterError};
use crate::event::encode;
use crate::event::recommendation::Reason;
use crate::event::rejection::{Code, Rejection};
use crate::telemetry::WorkerMetrics;
use crate::units::UtcMillis;

/// What the open transaction will have done when it is committed.
#[derive(Default)]
pub struct Outbox {
    urgent: bool,
    /// By metric label; a handful. One label may be counted in two parts.
    events: Vec<(&'static str, u64)>,
    /// Reason and the stamp of the record that caused it.
    recommendations: Vec<(Reason, UtcMillis)>,
    dead_letters: Vec<Code>,
    forwarded: u64,
    expired: u64,
    late: u64,
    unchanged: u64,
    clocks: Vec<ClockSaid>,
    buffer: Vec<u8>,
}

impl Outbox {
    /// Somebody waits for what was written: a person, or the reader of another partition, whom an open transaction
    /// holds back.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    pub fn count_event(&mut self, name: &'static str) {
        // The same name is the same constant: no need to look at its letters.
        match self.events.iter_mut().find(|(counted, _)| std::ptr::eq(*counted, name)) {
            Some((_, count)) => *count += 1,
            None => self.events.push((name, 1)),
        }
    }

    pub fn count_effects(&mut self, effects: &Effects) {
        self.late += u64::from(effects.late_events);
        self.unchanged += u64::from(effects.held_unchanged);
        self.clocks.extend_from_slice(&effects.clocks);
    }

    /// # Errors
    /// The log refused the record.
    pub fn write<L: Log>(&mut self, log: &mut L, effect: &Effect, moved_by: &Record<'_>) -> Result<(), LogError> {
        match effect {
            Effect::Recommend(recommendation) => {
                if recommendation.expires_at <= moved_by.stamp {
                    self.expired += 1;
                    return Ok(());
                }
                self.buffer.clear();
                serde_json::to_writer(&mut self.buffer, recommendation)
                    .map_err(|error| LogError::Fatal(format!("a recommendation could not be encoded: {error}")))?;
                let cause = recommendation_cause(moved_by);
                log.produce(&Output {
                    destination: Destination::Recommendations,
                    partition: None,
                    key: Some(recommendation.household_id.as_bytes()),
                    value: Some(&self.buffer),
                    headers: &[
                        ("reason", Some(recommendation.reason.as_str().as_bytes())),
                        ("content-type", Some(b"application/json".as_slice())),
                        ("schema", Some(b"1".as_slice())),
                        ("cause", Some(cause.as_bytes())),
                    ],
                    stamp: None,
                })?;
                self.recommendations.push((recommendation.reason, moved_by.stamp));
            }
            Effect::FlightUpdate { household_id, update } => {
                let value = encode::flight_update(household_id, update);
                log.produce(&internal(Destination::UserActivity, household_id.as_bytes(), &value, moved_by.stamp))?;
            }
            Effect::Watch(watch) => {
                let value = encode::watch(watch);
                let key = watch.flight_key.as_str().as_bytes();
                log.produce(&internal(Destination::FlightStatus, key, &value, moved_by.stamp))?;
            }
        }
        self.urgent = true;
        Ok(())
    }

    /// Moves a record to the partition of its key, as it was received.
    ///
    /// # Errors
    /// The log refused the record.
    pub fn forward<L: Log>(
        &mut self,
        log: &mut L,
        topic: Topic,
        record: &Record<'_>,
        key: &str,
        received: &[(String, Option<Vec<u8>>)],
    ) -> Result<(), LogError> {
        let origin = origin_header(record);
        let mut headers = borrowed(received);
        headers.push((FORWARDED_HEADER, Some(origin.as_bytes())));
        log.produce(&Output {
            destination: match topic {
                Topic::UserActivity => Destination::UserActivity,
                Topic::FlightStatus => Destination::FlightStatus,
            },
            partition: None,
            key: Some(key.as_bytes()),
            value: record.value,
            headers: &headers,
            stamp: Some(record.stamp),
        })?;
        self.forwarded += 1;
        self.urgent = true;
        Ok(())
    }

    /// # Errors
    /// The log refused the record.
    pub fn dead_letter<L: Log>(
        &mut self,
        log: &mut L,
        record: &Record<'_>,
        rejection: &Rejection,
        received: &[(String, Option<Vec<u8>>)],
    ) -> Result<(), LogError> {
        // By its whole name the record can be found.
        let error = DeadLetterError::new(record, rejection).in_topic(log.topic_name());
        let said = error.headers();
        let mut headers = borrowed(received);
        headers.extend(said.iter().map(|(name, value)| (*name, Some(value.as_bytes()))));
        log.produce(&Output {
            destination: Destination::DeadLetters,
            partition: None,
            key: record.key,
            value: record.value.map(dead_letter::kept),
            headers: &headers,
            stamp: None,
        })?;
        self.dead_letters.push(rejection.code);
        Ok(())
    }

    /// The transaction stands: now it counts.
    pub fn committed(&mut self, metrics: &WorkerMetrics, clock: &dyn Clock) {
        for (name, count) in self.events.drain(..) {
            metrics.event(name, count);
        }
        let now = clock.now();
        for (reason, stamp) in self.recommendations.drain(..) {
            metrics.recommendation(reason);
            metrics.event_to_recommendation.record((now - stamp).0.max(0) as f64 / 1_000.0 / clock.speed());
        }
        for code in self.dead_letters.drain(..) {
            metrics.dead_letter(code);
        }
        metrics.forwarded.increment(self.forwarded);
        metrics.held_expired.increment(self.expired);
        metrics.held_unchanged.increment(self.unchanged);
        metrics.late_events.increment(self.late);
        for said in self.clocks.drain(..) {
            metrics.clock_width.record(said.width);
            if let Some(nis) = said.nis {
                metrics.clock_nis.record(nis);
            }
        }
        self.reset();
    }

    /// Nothing of it happened.
    pub fn aborted(&mut self) {
        self.events.clear();
        self.recommendations.clear();
        self.dead_letters.clear();
        self.clocks.clear();
        self.reset();
    }

    fn reset(&mut self) {
        self.urgent = false;
        self.forwarded = 0;
        self.expired = 0;
        self.late = 0;
        self.unchanged = 0;
    }
}

fn internal<'a>(destination: Destination, key: &'a [u8], value: &'a [u8], stamp: UtcMillis) -> Output<'a> {
    Output { destination, partition: None, key: Some(key), value: Some(value), headers: &[], stamp: Some(stamp) }
}

fn borrowed(received: &[(String, Option<Vec<u8>>)]) -> Vec<(&str, Option<&[u8]>)> {
    received.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

fn recommendation_cause(record: &Record<'_>) -> String {
    let position = record.position;
    format!("{}/{}/{}", position.topic.as_str(), position.partition, position.offset)
}

/// `topic/partition/offset/stamp in ms` of a record's first place.
fn origin_header(record: &Record<'_>) -> String {
    format!("{}/{}", recommendation_cause(record), record.stamp.0)
}
