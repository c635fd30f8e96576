//! The wall clock, as far as anything may look at it: to decide when a tick is written, and to measure.

use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::units::{Span, UtcMillis};

/// What time it is. Nothing that this says reaches a state, except through a record that carries it.
pub trait Clock: Send + Sync {
    fn now(&self) -> UtcMillis;

    /// Time since some fixed moment, never going back: how long a transaction has been open, when to look at something
    /// again. Real time also where [`Clock::now`] is simulated at another speed.
    fn elapsed(&self) -> Duration {
        static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGINNING.elapsed()
    }

    /// Ticks must carry this clock's time as their stamp, because the broker's clock is another one.
    fn is_simulated(&self) -> bool {
        false
    }

    /// Its seconds in one second of the wall clock.
    fn speed(&self) -> f64 {
        1.0
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcMillis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Time that runs `speed` times as fast as the wall clock, from a chosen start and from the moment that it is started.
/// It never passes the wall clock: brokers refuse stamps of the future.
#[derive(Debug)]
pub struct ScaledClock {
    started: OnceLock<Instant>,
    start: UtcMillis,
    speed: f64,
}

impl ScaledClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: UtcMillis, speed: f64) -> ScaledClock {
        ScaledClock { started: OnceLock::new(), start, speed }
    }

    /// Lets it run; a second call changes nothing.
    pub fn run(&self) {
        self.started.get_or_init(Instant::now);
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> UtcMillis {
        let elapsed = self.started.get().map_or(0.0, |started| started.elapsed().as_secs_f64());
        let simulated = self.start + Span((elapsed * 1_000.0 * self.speed) as i64);
        simulated.min(SystemClock.now())
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_stands_until_it_is_started_and_never_passes_the_wall_clock() {
        let start = SystemClock.now() - Span::minutes(1);
        let clock = ScaledClock::new(start, 1e9);
        assert_eq!(clock.now(), start);
        clock.run();
        std::thread::sleep(Duration::from_millis(2));
        let now = clock.now();
        assert!(now > start && now <= SystemClock.now());
    }
}
