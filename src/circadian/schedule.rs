//! Integration over a light schedule that changes at any times, not only at the borders of light bins.
//!
//! For schedules that somebody wrote down. Steps end where the light changes and at the grid's cells ([`drive`](super::drive)).

use std::ops::ControlFlow;

use crate::circadian::drive::{CELL, GridStep};
use crate::circadian::markers::CrossingWatch;
use crate::circadian::oscillator::Oscillator;
use crate::units::{Hours, Lux, UtcMillis};

/// Light that stays as it is from one change to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct LightSchedule {
    /// When which light begins, in order of time.
    changes: Vec<(UtcMillis, Lux)>,
    end: UtcMillis,
}

impl LightSchedule {
    /// `changes` in order of time; the last light lasts until `end`, and what begins later is left out.
    #[must_use]
    pub fn new(changes: Vec<(UtcMillis, Lux)>, end: UtcMillis) -> LightSchedule {
        LightSchedule { changes, end }
    }

    /// When the first light begins; the end, where there is none.
    #[must_use]
    pub fn start(&self) -> UtcMillis {
        self.changes.first().map_or(self.end, |(start, _)| *start)
    }

    #[must_use]
    pub fn end(&self) -> UtcMillis {
        self.end
    }

    /// Steps through the schedule and shows the state at its start, at every multiple of half an hour since the epoch and at
    /// its end; returns every CBTmin in it ([`cbt_min_crossings`](super::cbt_min_crossings)), as if the last light went on
    /// beyond the end, and the state at its end.
    pub fn run<O: Oscillator>(
        &self,
        oscillator: &O,
        start: O::State,
        mut show: impl FnMut(UtcMillis, &O::State),
    ) -> (Vec<UtcMillis>, O::State) {
        let mut crossings = Vec::new();
        let mut collect = |crossing| {
            crossings.push(crossing);
            ControlFlow::Continue(())
        };
        let mut watch = CrossingWatch::new(oscillator, &start, Hours(0.0));
        let mut state = start;
        show(self.start(), &state);
        for (index, (begins, light)) in self.changes.iter().enumerate() {
            let ends = self.changes.get(index + 1).map_or(self.end, |(next, _)| (*next).min(self.end));
            let drive = oscillator.drive(*light);
            let mut now = *begins;
            while now < ends {
                let cell_end = now.floor_to(CELL) + CELL;
                let next = ends.min(cell_end);
                let after = oscillator.step(state, &drive, next - now);
                let step = GridStep { start: now, length: next - now, before: state, after, drive: &drive };
                let _ = watch.see(oscillator, &step, &mut collect);
                state = after;
                now = next;
                if now == cell_end || now == self.end {
                    show(now, &state);
                }
            }
        }
        if let Some((_, last_light)) = self.changes.last() {
            watch.finish(oscillator, state, self.end, |_| *last_light, &mut collect);
        }
        (crossings, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circadian::hannay19::Hannay19;
    use crate::circadian::markers::cbt_min_crossings;
    use crate::circadian::van_der_pol::{Forger99, Forger99Light, Jewett99};
    use crate::units::Span;

    fn days(minutes_late: i64) -> LightSchedule {
        let start = UtcMillis(0);
        let changes = (0..20).flat_map(|day| {
            let at = |hour, lux| (start + Span::days(day) + Span::hours(hour) + Span::minutes(minutes_late), Lux(lux));
            [at(0, 0.0), at(7, 400.0), at(20, 60.0), at(23, 0.0)]
        });
        LightSchedule::new(changes.collect(), start + Span::days(20))
    }

    #[test]
    fn on_the_grid_it_is_the_integration_over_bins() {
        fn check<O: Oscillator>(oscillator: &O) {
            let light = |at: UtcMillis| match at.0.rem_euclid(86_400_000) / 3_600_000 {
                7..20 => Lux(400.0),
                20..23 => Lux(60.0),
                _ => Lux(0.0),
            };
            let (start, end) = (UtcMillis(0), UtcMillis(0) + Span::days(20));
            let expected = cbt_min_crossings(oscillator, oscillator.initial_state(), start, end, Hours(0.0), light);
            assert_eq!(days(0).run(oscillator, oscillator.initial_state(), |_, _| {}), expected);
        }
        check(&Hannay19::embedded());
        check(&Jewett99::embedded());
    }

    #[test]
    fn a_schedule_moved_by_some_minutes_moves_the_clock_by_them() {
        let clock = Hannay19::embedded();
        let (expected, _) = days(0).run(&clock, clock.initial_state(), |_, _| {});
        let (late, _) = days(7).run(&clock, clock.initial_state(), |_, _| {});
        let moved = (late[18] - expected[18]).as_hours().0 * 60.0;
        assert!((moved - 7.0).abs() < 0.05, "{moved} min");
    }

    /// A light that turns the temperature up for a moment makes a minimum that is not the cycle's.
    #[test]
    fn a_schedule_has_the_minima_of_the_same_one_that_goes_on() {
        let clock = Forger99::embedded(Forger99Light::Serkh);
        let start = UtcMillis(0);
        let flash = |minutes: i64| vec![(start, Lux(0.0)), (start + Span::minutes(minutes), Lux(9_500.0))];
        let minima = |changes: &[(UtcMillis, Lux)], end| {
            LightSchedule::new(changes.to_vec(), end).run(&clock, clock.initial_state(), |_, _| {}).0
        };
        let mut undecided = 0;
        for minutes in (15..720).step_by(15) {
            let mut changes = flash(minutes);
            changes.push((start + Span::minutes(minutes + 15), Lux(0.0)));
            let whole = minima(&changes, start + Span::days(3));
            for ended in (30..1_500).step_by(30) {
                let end = start + Span::minutes(minutes + ended);
                let before_end: Vec<UtcMillis> =
                    whole.iter().copied().filter(|at| *at - clock.cbt_min_after_phase() <= end).collect();
                assert_eq!(minima(&changes, end), before_end, "a flash at {minutes} min, {ended} min before the end");
                undecided += usize::from(before_end.last().is_some_and(|last| end - *last < Span::hours(4)));
            }
        }
        assert!(undecided > 100, "{undecided}");
    }

    #[test]
    fn states_are_shown_every_half_hour_from_the_start_to_the_end() {
        let clock = Hannay19::embedded();
        let at = |minutes| UtcMillis(0) + Span::minutes(minutes);
        let schedule = LightSchedule::new(vec![(at(10), Lux(5.0)), (at(70), Lux(0.0))], at(95));
        let mut shown = Vec::new();
        let (_, last) = schedule.run(&clock, clock.initial_state(), |at, state| shown.push((at, *state)));
        assert_eq!(shown.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [at(10), at(30), at(60), at(90), at(95)]);
        assert_eq!(shown[4].1, last);
    }
}
