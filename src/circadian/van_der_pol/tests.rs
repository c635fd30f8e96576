use std::f64::consts::{FRAC_PI_2, PI, TAU};

use proptest::prelude::*;

use super::*;
use crate::circadian::drive::BIN;
use crate::circadian::markers::cbt_min_crossings;
use crate::units::UtcMillis;

fn forger() -> Forger99 {
    Forger99::embedded(Forger99Light::Serkh)
}

#[test]
fn phase_turns_forwards_and_is_pi_where_x_is_lowest() {
    let clock = Jewett99::embedded();
    let dark = clock.drive(Lux(0.0));
    let mut state = clock.initial_state();
    let mut before = clock.phase(&state, &dark).0;
    for _ in 0..2_000 {
        let next = clock.step(state, &dark, Span::minutes(1));
        let after = clock.phase(&next, &dark).0;
        assert!((0.0..0.01).contains(&(after - before)), "{before} to {after}");
        // x falls in the first half of a turn and rises in the second.
        let middle = 0.5 * (before + after);
        if libm::sin(middle).abs() > 0.01 {
            assert_eq!(next.x() < state.x(), libm::sin(middle) > 0.0, "at {middle}");
        }
        (state, before) = (next, after);
    }
}

#[test]
fn a_state_moved_to_a_phase_has_it() {
    let clock = Jewett99::embedded();
    let dark = clock.drive(Lux(0.0));
    for step in -40..=40 {
        let phase = f64::from(step) * 0.37;
        let moved = clock.moved_to(clock.initial_state(), Radians(phase));
        assert!((clock.phase(&moved, &dark).0 - phase).abs() < 1e-9, "{phase}");
        let turned = clock.unwound(moved);
        let left = clock.phase(&turned, &dark).0 - phase;
        assert!((left - TAU * libm::round(left / TAU)).abs() < 1e-9 && turned.x().to_bits() == moved.x().to_bits());
    }
}

#[test]
fn phase_is_defined_on_the_axes_and_in_the_middle() {
    let clock = forger();
    let dark = clock.drive(Lux(0.0));
    let phase = |x, xc| clock.phase(&VanDerPolState::new(x, xc, 0.5), &dark).0;
    assert!((phase(0.0, 1.0) + FRAC_PI_2).abs() < 1e-15);
    assert!((phase(0.0, -1.0) - FRAC_PI_2).abs() < 1e-15);
    assert!(phase(1.0, 0.0).abs() < 1e-15 && (phase(-1.0, 0.0).abs() - PI).abs() < 1e-15);
    assert!(phase(0.0, 0.0).is_finite() && phase(f64::NAN, f64::INFINITY).is_finite());
}

#[test]
fn direct_sun_counts_as_the_brightest_light_of_the_models() {
    fn check<E: Equations>(clock: VanDerPol<E>) {
        assert_eq!(clock.drive(Lux(100_000.0)), clock.drive(Lux(10_000.0)));
        assert_eq!(clock.drive(Lux(f64::INFINITY)), clock.drive(Lux(10_000.0)));
        assert_eq!(clock.drive(Lux(f64::NAN)), clock.drive(Lux(0.0)));
        assert_eq!(clock.drive(Lux(-5.0)), clock.drive(Lux(0.0)));
        // A day at the beach, every day. Other implementations lose the clock here and go on reporting an old marker.
        let light = |at: UtcMillis| {
            let hour = at.0.rem_euclid(86_400_000) / 3_600_000;
            Lux(if (9..18).contains(&hour) { 100_000.0 } else { 0.0 })
        };
        let end = UtcMillis(0) + Span::days(20);
        let (crossings, _) = cbt_min_crossings(&clock, clock.initial_state(), UtcMillis(0), end, Hours(0.0), light);
        assert_eq!(crossings.len(), 20);
        // Noon is far from the lowest temperature, and every day is the same.
        let hour = (crossings[19] - UtcMillis(0)).as_hours().0.rem_euclid(24.0);
        assert!((0.0..6.0).contains(&hour), "{hour}");
        assert!(((crossings[19] - crossings[18]).as_hours().0 - 24.0).abs() < 0.1);
    }
    check(forger());
    check(Forger99::embedded(Forger99Light::Kronauer));
    check(Forger99::embedded(Forger99Light::Hybrid));
    check(Jewett99::embedded());
}

#[test]
fn short_steps_make_no_difference() {
    let clock = Forger99::embedded(Forger99Light::Kronauer);
    for lux in [0.0, 30.0, 500.0, 10_000.0] {
        let drive = clock.drive(Lux(lux));
        let mut long = VanDerPolState::new(-0.3, -1.0, 0.0);
        let mut short = long;
        for _ in 0..48 {
            long = clock.step(long, &drive, Span::minutes(30));
        }
        for _ in 0..48 * 30 {
            short = clock.step(short, &drive, Span::minutes(1));
        }
        assert!((long.x() - short.x()).abs() < 2e-5 && (long.xc() - short.xc()).abs() < 2e-5, "{lux} lux");
    }
}

#[test]
fn the_three_light_sets_are_three() {
    let end = |light| {
        let clock = Forger99::embedded(light);
        let day = |at: UtcMillis| Lux(if (at.0 / 3_600_000) % 24 >= 8 { 300.0 } else { 0.0 });
        clock.integrate(clock.initial_state(), UtcMillis(0), UtcMillis(0) + Span::days(3), day)
    };
    let all = [Forger99Light::Serkh, Forger99Light::Kronauer, Forger99Light::Hybrid].map(end);
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

#[test]
fn a_wrong_parameter_is_refused_by_name() {
    let refused = |text: &str| Jewett99::from_toml(text).unwrap_err().to_string();
    let broken = EMBEDDED.replace("q        = { value = 0.3333333333333333", "q        = { value = 3.0");
    assert_ne!(broken, EMBEDDED);
    assert!(refused(&broken).contains("jewett99.q"));
    let broken = EMBEDDED.replace("[jewett99_light]", "[jewett99_lamp]");
    assert_ne!(broken, EMBEDDED);
    assert!(refused(&broken).contains("jewett99_light"));
}

fn any_light() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..2_000.0f64, 2 => 0.0..200_000.0f64, 1 => Just(0.0), 1 => prop::num::f64::ANY]
}

fn check_history<E: Equations>(
    clock: &VanDerPol<E>,
    start: VanDerPolState,
    lights: &[f64],
) -> Result<(), TestCaseError> {
    let mut state = start;
    let end = UtcMillis(0) + Span(BIN.0 * lights.len() as i64);
    let mut now = UtcMillis(0);
    while now < end {
        let next = (now + Span::minutes(47)).min(end);
        state = clock.integrate(state, now, next, |bin| Lux(lights[(bin.0 / BIN.0) as usize]));
        prop_assert!(state.x().hypot(state.xc()) <= 1.6 + 1e-12, "{:?}", state);
        prop_assert!((0.0..=1.0).contains(&state.adaptation()));
        prop_assert!(clock.phase(&state, &clock.drive(Lux(lights[0]))).0.is_finite());
        now = next;
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_light_history_breaks_the_state(
        lights in proptest::collection::vec(any_light(), 1..200),
        x in prop_oneof![3 => -2.0..2.0f64, 1 => prop::num::f64::ANY],
        xc in prop_oneof![3 => -2.0..2.0f64, 1 => prop::num::f64::ANY],
        adaptation in -0.5..1.5f64,
        gain in prop_oneof![3 => 0.0..5.0f64, 1 => prop::num::f64::ANY],
        tau in prop_oneof![3 => 22.0..26.0f64, 1 => prop::num::f64::ANY],
    ) {
        let start = VanDerPolState::new(x, xc, adaptation);
        for light in [Forger99Light::Serkh, Forger99Light::Kronauer, Forger99Light::Hybrid] {
            check_history(&Forger99::embedded(light).personal(Hours(tau), gain), start, &lights)?;
        }
        check_history(&Jewett99::embedded().personal(Hours(tau), gain), start, &lights)?;
    }
}
