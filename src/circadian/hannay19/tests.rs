use std::f64::consts::{PI, TAU};

use proptest::prelude::*;

use super::*;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::disc::Complex;
use crate::circadian::reference_scheme::polar_derivative;
use crate::units::UtcMillis;

fn clock() -> Hannay19 {
    Hannay19::embedded()
}

#[test]
fn the_polynomials_are_the_published_equations() {
    let clock = clock();
    let parameters = clock.parameters();
    let mut worst = 0.0f64;
    for amplitude in [0.05, 0.2, 0.5, 0.7, 0.82, 0.99] {
        for step in 0..36 {
            for (lux, adaptation) in [(0.0, 0.3), (50.0, 0.5), (1_000.0, 0.1), (100_000.0, 0.0)] {
                let psi = f64::from(step) * TAU / 36.0;
                let [dr, dpsi, _] = polar_derivative(parameters, [amplitude, psi, adaptation], lux);
                let z = Hannay19State::new(amplitude, Radians(psi), adaptation).point();
                let light = parameters.gain * clock.drive(Lux(lux)).alpha * (1.0 - adaptation);
                let turning = clock.flow.velocity(z, light);
                // dz/dt = (dR/dt + iR dψ/dt) e^{iψ}; the frame's own turning comes back in.
                let velocity =
                    Complex { re: turning.re - PHASE_PER_HOUR * z.im, im: turning.im + PHASE_PER_HOUR * z.re };
                let along = Complex { re: z.re / amplitude, im: -z.im / amplitude }.times(velocity);
                worst = worst.max((along.re - dr).abs()).max((along.im - amplitude * dpsi).abs());
            }
        }
    }
    assert!(worst < 1e-13, "largest difference {worst:e}");
}

#[test]
fn adaptation_follows_its_exact_solution_in_steps_of_any_length() {
    let clock = clock();
    let drive = clock.drive(Lux(700.0));
    let start = Hannay19State::new(0.7, Radians(1.0), 0.9);
    let exact = |hours: f64| {
        drive.adaptation_limit + (0.9 - drive.adaptation_limit) * libm::exp(-drive.adaptation_rate * hours)
    };
    for minutes in [1, 7, 15, 22, 30] {
        let after = clock.step(start, &drive, Span::minutes(minutes)).adaptation();
        assert!((after - exact(minutes as f64 / 60.0)).abs() < 1e-14);
    }
}

#[test]
fn a_step_of_nearly_a_bin_or_a_cell_agrees_with_the_precomputed_one() {
    let clock = clock();
    let drive = clock.drive(Lux(250.0));
    let start = clock.initial_state();
    for length in [BIN, CELL] {
        let whole = clock.step(start, &drive, length);
        let nearly = clock.step(start, &drive, length - Span(1));
        assert!((whole.phase().0 - nearly.phase().0).abs() < 1e-6);
        assert!((whole.adaptation() - nearly.adaptation()).abs() < 1e-6);
    }
    assert_eq!(clock.step(start, &drive, Span::ZERO), start);
}

#[test]
fn light_that_is_no_number_is_darkness_and_too_much_light_is_the_limit() {
    let clock = clock();
    for hostile in [f64::NAN, -1.0, f64::NEG_INFINITY, -0.0] {
        assert_eq!(clock.drive(Lux(hostile)), clock.drive(Lux(0.0)));
    }
    for hostile in [1e9, f64::INFINITY, f64::MAX] {
        assert_eq!(clock.drive(Lux(hostile)), clock.drive(Lux(100_000.0)));
    }
}

#[test]
fn amplitude_phase_and_adaptation_come_back_as_they_went_in() {
    for turns in [-40, -1, 0, 1, 3_650] {
        for step in -18..=18 {
            let phase = TAU * f64::from(turns) + f64::from(step) * PI / 18.0;
            let state = Hannay19State::new(0.6, Radians(phase), 0.4);
            assert!((state.phase().0 - phase).abs() < 1e-11, "{phase} became {:?}", state.phase());
            assert!((state.amplitude() - 0.6).abs() < 1e-15);
        }
    }
    for next_to_pi in [PI, PI.next_up(), PI.next_down(), -PI, -PI.next_up(), 3.0 * PI, (3.0 * PI).next_up()] {
        assert!((Hannay19State::new(0.5, Radians(next_to_pi), 0.5).phase().0 - next_to_pi).abs() < 1e-14);
    }
}

#[test]
fn values_outside_the_model_are_taken_to_its_border() {
    let state = Hannay19State::new(f64::NAN, Radians(f64::INFINITY), f64::NAN);
    assert!(state.amplitude() > 0.0 && state.phase() == Radians(0.0) && state.adaptation() == 0.0);
    let state = Hannay19State::new(1.7, Radians(1.0), 2.0);
    assert!((state.amplitude() - 1.0).abs() < 1e-15 && (state.adaptation() - 1.0).abs() < 1e-15);
}

#[test]
fn unwinding_takes_off_whole_turns_and_nothing_else() {
    let clock = clock();
    let state = Hannay19State::new(0.6, Radians(100.0), 0.4);
    let unwound = clock.unwound(state);
    assert!((unwound.phase().0 - (100.0 - 16.0 * TAU)).abs() < 1e-12);
    assert_eq!(unwound.to_bits()[..3], state.to_bits()[..3]);
}

#[test]
fn a_longer_tau_delays_and_a_larger_gain_moves_more() {
    let clock = clock();
    let light = |at: UtcMillis| Lux(if (at.0 / 3_600_000) % 24 >= 20 { 1_000.0 } else { 0.0 });
    let phase = |clock: Hannay19| {
        clock.integrate(clock.initial_state(), UtcMillis(0), UtcMillis(0) + Span::days(2), light).phase().0
    };
    assert_eq!(phase(clock.personal(Hours(23.84), 1.0)).to_bits(), phase(clock).to_bits());
    assert!(phase(clock.personal(Hours(24.2), 1.0)) < phase(clock));
    let shift = |gain| (phase(clock.personal(Hours(23.84), gain)) - phase(clock.personal(Hours(23.84), 0.0))).abs();
    assert!(shift(0.5) < shift(1.0));
}

#[test]
fn a_wrong_parameter_is_refused_by_name() {
    let text = include_str!("../../../models/oscillators.toml");
    let broken = text.replace("tau      = { value = 23.84", "tau      = { value = 0.0");
    assert_ne!(broken, text);
    assert!(Hannay19Parameters::from_toml(&broken).unwrap_err().to_string().contains("hannay19.tau"));
    let misspelt = text.replace("coupling =", "cuopling =");
    assert!(Hannay19Parameters::from_toml(&misspelt).unwrap_err().to_string().contains("hannay19.coupling"));
}

fn any_light() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..2_000.0f64,
        2 => 0.0..200_000.0f64,
        1 => Just(0.0),
        1 => prop::num::f64::ANY,
    ]
}

proptest! {
    #[test]
    fn no_light_history_breaks_the_state(
        lights in proptest::collection::vec(any_light(), 1..400),
        amplitude in 0.0..1.5f64,
        phase in -100.0..100.0f64,
        adaptation in -0.5..1.5f64,
        gain in prop_oneof![3 => 0.0..5.0f64, 1 => prop::num::f64::ANY],
        tau in prop_oneof![3 => 22.0..26.0f64, 1 => prop::num::f64::ANY],
        start in -1_000_000_000i64..1_000_000_000,
    ) {
        let clock = clock().personal(Hours(tau), gain);
        let from = UtcMillis(start);
        let to = from + Span(BIN.0 * lights.len() as i64);
        let mut state = Hannay19State::new(amplitude, Radians(phase), adaptation);
        let mut now = from;
        while now < to {
            let next = (now + Span::minutes(47)).min(to);
            state = clock.integrate(state, now, next, |bin| {
                Lux(lights[(((bin - from).0.max(0) / BIN.0) as usize).min(lights.len() - 1)])
            });
            prop_assert!(state.amplitude() > 0.0 && state.amplitude() <= 1.0, "amplitude {}", state.amplitude());
            prop_assert!((0.0..=1.0).contains(&state.adaptation()));
            prop_assert!(state.phase().0.is_finite());
            now = next;
        }
    }

    #[test]
    fn a_vanishing_amplitude_grows_again(phase in -4.0..4.0f64, lux in 0.0..100_000.0f64) {
        let clock = clock();
        let start = Hannay19State::new(0.0, Radians(phase), 0.5);
        let after = clock.integrate(start, UtcMillis(0), UtcMillis(0) + Span::days(1), |_| Lux(lux));
        prop_assert!(after.amplitude() >= 1e-6 * (1.0 - 1e-12) && after.phase().0.is_finite());
    }
}
