use proptest::prelude::*;

use super::*;
use crate::units::UtcMillis;

fn widths() -> Vec<Vectors> {
    [Some(Vectors::plain()), Vectors::avx2(), Vectors::avx512()].into_iter().flatten().collect()
}

fn any_light() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::sample::select(vec![0.0, 80.0, 250.0, 5_000.0]),
        2 => 0.0..200_000.0f64,
        1 => prop::num::f64::ANY,
    ]
}

fn any_person() -> impl Strategy<Value = (Hannay19, Hannay19State)> {
    // Amplitudes near both borders of the model too: there a lane is put back by itself.
    let amplitude = prop_oneof![4 => 0.3..1.0f64, 1 => Just(1.0), 1 => 0.0..1e-5f64];
    (20.0..28.0f64, 0.0..5.0f64, amplitude, -1e4..1e4f64, 0.0..=1.0f64).prop_map(|(tau, gain, r, psi, n)| {
        (Hannay19::embedded().personal(Hours(tau), gain), Hannay19State::new(r, Radians(psi), n))
    })
}

type People = [(Hannay19, Hannay19State); LANES];

fn any_people() -> impl Strategy<Value = People> {
    proptest::collection::vec(any_person(), LANES).prop_map(|people| std::array::from_fn(|lane| people[lane]))
}

/// Every lane's bits after the same work one by one.
fn assert_same(
    people: &People,
    lanes: &LaneStates,
    one_by_one: impl Fn(usize) -> Hannay19State,
) -> Result<(), TestCaseError> {
    for (lane, state) in lanes.states().into_iter().enumerate() {
        prop_assert_eq!(state.to_bits(), one_by_one(lane).to_bits(), "lane {} of {:?}", lane, people);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_width_steps_to_the_bits_of_one_after_the_other(
        people in any_people(),
        lights in proptest::collection::vec(any_light(), LANES),
        length in prop_oneof![2 => Just(CELL), 2 => Just(BIN), 1 => (0..=CELL.0).prop_map(Span)],
    ) {
        let light: [Lux; LANES] = std::array::from_fn(|lane| Lux(lights[lane]));
        for vectors in widths() {
            let clocks = Hannay19Lanes::with_vectors(&people.map(|(clock, _)| clock), vectors);
            let drives = clocks.drives(&light);
            let mut lanes = LaneStates::new(&people.map(|(_, state)| state));
            for _ in 0..3 {
                clocks.step(&mut lanes, &drives, length);
            }
            assert_same(&people, &lanes, |lane| {
                let (clock, mut state) = people[lane];
                for _ in 0..3 {
                    state = clock.step(state, &clock.drive(light[lane]), length);
                }
                state
            })?;
        }
    }

    #[test]
    fn two_eights_step_together_to_the_bits_of_one_after_the_other(
        one in any_people(),
        other in any_people(),
        lights in proptest::collection::vec(any_light(), LANES),
        length in prop_oneof![2 => Just(CELL), 2 => Just(BIN), 1 => (0..=CELL.0).prop_map(Span)],
    ) {
        let light: [Lux; LANES] = std::array::from_fn(|lane| Lux(lights[lane]));
        for vectors in widths() {
            let eights = [one, other].map(|people| Hannay19Lanes::with_vectors(&people.map(|(clock, _)| clock), vectors));
            let mut lanes = [one, other].map(|people| LaneStates::new(&people.map(|(_, state)| state)));
            let drives = eights[0].drives(&light);
            let mut apart = lanes;
            for _ in 0..3 {
                Hannay19Lanes::step_two([&eights[0], &eights[1]], &mut lanes, &drives, length);
                for (clocks, states) in eights.iter().zip(&mut apart) {
                    clocks.step(states, &drives, length);
                }
            }
            for (people, (together, apart)) in [one, other].iter().zip(lanes.iter().zip(&apart)) {
                assert_same(people, together, |lane| apart.state(lane))?;
            }
        }
    }

    #[test]
    fn every_width_lives_days_to_the_bits_of_one_after_the_other(
        people in any_people(),
        lights in proptest::collection::vec(any_light(), 60),
        together in any::<bool>(),
        start in -10_000_000i64..10_000_000,
        length in 0i64..200_000_000,
    ) {
        // Some lanes change their light in a bin, others do not; or all have the same.
        let light = |lane: usize, bin: UtcMillis| {
            let number = (bin.0.div_euclid(BIN.0) + 1_000) as usize;
            let pace = if together { 3 } else { 1 + lane % 4 };
            Lux(lights[(number / pace + if together { 0 } else { lane * 7 }) % lights.len()])
        };
        let (from, to) = (UtcMillis(start), UtcMillis(start) + Span(length));
        for vectors in widths() {
            let clocks = Hannay19Lanes::with_vectors(&people.map(|(clock, _)| clock), vectors);
            let mut lanes = LaneStates::new(&people.map(|(_, state)| state));
            clocks.integrate(&mut lanes, from, to, |bin| std::array::from_fn(|lane| light(lane, bin)));
            assert_same(&people, &lanes, |lane| {
                let (clock, state) = people[lane];
                clock.integrate(state, from, to, |bin| light(lane, bin))
            })?;
        }
    }
}

#[test]
fn no_time_and_time_backwards_change_nothing() {
    let clock = Hannay19::embedded();
    let clocks = Hannay19Lanes::new(&[clock; LANES]);
    let start = LaneStates::new(&[clock.initial_state(); LANES]);
    for to in [0, -5, -4_000_000] {
        let mut lanes = start;
        clocks.integrate(&mut lanes, UtcMillis(600_000), UtcMillis(600_000 + to), |_| [Lux(100.0); LANES]);
        assert_eq!(lanes, start);
    }
    let mut lanes = start;
    clocks.step(&mut lanes, &clocks.drives(&[Lux(100.0); LANES]), Span::ZERO);
    assert_eq!(lanes, start);
}
