//! Stretches of time as half-open intervals: what overlaps, what is left of one when others are taken out.

use crate::units::{Span, UtcMillis};

/// `start` ..< `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    pub start: UtcMillis,
    pub end: UtcMillis,
}

impl Interval {
    pub const fn new(start: UtcMillis, end: UtcMillis) -> Interval {
        Interval { start, end }
    }

    /// Negative where the end comes before the start.
    pub fn length(self) -> Span {
        self.end - self.start
    }

    pub fn centre(self) -> UtcMillis {
        self.start + Span(self.length().0 / 2)
    }

    pub fn contains(self, at: UtcMillis) -> bool {
        self.start <= at && at < self.end
    }

    pub fn overlaps(self, other: Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Longer by `margin` at both ends.
    pub fn widened(self, margin: Span) -> Interval {
        Interval::new(self.start - margin, self.end + margin)
    }

    /// What lies in both; empty or negative in length where they do not meet.
    pub fn clipped_to(self, other: Interval) -> Interval {
        Interval::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// What is left, in order of time, when every interval of `busy` is taken out.
    pub fn without(self, busy: &[Interval]) -> Vec<Interval> {
        let mut left = vec![self];
        for taken in busy {
            left = left.into_iter().flat_map(|piece| piece.around(*taken)).collect();
        }
        left
    }

    fn around(self, taken: Interval) -> impl Iterator<Item = Interval> {
        let before = Interval::new(self.start, self.end.min(taken.start));
        let after = Interval::new(self.start.max(taken.end), self.end);
        let pieces = if self.overlaps(taken) { [before, after] } else { [self, Interval::new(self.end, self.end)] };
        pieces.into_iter().filter(|piece| piece.length() > Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(start: i64, end: i64) -> Interval {
        Interval::new(UtcMillis(0) + Span::hours(start), UtcMillis(0) + Span::hours(end))
    }

    #[test]
    fn taking_out_what_is_busy_leaves_the_pieces_between() {
        assert_eq!(hours(0, 10).without(&[hours(2, 3), hours(8, 12)]), [hours(0, 2), hours(3, 8)]);
        assert_eq!(hours(0, 10).without(&[hours(-1, 11)]), []);
        assert_eq!(hours(0, 10).without(&[hours(10, 11)]), [hours(0, 10)]);
        assert_eq!(hours(0, 10).without(&[hours(4, 8), hours(3, 5)]), [hours(0, 3), hours(8, 10)]);
    }
}
