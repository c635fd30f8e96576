//! What a worker says of itself and is asked from outside, and the ticks that tell silent partitions the time.

use std::time::Duration;

use super::Worker;
use crate::engine::directory::{Query, Slice};
use crate::engine::log::{Log, LogError};
use crate::engine::partition::Totals;
use crate::engine::processor::{Processor, Unit as _};

impl<P: Processor, L: Log> Worker<P, L> {
    /// Says what time it is to partitions whose log has nothing more to say while a timer is due.
    pub(super) fn write_ticks(&mut self) -> Result<(), LogError> {
        if !self.settings.ticks || self.open.is_some() {
            return Ok(());
        }
        let now = self.shared.clock.now();
        for owned in self.owned.iter_mut() {
            let number = owned.partition.number();
            let overdue = owned.partition.earliest_timer().is_some_and(|due| due <= now);
            let behind = owned.partition.stream_time().is_some_and(|time| now - time > self.settings.tick_interval);
            if !(owned.is_live() && overdue && behind) {
                continue;
            }
            let recently = owned.last_tick.is_some_and(|last| now - last < self.settings.tick_interval);
            let next_offset = owned.partition.next_offset();
            let position = if next_offset >= owned.position_valid_from {
                self.log.position(number).unwrap_or(next_offset).max(next_offset)
            } else {
                next_offset
            };
            let at_end = self.log.end(number).is_some_and(|end| position >= end);
            if recently || !at_end {
                continue;
            }
            self.log.tick(number, now)?;
            owned.last_tick = Some(now);
            self.metrics.ticks.increment(1);
        }
        Ok(())
    }

    pub(super) fn answer_queries(&mut self) -> Result<(), LogError> {
        let Ok(first) = self.queries.try_recv() else { return Ok(()) };
        // An answer tells what is committed, not what may yet be aborted.
        self.finish_transaction()?;
        let mut next = Some(first);
        while let Some(query) = next {
            self.answer(query);
            next = self.queries.try_recv().ok();
        }
        Ok(())
    }

    pub(super) fn answer(&self, query: Query) {
        match query {
            Query::Household { household, user, reply } => {
                let number = self.settings.placement.partition(household.as_bytes(), self.settings.partitions);
                let estimates = self.owned.get(number).and_then(|owned| {
                    let at = owned.partition.stream_time()?;
                    let unit = owned.partition.unit(&household)?;
                    Some(self.processor.estimates(unit, user.as_deref(), at))
                });
                // Who asked may have gone away.
                let _ = reply.send(estimates.unwrap_or_default());
            }
            Query::Everybody { partition, after, reply } => {
                let _ = reply.send(self.slice(partition, after.as_deref()));
            }
        }
    }

    pub(super) fn slice(&self, partition: i32, after: Option<&str>) -> Slice {
        /// An estimate takes some hundred microseconds.
        const HOUSEHOLDS: usize = 200;
        let mut slice = Slice::default();
        let Some(owned) = self.owned.get(partition) else { return slice };
        let Some(at) = owned.partition.stream_time() else { return slice };
        let units = owned.partition.units();
        let first = after.map_or(0, |after| units.partition_point(|unit| unit.key() <= after));
        let end = units.len().min(first + HOUSEHOLDS);
        for unit in &units[first..end] {
            slice.estimates.extend(self.processor.estimates(unit, None, at));
        }
        if end < units.len() {
            slice.next_after = units[first..end].last().map(|unit| unit.key().to_owned());
        }
        slice
    }

    pub(super) fn observe(&mut self) {
        const EVERY: Duration = Duration::from_secs(1);
        let now = self.shared.clock.elapsed();
        if now < self.next_observation {
            return;
        }
        self.next_observation = now + EVERY;
        let clock_now = self.shared.clock.now();
        let mut totals = Totals::default();
        let (mut remaining, mut states_remaining, mut backlog) = (0, 0, 0);
        let mut oldest = Duration::ZERO;
        for owned in self.owned.iter() {
            let number = owned.partition.number();
            let partition_totals = owned.partition.totals();
            totals.travellers += partition_totals.travellers;
            totals.travelling += partition_totals.travelling;
            totals.state_bytes += partition_totals.state_bytes;
            let position = self.log.position(number).unwrap_or(0).max(owned.partition.next_offset());
            if let Some(end) = self.log.end(number) {
                owned.metrics.lag_records.set((end - position).max(0) as f64);
            }
            if let Some(time) = owned.partition.stream_time() {
                owned.metrics.lag_seconds.set((clock_now - time).0.max(0) as f64 / 1_000.0);
            }
            if let Some(until) = owned.restore_until {
                remaining += (until - owned.partition.next_offset()).max(0);
            }
            if let Some(loading) = &owned.loading {
                states_remaining += (loading.until - loading.reached).max(0);
            }
            if owned.partition.checkpoint().is_kept() {
                backlog += owned.partition.checkpoint().backlog();
                if !owned.partition.is_checkpointed() {
                    oldest = oldest.max(now.saturating_sub(owned.last_complete));
                }
            }
        }
        self.metrics.partitions_owned.set(self.owned.iter().count() as f64);
        self.metrics.travellers.set(totals.travellers as f64);
        self.metrics.travelling.set(totals.travelling as f64);
        self.metrics.state_bytes.set(totals.state_bytes as f64);
        self.metrics.restore_remaining.set(remaining as f64);
        self.metrics.restore_states_remaining.set(states_remaining as f64);
        let seconds_left = self.pace.observe(remaining + states_remaining, now);
        self.metrics.restore_seconds_left.set(seconds_left.unwrap_or(0.0));
        self.metrics.checkpoint_backlog.set(backlog as f64);
        self.metrics.checkpoint_age.set(oldest.as_secs_f64());
    }
}
