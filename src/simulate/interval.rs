//! Stretches of time, in the whole minutes that people write down.

use crate::units::{Span, UtcMillis};

/// `start` ≤ time < `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    pub start: UtcMillis,
    pub end: UtcMillis,
}

impl Interval {
    pub fn new(start: UtcMillis, end: UtcMillis) -> Interval {
        Interval { start, end }
    }

    pub fn length(self) -> Span {
        self.end - self.start
    }

    pub fn contains(self, at: UtcMillis) -> bool {
        self.start <= at && at < self.end
    }

    pub fn overlaps(self, other: Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    pub fn widened(self, margin: Span) -> Interval {
        Interval::new(self.start - margin, self.end + margin)
    }

    /// May be empty, or end before it starts.
    pub fn common(self, other: Interval) -> Interval {
        Interval::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// What is left of it, in order, in pieces of at least `least`.
    pub fn without(self, taken: &[Interval], least: Span) -> Vec<Interval> {
        let mut pieces = vec![self];
        for other in taken {
            pieces = pieces
                .into_iter()
                .flat_map(|piece| {
                    if piece.overlaps(*other) {
                        [Interval::new(piece.start, other.start), Interval::new(other.end, piece.end)]
                    } else {
                        [piece, Interval::new(piece.end, piece.end)]
                    }
                })
                .filter(|piece| piece.length() > Span::ZERO)
                .collect();
        }
        pieces.retain(|piece| piece.length() >= least);
        pieces
    }
}

const MINUTE: Span = Span::minutes(1);

/// Rounded to the minute.
pub fn minutes_of(minutes: f64) -> Span {
    Span::minutes(libm::round(minutes) as i64)
}

/// Rounded to the minute.
pub fn hours_of(hours: f64) -> Span {
    minutes_of(hours * 60.0)
}

/// The nearest whole minute.
pub fn to_minute(at: UtcMillis) -> UtcMillis {
    at.round_to(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: i64, end: i64) -> Interval {
        Interval::new(UtcMillis(start), UtcMillis(end))
    }

    #[test]
    fn what_is_taken_out_is_out() {
        let taken = [interval(10, 20), interval(30, 35)];
        assert_eq!(interval(0, 40).without(&taken, Span(6)), [interval(0, 10), interval(20, 30)]);
        assert_eq!(interval(12, 18).without(&taken, Span(1)), []);
        assert_eq!(interval(20, 30).without(&taken, Span(1)), [interval(20, 30)]);
    }
}
