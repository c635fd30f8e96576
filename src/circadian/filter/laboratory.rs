//! What laboratories say of the phase angle δ, and what to believe of it.

use super::belief::{BETA, Belief, DELTA, Observation};
use super::track::Run;
use crate::units::Hours;

/// Two results are of one clock if they lie no further apart than so many of their standard deviations.
const AGREE: f64 = 3.0;

/// So many standard deviations off, results that agree speak against what was believed of δ, and not for a rare case of it.
const RARE: f64 = 2.0;

/// The clock runs unevenly over the day, so that a minimum is known the less, the further it lies from the oscillator's own:
/// SD by hours.
const UNEVEN: f64 = 0.1;

/// What one test says of δ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    pub delta: Hours,
    /// Of the test and of the nights that it is taken against, h².
    pub own_variance: f64,
    /// Of what δ may have changed since, h².
    pub changed_variance: f64,
}

impl TestResult {
    fn variance(&self) -> f64 {
        self.own_variance + self.changed_variance
    }

    fn agrees_with(&self, other: &TestResult) -> bool {
        let apart = (self.delta - other.delta).wrap_12().0;
        apart * apart <= AGREE * AGREE * (self.own_variance + other.own_variance)
    }
}

impl Run<'_> {
    /// Takes in what laboratories found of δ, one result a night. Not to be kept: a result is known for long, and is taken
    /// in anew by every run that speaks of the present.
    ///
    /// A single result beyond the gate is more likely a mistake than a clock like that: it moves nothing, and says so in
    /// [`Run::is_contradicted`]. Results that agree are believed wherever they lie. Those that contradict one another move
    /// nothing either, and δ is less certain by as much as they lie away from it.
    pub fn know_delta(&mut self, results: &[TestResult]) {
        let gate = self.model.numbers.gate;
        let heaviest = *self.beliefs.heaviest();
        let off = |delta: Hours| (delta - Hours(heaviest.mean[DELTA])).wrap_12().0;
        let is_far = |result: &TestResult| {
            let spread = heaviest.covariance[DELTA][DELTA] + result.variance();
            off(result.delta) * off(result.delta) > gate * gate * spread
        };
        match believed(results, is_far) {
            Believed::Nothing => {}
            Believed::LoneMistake => self.is_contradicted = true,
            Believed::Neither => {
                self.is_contradicted = true;
                // What lies beyond the gate is a mistake, however far.
                let most = gate * gate * heaviest.covariance[DELTA][DELTA];
                let squares = results.iter().map(|result| (off(result.delta) * off(result.delta)).min(most));
                let doubt = squares.sum::<f64>() / results.len() as f64;
                self.beliefs.iter_mut().for_each(|belief| widen_angle(belief, doubt));
            }
            Believed::These(agreeing) => {
                let (delta, mut variance) = combined(&agreeing);
                let off = off(delta);
                let is_rare = off * off > RARE * RARE * (heaviest.covariance[DELTA][DELTA] + variance);
                if agreeing.len() > 1 && is_rare {
                    self.beliefs.iter_mut().for_each(|belief| widen_angle(belief, off * off));
                    variance += UNEVEN * UNEVEN * off * off;
                }
                // On the turn of what was believed.
                let delta = Hours(heaviest.mean[DELTA] + off);
                self.beliefs.observe(|belief| Observation::of_delta(belief, delta, variance), gate);
            }
        }
    }
}

/// What is to be believed of some results.
#[derive(Clone, Debug, PartialEq)]
enum Believed {
    Nothing,
    LoneMistake,
    Neither,
    /// One, or some of which every two agree.
    These(Vec<TestResult>),
}

fn believed(results: &[TestResult], is_far: impl Fn(&TestResult) -> bool) -> Believed {
    match results {
        [] => Believed::Nothing,
        [lone] if is_far(lone) => Believed::LoneMistake,
        [lone] => Believed::These(vec![*lone]),
        _ => {
            let agreeing = most_agreeing(results);
            let left_out = results.iter().filter(|result| !agreeing.contains(result));
            // Mistakes are outvoted; a result that may be right is not.
            let is_outvoted = left_out.clone().count() < agreeing.len() && left_out.clone().all(&is_far);
            if agreeing.len() > 1 && is_outvoted { Believed::These(agreeing) } else { Believed::Neither }
        }
    }
}

/// The most results of which every two agree.
fn most_agreeing(results: &[TestResult]) -> Vec<TestResult> {
    let mut best: Vec<TestResult> = Vec::new();
    // There are a handful of them: every choice is tried.
    for choice in 1_u32..1 << results.len() {
        let chosen =
            results.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1).map(|(_, result)| *result);
        let chosen: Vec<TestResult> = chosen.collect();
        let all_agree = || chosen.iter().all(|one| chosen.iter().all(|other| one.agrees_with(other)));
        if chosen.len() > best.len() && all_agree() {
            best = chosen;
        }
    }
    best
}

/// Makes the phase angle more uncertain by `variance` (h²), and where this person's minimum lies to the oscillator's with it:
/// people live for long at an angle that is unusual, and light holds their clock there. The middle of the sleep and the
/// oscillator stay where they are. Were the oscillator to take it, it would be out of step with its light, and drift from
/// what was measured.
fn widen_angle(belief: &mut Belief, variance: f64) {
    belief.covariance[DELTA][DELTA] += variance;
    belief.covariance[BETA][BETA] += variance;
    belief.covariance[DELTA][BETA] -= variance;
    belief.covariance[BETA][DELTA] -= variance;
}

/// Several results of one quantity as one, with its variance: their weighted mean. Where they lie further apart than their
/// errors say, all of these were too small, by the factor that makes χ² what it should be (Birge, Phys. Rev. 40, 207,
/// 1932; as the Particle Data Group combines what disagrees). Of none: nothing is known.
fn combined(results: &[TestResult]) -> (Hours, f64) {
    let turn = results.first().map_or(Hours(0.0), |first| first.delta);
    let from_first = |result: &TestResult| (result.delta - turn).wrap_12().0;
    let weight: f64 = results.iter().map(|result| 1.0 / result.variance()).sum();
    let mean = results.iter().map(|result| from_first(result) / result.variance()).sum::<f64>() / weight;
    let squares = results.iter().map(|result| {
        let off = from_first(result) - mean;
        off * off / result.variance()
    });
    let chi_squared: f64 = squares.sum();
    let scale = (chi_squared / (results.len().max(2) - 1) as f64).max(1.0);
    (turn + Hours(mean), scale / weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(delta: f64, own_variance: f64) -> TestResult {
        TestResult { delta: Hours(delta), own_variance, changed_variance: 0.0 }
    }

    fn of(deltas: &[f64]) -> Vec<TestResult> {
        deltas.iter().map(|delta| result(*delta, 0.25)).collect()
    }

    fn believed_of(deltas: &[f64]) -> Believed {
        believed(&of(deltas), |result| (result.delta - Hours(1.0)).wrap_12().0.abs() > 3.0)
    }

    #[test]
    fn results_that_agree_are_surer_than_one_and_those_that_hardly_do_are_less_sure() {
        assert_eq!(combined(&of(&[1.0])), (Hours(1.0), 0.25));
        let (delta, variance) = combined(&of(&[1.0, 1.4]));
        assert!((delta.0 - 1.2).abs() < 1e-12 && (variance - 0.125).abs() < 1e-12);
        let (delta, variance) = combined(&of(&[0.0, 2.0]));
        assert!(
            (delta.0 - 1.0).abs() < 1e-12 && (variance - 1.0).abs() < 1e-12,
            "half of what they differ by: {variance}"
        );
        let (delta, _) = combined(&of(&[11.8, -11.8]));
        assert!(
            (delta.wrap_12().0.abs() - 12.0).abs() < 1e-9,
            "at either end of the day they are neighbours: {delta:?}"
        );
    }

    #[test]
    fn of_results_those_count_that_agree_and_outvote_mistakes() {
        assert_eq!(believed_of(&[]), Believed::Nothing);
        assert_eq!(believed_of(&[2.0]), Believed::These(of(&[2.0])));
        assert_eq!(believed_of(&[8.0]), Believed::LoneMistake);
        assert_eq!(believed_of(&[8.0, 8.4]), Believed::These(of(&[8.0, 8.4])));
        assert_eq!(believed_of(&[0.5, 8.0, 1.0]), Believed::These(of(&[0.5, 1.0])));
    }

    #[test]
    fn results_that_contradict_one_another_are_not_believed() {
        for deltas in
            [&[-1.5, 3.0][..], &[0.5, 8.0], &[-6.0, 8.0], &[-1.0, -1.2, 3.0], &[8.0, 8.2, -6.0, -6.3], &[1.0, 8.0, 8.1]]
        {
            assert_eq!(believed_of(deltas), Believed::Neither, "{deltas:?}");
        }
    }
}
