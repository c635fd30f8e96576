//! Phase is an angle: what lies a turn apart is the same clock.
//!
//! Some bodies answer a long journey by going forward, others by going back, and both end at the same hour of the day.
//! Sample points that did so are together again, not a day apart. Knows angles and hours; does not know whose they are.

use std::f64::consts::TAU;

use super::belief::Lane;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::hannay19::LANES;

/// Hours of a turn.
const DAY: f64 = 24.0;

/// SD of a time of day of which nothing is known, hours: 24/√12. No clock is known worse than that.
pub(super) const ANY_TIME_SD: f64 = 6.928_203_230_275_509;

/// The same as an angle.
pub(super) const ANY_PHASE_SD: f64 = ANY_TIME_SD * PHASE_PER_HOUR;

/// An angle on the turn that is nearest to 0.
pub(super) fn wrap(angle: f64) -> f64 {
    angle - TAU * libm::round(angle / TAU)
}

/// Puts phases that lie further apart than half a turn where each is nearest to what they point to together.
pub(super) fn gather_phases(phases: &mut Lane) {
    gather(phases, TAU);
}

/// The same of hours.
pub(super) fn gather_hours(hours: &mut Lane) {
    gather(hours, DAY);
}

fn gather(lanes: &mut Lane, turn: f64) {
    let least = lanes.iter().fold(f64::INFINITY, |least, lane| least.min(*lane));
    let most = lanes.iter().fold(f64::NEG_INFINITY, |most, lane| most.max(*lane));
    // False for what is not a number, which is somebody else's to mend.
    if !(most - least > turn / 2.0) {
        return;
    }
    let middle = lanes.iter().fold(0.0, |sum, lane| sum + lane) / LANES as f64;
    let (sine, cosine) = lanes.iter().fold((0.0, 0.0), |(sine, cosine), lane| {
        let angle = (lane - middle) / turn * TAU;
        (sine + libm::sin(angle), cosine + libm::cos(angle))
    });
    let direction = middle + libm::atan2(sine, cosine) / TAU * turn;
    for lane in lanes {
        *lane -= turn * libm::round((*lane - direction) / turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_went_forward_and_who_went_back_to_the_same_hour_are_together() {
        let mut phases = [7.0, 7.1, 6.9, 7.0, 7.0 - TAU, 7.2 - TAU, 6.8 - TAU, 7.0 + TAU];
        gather_phases(&mut phases);
        let mean = phases.iter().sum::<f64>() / LANES as f64;
        assert!(phases.iter().all(|phase| (phase - mean).abs() < 0.3), "{phases:?}");
        assert!((wrap(mean - 7.0)).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn what_lies_within_half_a_turn_stays_to_the_bit() {
        let before = [1.0, 2.0, 0.3, 3.3, 2.5, 1.7, 0.9, 1.1];
        let mut phases = before;
        gather_phases(&mut phases);
        assert_eq!(phases.map(f64::to_bits), before.map(f64::to_bits));
        let before = before.map(|phase| phase / PHASE_PER_HOUR);
        let mut hours = before;
        gather_hours(&mut hours);
        assert_eq!(hours.map(f64::to_bits), before.map(f64::to_bits));
    }

    #[test]
    fn whatever_the_points_none_is_further_than_half_a_turn_from_their_direction() {
        let mut phases: Lane = std::array::from_fn(|lane| 40.0 * libm::sin(3.7 * lane as f64));
        gather_phases(&mut phases);
        let spread = phases.iter().fold(0.0_f64, |most, phase| most.max((phase - phases[0]).abs()));
        assert!(spread <= TAU, "{phases:?}");
    }
}
