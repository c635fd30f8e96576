//! What laboratories say of the phase angle δ, and what to believe of it.

use super::belief::{Belief, DELTA, Observation, PHASE};
use super::track::Run;
use crate::circadian::PHASE_PER_HOUR;
use crate::units::Hours;

impl Run<'_> {
    /// Takes in what laboratories found of δ, each with its variance (h²). Not to be kept: a result is known for long, and
    /// is taken in anew by every run that speaks of the present.
    ///
    /// A single result beyond the gate is more likely a mistake than a clock like that: it moves nothing, and says so in
    /// [`Run::is_contradicted`]. Of two that agree there, δ begins anew.
    pub fn know_delta(&mut self, results: &[(Hours, f64)]) {
        let Some((delta, variance)) = agreed(results) else { return };
        let gate = self.model.numbers.gate;
        let heaviest = self.beliefs.heaviest();
        let observation = Observation::of_delta(heaviest, delta, variance);
        if observation.innovation * observation.innovation > gate * gate * observation.spread(heaviest) {
            if results.len() < 2 {
                self.is_contradicted = true;
                return;
            }
            for belief in self.beliefs.iter_mut() {
                let off = delta.0 - belief.mean[DELTA];
                widen_angle(belief, off * off);
            }
        }
        self.beliefs.observe(|belief| Observation::of_delta(belief, delta, variance), gate);
    }
}

/// Makes the phase angle more uncertain by `variance` (h²), with the phase so that the middle of the sleep stays where it is.
fn widen_angle(belief: &mut Belief, variance: f64) {
    let pace = PHASE_PER_HOUR;
    belief.covariance[DELTA][DELTA] += variance;
    belief.covariance[PHASE][DELTA] -= pace * variance;
    belief.covariance[DELTA][PHASE] -= pace * variance;
    belief.covariance[PHASE][PHASE] += pace * pace * variance;
}

/// Several results of one quantity as one, with its variance: their weighted mean. Where they lie further apart than their
/// errors say, all of these were too small, by the factor that makes χ² what it should be (Birge, Phys. Rev. 40, 207,
/// 1932; as the Particle Data Group combines what disagrees).
fn agreed(results: &[(Hours, f64)]) -> Option<(Hours, f64)> {
    let weight: f64 = results.iter().map(|(_, variance)| 1.0 / variance).sum();
    let mean = results.iter().map(|(delta, variance)| delta.0 / variance).sum::<f64>() / weight;
    let chi_squared: f64 = results.iter().map(|(delta, variance)| (delta.0 - mean) * (delta.0 - mean) / variance).sum();
    let scale = (chi_squared / (results.len().max(2) - 1) as f64).max(1.0);
    (!results.is_empty()).then_some((Hours(mean), scale / weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_agree_are_surer_than_one_and_results_that_do_not_are_less_sure_than_either() {
        let one = [(Hours(1.0), 0.25)];
        assert_eq!(agreed(&one), Some((Hours(1.0), 0.25)));
        assert_eq!(agreed(&[]), None);
        let (delta, variance) = agreed(&[(Hours(1.0), 0.25), (Hours(1.4), 0.25)]).unwrap();
        assert!((delta.0 - 1.2).abs() < 1e-12 && (variance - 0.125).abs() < 1e-12);
        let (delta, variance) = agreed(&[(Hours(-1.0), 0.25), (Hours(3.0), 0.25)]).unwrap();
        assert!((delta.0 - 1.0).abs() < 1e-12 && variance > 1.0, "{variance}");
    }
}
