//! What is said of a minimum: one time, how sure, and the shortest intervals.

use std::f64::consts::SQRT_2;

use super::circle::ANY_TIME_SD;
use super::mixture::PARTS;

/// 10 % and 90 %, 2.5 % and 97.5 % points of the standard normal distribution.
const Z_80: f64 = 1.281_551_565_544_6;
const Z_95: f64 = 1.959_963_984_540_054;

/// The distribution of several beliefs together is known at so many steps.
const STEPS: usize = 128;

/// And over so many standard deviations to either side.
const REACH: f64 = 4.0;

/// What is yet to come is at least so far ahead, hours.
const LEAST_AHEAD: f64 = 0.01;

/// No interval is longer than the same share of a day, which is what is to be said of a clock that may be anywhere.
const HALF_A_DAY: f64 = 12.0;
const SHARE_80: f64 = 0.8;
const SHARE_95: f64 = 0.95;

/// A belief whose minimum lies further than this from the published one is of another clock, hours.
const ELSEWHERE: f64 = 3.0;

/// A belief's next minimum: hours after some instant, and their SD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) sd: f64,
}

/// All times in hours after the same instant.
pub(super) struct Said {
    /// As likely too early as too late.
    pub(super) middle: f64,
    /// About that.
    pub(super) sd: f64,
    pub(super) interval_80: [f64; 2],
    pub(super) interval_95: [f64; 2],
    /// Weight of what lies elsewhere.
    pub(super) elsewhere: f64,
}

impl Said {
    pub(super) fn of_one(mean: f64, sd: f64) -> Said {
        let sd = sd.min(ANY_TIME_SD);
        let interval = |z: f64, share: f64| {
            let reach = (z * sd).min(share * HALF_A_DAY);
            [mean - reach, mean + reach]
        };
        let (interval_80, interval_95) = (interval(Z_80, SHARE_80), interval(Z_95, SHARE_95));
        Said { middle: mean, sd, interval_80, interval_95, elsewhere: 0.0 }
    }

    /// `minima` on the turn of `main`, the heaviest; weights that add up to 1. Where most of them together have just passed
    /// `after`, the heaviest is to come and is what is said.
    pub(super) fn of_several(minima: &[Weighed; PARTS], main: f64, after: f64) -> Said {
        let shape = Shape::of(minima);
        let middle = Some(shape.quantile(0.5)).filter(|middle| *middle > after + LEAST_AHEAD).unwrap_or(main);
        let from_middle = |minimum: &Weighed| minimum.mean - middle;
        let variance = minima.iter().fold(0.0, |sum, minimum| {
            sum + minimum.weight * (minimum.sd * minimum.sd + from_middle(minimum) * from_middle(minimum))
        });
        let elsewhere = minima
            .iter()
            .fold(0.0, |sum, minimum| if from_middle(minimum).abs() > ELSEWHERE { sum + minimum.weight } else { sum });
        let sd = libm::sqrt(variance).min(ANY_TIME_SD);
        let interval = |share: f64| {
            let [from, to] = shape.shortest(share);
            if to - from <= 2.0 * share * HALF_A_DAY {
                [from, to]
            } else {
                [middle - share * HALF_A_DAY, middle + share * HALF_A_DAY]
            }
        };
        Said { middle, sd, interval_80: interval(SHARE_80), interval_95: interval(SHARE_95), elsewhere }
    }
}

/// A distribution function at equal steps, linear between them.
struct Shape {
    from: f64,
    step: f64,
    below: [f64; STEPS + 1],
}

impl Shape {
    fn of(minima: &[Weighed; PARTS]) -> Shape {
        let furthest = |sign: f64| {
            minima.iter().fold(f64::NEG_INFINITY, |most, part| most.max(sign * part.mean + REACH * part.sd))
        };
        let from = -furthest(-1.0);
        let step = (furthest(1.0) - from) / STEPS as f64;
        let below = std::array::from_fn(|index| {
            let time = from + step * index as f64;
            minima.iter().filter(|minimum| minimum.weight > 0.0).fold(0.0, |sum, minimum| {
                sum + minimum.weight * 0.5 * libm::erfc((minimum.mean - time) / (minimum.sd * SQRT_2))
            })
        });
        Shape { from, step, below }
    }

    fn quantile(&self, share: f64) -> f64 {
        let above = self.below.partition_point(|below| *below < share).clamp(1, STEPS);
        let (low, high) = (self.below[above - 1], self.below[above]);
        self.from + self.step * (above as f64 - 1.0 + ((share - low) / (high - low)).clamp(0.0, 1.0))
    }

    fn shortest(&self, share: f64) -> [f64; 2] {
        let mut best = [self.from, self.from + self.step * STEPS as f64];
        for (index, lower) in self.below.iter().enumerate().take_while(|(_, lower)| **lower <= 1.0 - share) {
            let candidate = [self.from + self.step * index as f64, self.quantile(lower + share)];
            if candidate[1] - candidate[0] < best[1] - best[0] {
                best = candidate;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_beliefs_that_are_the_same_say_what_one_says() {
        let minima = [0.1, 0.2, 0.3, 0.4].map(|weight| Weighed { weight, mean: 20.0, sd: 1.5 });
        let (one, several) = (Said::of_one(20.0, 1.5), Said::of_several(&minima, 20.0, 0.0));
        let near = |a: f64, b: f64| assert!((a - b).abs() < 0.1, "{a} {b}");
        near(several.middle, one.middle);
        near(several.sd, one.sd);
        for (a, b) in
            several.interval_80.iter().chain(&several.interval_95).zip(one.interval_80.iter().chain(&one.interval_95))
        {
            near(*a, *b);
        }
    }

    #[test]
    fn of_two_clocks_the_lighter_is_elsewhere_and_the_interval_leaves_it_out() {
        let minimum = |weight, mean| Weighed { weight, mean, sd: 0.5 };
        let said = Said::of_several(
            &[minimum(0.9, 10.0), minimum(0.1, 20.0), minimum(0.0, 10.0), minimum(0.0, 10.0)],
            10.0,
            0.0,
        );
        assert!((said.middle - 10.0).abs() < 0.2 && (said.elsewhere - 0.1).abs() < 1e-12);
        assert!(said.interval_80[1] < 12.0 && said.interval_95[1] > 19.0);
        assert!(said.sd > 3.0, "{}", said.sd);
    }
}
