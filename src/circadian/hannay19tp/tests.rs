use proptest::prelude::*;

use super::*;
use crate::circadian::drive::BIN;
use crate::circadian::reference_scheme::two_population_derivative;
use crate::units::UtcMillis;

#[test]
fn the_polynomials_are_the_published_equations() {
    let clock = Hannay19Tp::embedded();
    let mut worst = 0.0f64;
    for (rv, rd) in [(0.05, 0.9), (0.5, 0.2), (0.82, 0.83), (0.99, 0.99)] {
        for step in 0..36 {
            for (lux, adaptation) in [(0.0, 0.3), (50.0, 0.5), (1_000.0, 0.1), (100_000.0, 0.0)] {
                let (pv, pd) = (f64::from(step) * TAU / 36.0, f64::from(step * 7) * TAU / 36.0);
                let [drv, drd, dpv, dpd, _] =
                    two_population_derivative(clock.parameters(), [rv, rd, pv, pd, adaptation], lux);
                let state = Hannay19TpState::new([rv, rd], [Radians(pv), Radians(pd)], adaptation);
                let points = Pair { ventral: state.ventral.point(), dorsal: state.dorsal.point() };
                let drive = clock.drive(Lux(lux));
                let light = clock.parameters().gain * drive.alpha * (1.0 - adaptation);
                let turning = clock.velocity(points, light);
                for (z, velocity, dr, r_dpsi) in
                    [(points.ventral, turning.ventral, drv, rv * dpv), (points.dorsal, turning.dorsal, drd, rd * dpd)]
                {
                    // dz/dt = (dR/dt + iR dψ/dt) e^{iψ}; the frame's own turning comes back in.
                    let still =
                        Complex { re: velocity.re - PHASE_PER_HOUR * z.im, im: velocity.im + PHASE_PER_HOUR * z.re };
                    let along = Complex { re: z.re / z.length(), im: -z.im / z.length() }.times(still);
                    worst = worst.max((along.re - dr).abs()).max((along.im - r_dpsi).abs());
                }
            }
        }
    }
    assert!(worst < 1e-13, "largest difference {worst:e}");
}

#[test]
fn moving_and_unwinding_keep_the_populations_apart_as_they_were() {
    let clock = Hannay19Tp::embedded();
    let state = Hannay19TpState::new([0.8, 0.7], [Radians(20.0), Radians(20.3)], 0.4);
    for moved in [clock.moved_to(state, Radians(-3.0)), clock.unwound(state)] {
        let [ventral, dorsal] = moved.phases();
        assert!((dorsal.0 - ventral.0 - 0.3).abs() < 1e-12);
        assert!((moved.amplitudes()[1] - 0.7).abs() < 1e-15);
    }
    assert!((clock.unwound(state).phases()[0].0 - (20.0 - 3.0 * TAU)).abs() < 1e-12);
}

#[test]
fn a_wrong_parameter_is_refused_by_name() {
    let text = include_str!("../../../models/oscillators.toml");
    let broken = text.replace("tau_d    = { value = 24.0", "tau_d    = { value = 0.0");
    assert_ne!(broken, text);
    assert!(Hannay19TpParameters::from_toml(&broken).unwrap_err().to_string().contains("hannay19tp.tau_d"));
}

proptest! {
    #[test]
    fn no_light_history_breaks_the_state(
        lights in proptest::collection::vec(
            prop_oneof![3 => 0.0..2_000.0f64, 2 => 0.0..200_000.0f64, 1 => prop::num::f64::ANY], 1..200),
        amplitudes in (0.0..1.5f64, 0.0..1.5f64),
        phases in (-100.0..100.0f64, -100.0..100.0f64),
        gain in prop_oneof![3 => 0.0..5.0f64, 1 => prop::num::f64::ANY],
        tau in prop_oneof![3 => 22.0..26.0f64, 1 => prop::num::f64::ANY],
    ) {
        let clock = Hannay19Tp::embedded().personal(Hours(tau), gain);
        let phases = [Radians(phases.0), Radians(phases.1)];
        let mut state = Hannay19TpState::new([amplitudes.0, amplitudes.1], phases, 0.5);
        let end = UtcMillis(0) + Span(BIN.0 * lights.len() as i64);
        let mut now = UtcMillis(0);
        while now < end {
            let next = (now + Span::minutes(47)).min(end);
            state = clock.integrate(state, now, next, |bin| Lux(lights[(bin.0 / BIN.0) as usize]));
            prop_assert!(state.amplitudes().iter().all(|amplitude| *amplitude > 0.0 && *amplitude <= 1.0));
            prop_assert!(state.phases().iter().all(|phase| phase.0.is_finite()));
            prop_assert!((0.0..=1.0).contains(&state.adaptation()));
            now = next;
        }
    }
}
