//! Chance that is the same on every machine.

use crate::simulate::interval::minutes_of;
use crate::units::Span;

/// `SplitMix64`: a counter whose bits are mixed. Steele, Lea & Flood (2014), "Fast splittable pseudorandom number
/// generators", OOPSLA '14; constants as in the paper's mix function 13. One generator for every person and family, so
/// that nobody's life depends on the order in which others are simulated.
#[derive(Clone, Debug)]
pub struct Random(u64);

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

impl Random {
    /// The generator of `member` (a person's place in the family, or [`Random::FAMILY`]) of `family`.
    pub fn new(seed: u64, family: u32, member: u32) -> Random {
        let family_seed = mix(seed ^ GOLDEN_GAMMA).wrapping_add(mix(u64::from(family).wrapping_add(1)));
        Random(mix(family_seed ^ mix(u64::from(member).wrapping_add(GOLDEN_GAMMA))))
    }

    /// The member number of what the family does as a whole.
    pub const FAMILY: u32 = u32::MAX;

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        mix(self.0)
    }

    /// In [0, 1), 53 bits.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    pub fn uniform(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.unit()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// In 0 .. `count`; 0 for a count of 0.
    pub fn index(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// Standard normal (Box & Muller 1958, the first of the pair), kept within ±3.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        (radius * libm::cos(std::f64::consts::TAU * self.unit())).clamp(-3.0, 3.0)
    }

    /// Log-normal with median 1.
    pub fn factor(&mut self, log_sd: f64) -> f64 {
        libm::exp(log_sd * self.normal())
    }

    /// Exponential.
    pub fn waiting(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    pub fn minutes(&mut self, least: f64, most: f64) -> Span {
        minutes_of(self.uniform(least, most))
    }

    pub fn hours(&mut self, least: f64, most: f64) -> Span {
        minutes_of(60.0 * self.uniform(least, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_and_the_spread_are_as_asked() {
        let mut random = Random::new(7, 1, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let waiting = (0..20_000).map(|_| random.waiting(90.0)).sum::<f64>() / 20_000.0;
        assert!((waiting - 90.0).abs() < 3.0, "{waiting}");
        assert!((0..1_000).all(|_| (2.0..5.0).contains(&random.uniform(2.0, 5.0)) && random.index(3) < 3));
    }

    #[test]
    fn neighbours_do_not_share_their_luck() {
        let firsts: std::collections::BTreeSet<u64> = (0..50)
            .flat_map(|family| (0..6).map(move |member| (family, member)))
            .map(|(family, member)| Random::new(1, family, member).bits())
            .collect();
        assert_eq!(firsts.len(), 300);
    }
}
