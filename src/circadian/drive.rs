//! Integration over light on a fixed grid.
//!
//! Time is cut into cells of half an hour, counted from the UTC epoch. Light is constant within bins of a quarter of an hour.
//! A cell whose two bins have the same light is one step; a cell in which the light changes is two. Where the grid lies
//! depends on nothing but the epoch, so a run that stops at a cell's border and is taken up again, in whatever pieces, makes
//! exactly the steps of one long run and ends in the same bits. An interval that begins or ends inside a cell makes shorter
//! steps there.

use std::ops::ControlFlow;

use crate::circadian::oscillator::Oscillator;
use crate::units::{Lux, Span, UtcMillis};

/// Length of a grid cell: the longest step. Half an hour keeps the error of CBTmin below 0.001 h (tested in `golden`).
pub const CELL: Span = Span::minutes(30);

/// Length of a light bin: light is constant within it.
pub const BIN: Span = Span::minutes(15);

/// One step on the grid, as seen by whoever watches an integration.
pub(crate) struct GridStep<'a, O: Oscillator> {
    pub start: UtcMillis,
    pub length: Span,
    pub before: O::State,
    pub after: O::State,
    pub drive: &'a O::Drive,
}

/// Steps from `from` to `to` and shows every step to `visit`, which may break off; returns the state reached.
pub(crate) fn walk<O: Oscillator>(
    oscillator: &O,
    mut state: O::State,
    from: UtcMillis,
    to: UtcMillis,
    mut light: impl FnMut(UtcMillis) -> Lux,
    mut visit: impl FnMut(&GridStep<'_, O>) -> ControlFlow<()>,
) -> O::State {
    // Light rarely changes from bin to bin, and a drive costs as much as a step: keep the last one. Compared by bits, so that
    // a NaN equals itself.
    let mut last: Option<(u64, O::Drive)> = None;
    let mut now = from;
    while now < to {
        let cell_start = now.floor_to(CELL);
        let middle = cell_start + BIN;
        let end = to.min(cell_start + CELL);

        let first_light = (now < middle).then(|| light(cell_start));
        let second_light = (end > middle).then(|| light(middle));
        let pieces = match (first_light, second_light) {
            (Some(first), Some(second)) if first.0.to_bits() != second.0.to_bits() => {
                [Some((first, middle)), Some((second, end))]
            }
            (Some(only), _) | (None, Some(only)) => [Some((only, end)), None],
            // Not reachable: a piece of a cell lies in its first or its second half.
            (None, None) => [None, None],
        };

        for (piece_light, piece_end) in pieces.into_iter().flatten() {
            let bits = piece_light.0.to_bits();
            let drive = match last {
                Some((last_bits, drive)) if last_bits == bits => drive,
                _ => oscillator.drive(piece_light),
            };
            last = Some((bits, drive));

            let length = piece_end - now;
            let after = oscillator.step(state, &drive, length);
            let step = GridStep { start: now, length, before: state, after, drive: &drive };
            state = after;
            now = piece_end;
            if visit(&step).is_break() {
                return state;
            }
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::circadian::hannay19::Hannay19;

    /// A busy but reproducible light pattern: a hash of the bin's number chooses among six levels.
    fn patchwork(bin_start: UtcMillis) -> Lux {
        const LEVELS: [f64; 6] = [0.0, 0.0, 80.0, 250.0, 250.0, 5_000.0];
        let bin = bin_start.0.div_euclid(BIN.0) as u64;
        Lux(LEVELS[(bin.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % LEVELS.len()])
    }

    #[test]
    fn light_is_asked_once_per_bin_in_order() {
        let oscillator = Hannay19::embedded();
        let from = UtcMillis(-7_200_000 + 60_000);
        let to = UtcMillis(7_200_000 - 60_000);
        let mut asked = Vec::new();
        oscillator.integrate(oscillator.initial_state(), from, to, |bin| {
            asked.push(bin);
            Lux(100.0)
        });
        let expected: Vec<UtcMillis> = (-8..8).map(|bin| UtcMillis(bin * BIN.0)).collect();
        assert_eq!(asked, expected);
    }

    #[test]
    fn nothing_happens_in_no_time() {
        let oscillator = Hannay19::embedded();
        let state = oscillator.initial_state();
        let at = UtcMillis(1_700_000_123_456);
        assert_eq!(oscillator.integrate(state, at, at, patchwork), state);
        assert_eq!(oscillator.integrate(state, at, at + Span::hours(-1), patchwork), state);
    }

    #[test]
    fn stopping_between_grid_points_costs_less_than_a_hundredth_of_a_second_a_time() {
        let oscillator = Hannay19::embedded();
        let start = UtcMillis(0);
        let whole = oscillator.integrate(oscillator.initial_state(), start, UtcMillis(0) + Span::days(10), patchwork);
        let mut pieces = oscillator.initial_state();
        let mut now = start;
        let mut stops = 0.0;
        while now < start + Span::days(10) {
            let next = (now + Span(4_321_987)).min(start + Span::days(10));
            pieces = oscillator.integrate(pieces, now, next, patchwork);
            now = next;
            stops += 1.0;
        }
        let difference = (pieces.phase().0 - whole.phase().0).abs() / crate::circadian::PHASE_PER_HOUR;
        assert!(difference < stops * 0.01 / 3_600.0, "{difference} h after {stops} stops");
    }

    proptest! {
        #[test]
        fn runs_cut_at_grid_points_give_the_same_bits(
            start in -40_000_000_000i64..4_000_000_000_000,
            cuts in proptest::collection::vec(0i64..400, 0..8),
            rest in 0i64..(3 * 86_400_000),
        ) {
            let oscillator = Hannay19::embedded();
            let from = UtcMillis(start);
            let mut borders: Vec<UtcMillis> = cuts.iter().map(|cell| from.ceil_to(CELL) + Span(cell * CELL.0)).collect();
            borders.sort();
            let to = borders.last().copied().unwrap_or(from) + Span(rest);
            let whole = oscillator.integrate(oscillator.initial_state(), from, to, patchwork);
            let mut pieces = oscillator.initial_state();
            let mut now = from;
            for border in borders.into_iter().chain([to]) {
                pieces = oscillator.integrate(pieces, now, border, patchwork);
                now = border;
            }
            prop_assert_eq!(whole.to_bits(), pieces.to_bits());
        }
    }
}
