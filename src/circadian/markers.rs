//! When the clock's markers happen.
//!
//! A marker is a crossing of the phase, found by integrating forward and solving inside the step that crosses. The shortcut
//! (π − ψ)/ω is never used: the clock runs unevenly under light, and from noon that shortcut is more than an hour early.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::ops::ControlFlow;

use crate::circadian::drive::{GridStep, walk};
use crate::circadian::oscillator::Oscillator;
use crate::circadian::phase_of;
use crate::units::{Hours, Lux, Span, UtcMillis};

/// Dim-light melatonin onset comes this long before CBTmin.
///
/// The offset common to the published models (Hannay, Booth & Forger 2019 define DLMO at ψ = 5π/12, which is π less 7 h of
/// phase) and to Eastman & Burgess (2009). In children it is an assumption carried over from adults.
pub const DLMO_BEFORE_CBT_MIN: Span = Span::hours(7);

/// A root counts as found when the phase is this close to its level, radians: 0.14 ms at the clock's usual speed.
const CLOSE_ENOUGH: f64 = 1e-8;

/// Half a day takes any clock that still turns a quarter turn on.
const DECIDED_WITHIN: Span = Span::days(1);

/// Enough for bisection alone to reach a millisecond in half an hour (2²¹ ms); reached only by degenerate clocks.
const MOST_TRIALS: usize = 48;

/// The melatonin onset that belongs to a CBTmin.
#[must_use]
pub fn dlmo(cbt_min: UtcMillis) -> UtcMillis {
    cbt_min - DLMO_BEFORE_CBT_MIN
}

/// The first instant in [`from`, `from` + `limit`] at which ψ + βω reaches π (mod 2π), to the millisecond.
///
/// `state` is the state at `from`; `offset` is β, how many hours the person's CBTmin comes before the oscillator's own (zero
/// for the oscillator's). `light` is asked as in [`Oscillator::integrate`], up to the step that crosses. `None` when the
/// phase does not get there within the limit. A level just passed counts again only a whole turn later. Start from a grid
/// point and the answer does not depend on which one.
///
/// In a model whose CBTmin is the minimum of a variable, and with no offset, the lowest minimum of the cycle counts: light is
/// then asked for a quarter turn more, also beyond the limit where a minimum before it may not be the lowest (a clock that
/// does not turn on within a day has none). A model's lag ([`Oscillator::cbt_min_after_phase`]) is added to the crossing,
/// which itself lies within the limit.
pub fn first_crossing<O: Oscillator>(
    oscillator: &O,
    state: O::State,
    from: UtcMillis,
    offset: Hours,
    light: impl FnMut(UtcMillis) -> Lux,
    limit: Span,
) -> Option<UtcMillis> {
    let mut found = None;
    watch(oscillator, state, from, from + limit, offset, light, |crossing| {
        found = Some(crossing);
        ControlFlow::Break(())
    });
    found
}

/// Every instant in [`from`, `to`] at which ψ + βω reaches π (mod 2π), in order, and the state at `to`.
///
/// Arguments as for [`first_crossing`], of light beyond `to` too. Each turn is reported once, also when strong light pushes
/// the phase back over the level for a moment.
pub fn cbt_min_crossings<O: Oscillator>(
    oscillator: &O,
    state: O::State,
    from: UtcMillis,
    to: UtcMillis,
    offset: Hours,
    light: impl FnMut(UtcMillis) -> Lux,
) -> (Vec<UtcMillis>, O::State) {
    let mut crossings = Vec::new();
    let last = watch(oscillator, state, from, to, offset, light, |crossing| {
        crossings.push(crossing);
        ControlFlow::Continue(())
    });
    (crossings, last)
}

fn watch<O: Oscillator>(
    oscillator: &O,
    state: O::State,
    from: UtcMillis,
    to: UtcMillis,
    offset: Hours,
    mut light: impl FnMut(UtcMillis) -> Lux,
    mut report: impl FnMut(UtcMillis) -> ControlFlow<()>,
) -> O::State {
    let mut watch = CrossingWatch::new(oscillator, &state, offset);
    let last = walk(oscillator, state, from, to, &mut light, |step| watch.see(oscillator, step, &mut report));
    watch.finish(oscillator, last, to, light, &mut report);
    last
}

/// Finds crossings in steps that are shown to it one after the other.
#[derive(Clone, Debug)]
pub(crate) struct CrossingWatch {
    first_level: f64,
    lag: Span,
    /// Phase so far and next level to reach, known once the first step tells the drive.
    progress: Option<(f64, f64)>,
    /// In a model whose CBTmin is the minimum of a variable.
    takes_lowest: bool,
    /// There: the lowest crossing of this cycle yet, with its value.
    lowest: Option<(UtcMillis, f64)>,
}

impl CrossingWatch {
    pub(crate) fn new<O: Oscillator>(oscillator: &O, state: &O::State, offset: Hours) -> CrossingWatch {
        CrossingWatch {
            first_level: PI - phase_of(offset).0,
            lag: oscillator.cbt_min_after_phase(),
            progress: None,
            takes_lowest: offset == Hours(0.0) && oscillator.temperature(state).is_some(),
            lowest: None,
        }
    }

    #[inline]
    pub(crate) fn see<O: Oscillator>(
        &mut self,
        oscillator: &O,
        step: &GridStep<'_, O>,
        report: &mut impl FnMut(UtcMillis) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.takes_lowest {
            return self.see_minima(oscillator, step, report);
        }
        let (before, mut level) = self.progress.unwrap_or_else(|| {
            let phase = oscillator.phase(&step.before, step.drive).0;
            (phase, self.first_level + TAU * libm::ceil((phase - self.first_level) / TAU))
        });
        let after = oscillator.phase(&step.after, step.drive).0;
        let mut flow = ControlFlow::Continue(());
        while after >= level && flow.is_continue() {
            flow = report(solve(oscillator, step, before - level, after - level, level) + self.lag);
            level += TAU;
        }
        self.progress = Some((after, level));
        flow
    }

    /// Phase jumps where light changes, so that a cycle may have several minima; the lowest counts, and is known a quarter
    /// turn later, when the variable has risen.
    fn see_minima<O: Oscillator>(
        &mut self,
        oscillator: &O,
        step: &GridStep<'_, O>,
        report: &mut impl FnMut(UtcMillis) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let temperature = |state: &O::State| oscillator.temperature(state).unwrap_or(f64::INFINITY);
        let start = oscillator.phase(&step.before, step.drive).0;
        let (before, mut level) =
            self.progress.unwrap_or_else(|| (start, PI + TAU * libm::ceil((start - PI - FRAC_PI_2) / TAU)));
        let after = oscillator.phase(&step.after, step.drive).0;

        let crossing = if before < level && start >= level {
            Some((step.start, temperature(&step.before)))
        } else if start < level && after >= level {
            let crossing = solve(oscillator, step, start - level, after - level, level);
            let state = oscillator.step(step.before, step.drive, crossing - step.start);
            Some((crossing, temperature(&state)))
        } else {
            None
        };
        if let Some(found) = crossing.filter(|found| self.lowest.is_none_or(|(_, least)| found.1 < least)) {
            self.lowest = Some(found);
        }

        let mut flow = ControlFlow::Continue(());
        if after >= level + FRAC_PI_2 {
            if let Some((crossing, _)) = self.lowest.take() {
                flow = report(crossing + self.lag);
            }
            level += TAU;
        }
        self.progress = Some((after, level));
        flow
    }

    /// The end may have cut the last cycle short. Whether what was seen of it was its minimum, the time after the end shows:
    /// goes on from there, in the light that there is then, and reports a minimum that lies before `end`.
    pub(crate) fn finish<O: Oscillator>(
        mut self,
        oscillator: &O,
        state: O::State,
        end: UtcMillis,
        light: impl FnMut(UtcMillis) -> Lux,
        report: &mut impl FnMut(UtcMillis) -> ControlFlow<()>,
    ) {
        if self.lowest.is_none() {
            return;
        }
        let last_to_count = end + self.lag;
        let mut report_before_end = |crossing| {
            if crossing <= last_to_count {
                let _ = report(crossing);
            }
            ControlFlow::Break(())
        };
        walk(oscillator, state, end, end + DECIDED_WITHIN, light, |step| {
            self.see(oscillator, step, &mut report_before_end)
        });
    }
}

/// The instant inside `step` at which the phase equals `level`, given how far it is from it at both ends (before: ≤ 0,
/// after: ≥ 0), by the Illinois form of false position on shorter steps from the same state.
fn solve<O: Oscillator>(
    oscillator: &O,
    step: &GridStep<'_, O>,
    mut gap_before: f64,
    mut gap_after: f64,
    level: f64,
) -> UtcMillis {
    if gap_before >= 0.0 {
        return step.start;
    }
    let (mut low, mut high) = (0_i64, step.length.0);
    for _ in 0..MOST_TRIALS {
        if high - low <= 1 || gap_after == 0.0 {
            break;
        }
        let share = gap_before / (gap_before - gap_after);
        let trial = (low + libm::round((high - low) as f64 * share) as i64).clamp(low + 1, high - 1);
        let state = oscillator.step(step.before, step.drive, Span(trial));
        let gap = oscillator.phase(&state, step.drive).0 - level;
        if gap.abs() < CLOSE_ENOUGH {
            return step.start + Span(trial);
        }
        if gap < 0.0 {
            low = trial;
            gap_before = gap;
            gap_after *= 0.5;
        } else {
            high = trial;
            gap_after = gap;
            gap_before *= 0.5;
        }
    }
    step.start + Span(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circadian::PHASE_PER_HOUR;
    use crate::circadian::drive::CELL;
    use crate::circadian::hannay19::Hannay19;

    /// 07:00–23:00 UTC at 250 lux.
    fn day_light(bin_start: UtcMillis) -> Lux {
        let hour = bin_start.0.rem_euclid(86_400_000) / 3_600_000;
        Lux(if (7..23).contains(&hour) { 250.0 } else { 0.0 })
    }

    #[test]
    fn at_the_crossing_the_phase_is_what_was_asked_for() {
        let oscillator = Hannay19::embedded();
        let state = oscillator.initial_state();
        for (start, offset) in [(0, 0.0), (0, 2.5), (5_000_000, -3.25), (43_200_000, 1.0), (86_000_000, 11.5)] {
            let from = UtcMillis(start);
            let crossing = first_crossing(&oscillator, state, from, Hours(offset), day_light, Span::hours(30))
                .expect("within 30 h");
            let phase = oscillator.integrate(state, from, crossing, day_light).phase().0 + offset * PHASE_PER_HOUR;
            let miss = (phase - PI) - TAU * ((phase - PI) / TAU).round();
            assert!(miss.abs() < 1e-6, "offset {offset}: off by {miss} rad");
        }
    }

    #[test]
    fn the_crossing_does_not_depend_on_the_grid_point_one_asks_from() {
        let oscillator = Hannay19::embedded();
        let mut state = oscillator.initial_state();
        let mut now = UtcMillis(0);
        let expected =
            first_crossing(&oscillator, state, now, Hours(0.0), day_light, Span::hours(40)).expect("a CBTmin");
        while now + CELL < expected {
            assert_eq!(first_crossing(&oscillator, state, now, Hours(0.0), day_light, Span::hours(40)), Some(expected));
            state = oscillator.integrate(state, now, now + CELL, day_light);
            now += CELL;
        }
    }

    #[test]
    fn a_week_has_seven_minima_and_the_state_at_its_end_is_the_integrated_one() {
        let oscillator = Hannay19::embedded();
        let state = oscillator.initial_state();
        let (from, to) = (UtcMillis(0), UtcMillis(0) + Span::days(7));
        let (crossings, last) = cbt_min_crossings(&oscillator, state, from, to, Hours(0.0), day_light);
        assert_eq!(crossings.len(), 7);
        assert!(crossings.windows(2).all(|pair| ((pair[1] - pair[0]).as_hours().0 - 24.0).abs() < 1.0));
        assert_eq!(last, oscillator.integrate(state, from, to, day_light));
        let first = first_crossing(&oscillator, state, from, Hours(0.0), day_light, Span::days(1));
        assert_eq!(crossings.first().copied(), first);
    }

    #[test]
    fn a_limit_that_is_too_short_finds_nothing() {
        let oscillator = Hannay19::embedded();
        let state = oscillator.initial_state();
        assert_eq!(first_crossing(&oscillator, state, UtcMillis(0), Hours(0.0), day_light, Span::hours(1)), None);
        assert_eq!(first_crossing(&oscillator, state, UtcMillis(0), Hours(0.0), day_light, Span::ZERO), None);
    }

    #[test]
    fn an_earlier_person_crosses_earlier() {
        let oscillator = Hannay19::embedded();
        let state = oscillator.initial_state();
        let crossing = |offset| {
            first_crossing(&oscillator, state, UtcMillis(0), Hours(offset), day_light, Span::hours(30))
                .expect("a CBTmin")
        };
        assert!(crossing(1.0) < crossing(0.0) && crossing(0.0) < crossing(-1.0));
        assert_eq!(dlmo(crossing(0.0)), crossing(0.0) - Span::hours(7));
    }
}
