//! Light as it is kept: in steps of its logarithm, a byte each.

use std::sync::LazyLock;

use crate::units::Lux;

/// Illuminance as one of 120 steps: darkness, and 119 from 0.1 to 200,000 lux, evenly spaced in its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

/// So many there are.
pub(super) const LEVELS: u8 = 120;
const DIMMEST_LOG10: f64 = -1.0;
/// log₁₀ of 200,000, the highest level that the contract admits.
const BRIGHTEST_LOG10: f64 = 5.301_029_995_663_981;
const LOG10_STEP: f64 = (BRIGHTEST_LOG10 - DIMMEST_LOG10) / (LEVELS - 2) as f64;

impl Level {
    /// NaN and negative light count as darkness.
    #[must_use]
    pub fn of(light: Lux) -> Level {
        match known_level(light) {
            Some(level) => level,
            None => Level::computed(light),
        }
    }

    fn computed(light: Lux) -> Level {
        // The comparison is false for NaN.
        if light.0 >= 0.1 {
            let step = libm::round((libm::log10(light.0) - DIMMEST_LOG10) / LOG10_STEP);
            Level(1 + step.clamp(0.0, f64::from(LEVELS - 2)) as u8)
        } else {
            Level(0)
        }
    }

    /// Below [`LEVELS`]; brighter light has the larger number.
    pub(super) fn to_number(self) -> u8 {
        self.0
    }

    pub(super) fn from_number(number: u8) -> Level {
        Level(number)
    }

    #[must_use]
    pub fn lux(self) -> Lux {
        static SCALE: LazyLock<Vec<f64>> = LazyLock::new(|| {
            let above_dark = (0..LEVELS - 1).map(|step| libm::exp10(DIMMEST_LOG10 + LOG10_STEP * f64::from(step)));
            std::iter::once(0.0).chain(above_dark).collect()
        });
        Lux(SCALE[usize::from(self.0.min(LEVELS - 1))])
    }
}

/// The level where the first bits of the number decide it: a logarithm costs as much as all the rest of taking a reading
/// in.
fn known_level(light: Lux) -> Option<Level> {
    /// Sign, exponent and six bits of the mantissa: 1.6 % wide, an eighth of a level.
    const DROPPED: u32 = 46;
    const FIRST: u64 = 0.1_f64.to_bits() >> DROPPED;
    const LAST: u64 = 200_000.0_f64.to_bits() >> DROPPED;
    static LEVELS: LazyLock<Vec<Option<Level>>> = LazyLock::new(|| {
        let edge = |bits: u64| Level::computed(Lux(f64::from_bits(bits)));
        let both = |bits: u64| (edge(bits << DROPPED), edge(((bits + 1) << DROPPED) - 1));
        // The level never falls with the light: what is the same at both ends is so in between.
        (FIRST..=LAST).map(both).map(|(first, last)| (first == last).then_some(first)).collect()
    });
    let place = (light.0.to_bits() >> DROPPED).checked_sub(FIRST)?;
    LEVELS.get(usize::try_from(place).ok()?).copied().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_level_is_within_seven_percent_of_the_light() {
        for lux in [0.1, 0.9, 5.0, 80.0, 250.0, 1_000.0, 9_999.0, 200_000.0] {
            let ratio = Level::of(Lux(lux)).lux().0 / lux;
            assert!((0.93..1.07).contains(&ratio), "{lux}: {ratio}");
        }
        assert_eq!(Level::of(Lux(0.0)).lux(), Lux(0.0));
        assert_eq!(Level::of(Lux(f64::NAN)).lux(), Lux(0.0));
        assert_eq!(Level::of(Lux(1e9)), Level::of(Lux(200_000.0)));
    }

    proptest! {
        #[test]
        fn a_level_found_by_its_first_bits_is_the_one_computed(lux in 0.0..210_000.0f64, exponent in -6i32..6, bits in any::<u64>()) {
            for lux in [lux, lux * 10f64.powi(exponent), f64::from_bits(bits)] {
                prop_assert_eq!(Level::of(Lux(lux)), Level::computed(Lux(lux)), "{}", lux);
            }
        }
    }
}
