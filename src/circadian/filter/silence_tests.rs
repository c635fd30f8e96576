//! What the filter promises of somebody who is silent for months: an estimate, an interval within a day, and that nights mend
//! it.

use proptest::prelude::*;

use super::belief::PHASE;
use super::tests::{MID_SLEEP, adult, at, hour_of, model, nights, person, usual};
use super::*;
use crate::units::{Hours, UtcMillis};

/// What a clock sees for months.
#[derive(Clone, Copy, Debug)]
enum Seeing {
    /// The usual day of where its owner is.
    Usual,
    /// Measured, day and night: a sensor in a drawer, or under a lamp.
    Always(f64),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn after_months_without_a_word_there_is_an_estimate_and_nights_mend_it(
        trips in proptest::collection::vec((0i64..60, -12.0..12.0f64, 3i64..25), 0..3),
        seeing in prop_oneof![Just(Seeing::Usual), prop_oneof![Just(0.0), Just(30.0), Just(1e5)].prop_map(Seeing::Always)],
        days in 30i64..140,
        off in -1.4..1.4f64,
        child in any::<bool>(),
    ) {
        let (person, track) = person(if child { EveningLight(5.0) } else { EveningLight::PLAIN });
        let back = days + 26;
        let mut happenings: Vec<Happening> = trips
            .iter()
            .flat_map(|(day, by, stay)| [(*day, *by), ((day + stay).min(back - 1), -by)])
            .map(|(day, by)| Happening::Shift { at: at(day, 12.0), by: Hours(by) })
            .chain(nights(back..back + 30, MID_SLEEP + off, off))
            .collect();
        happenings.sort_by_key(Happening::at);
        let light = |bin: UtcMillis| match seeing {
            Seeing::Always(lux) if bin < at(back, 0.0) => LightBin { light: Lux(lux), source: LightSource::Measured },
            _ => {
                let shifts = happenings.iter().filter(|happening| happening.at() <= bin);
                let offset = shifts.fold(0.0, |sum, happening| match happening {
                    Happening::Shift { by, .. } => sum + by.0,
                    _ => sum,
                });
                usual(bin, if bin < at(back, 0.0) { offset } else { -off })
            }
        };
        let mut run = track.run(model(), &person);
        for day in (5..back + 31).step_by(7) {
            run.advance(at(day, 12.0), &happenings, light);
            let said = run.next_minimum(at(day, 12.0), light);
            prop_assert!(at(day, 12.0) < said.cbt_min && said.cbt_min < at(day + 2, 12.0), "{said:?}");
            prop_assert!(said.sd.0 <= circle::ANY_TIME_SD && said.amplitude > 0.0);
            for [from, to] in [said.interval_80, said.interval_95] {
                prop_assert!(from < to && to - from <= Span::days(1), "{said:?}");
            }
            for (_, belief) in run.beliefs.iter() {
                prop_assert!(belief.covariance[PHASE][PHASE] < 1.1 * circle::ANY_PHASE_SD * circle::ANY_PHASE_SD);
            }
            // Nothing but silence keeps a body from its day for longer than a month.
            if day >= back + 28 {
                let from_night = (Hours(hour_of(&said) - MID_SLEEP - off)).wrap_12().0;
                prop_assert!(said.sd.0 < 1.2 && (from_night - 1.0).abs() < 1.0, "{from_night} {said:?}");
            }
        }
    }
}

#[test]
fn of_a_clock_that_may_be_anywhere_nights_tell_whether_or_not_they_lie_at_the_usual_hour() {
    let (person, track) = adult();
    for off in [0.0, 1.4, 3.0] {
        let happenings = nights(60..70, MID_SLEEP + off, off);
        let light = |bin: UtcMillis| {
            if bin < at(60, 0.0) {
                LightBin { light: Lux(0.0), source: LightSource::Measured }
            } else {
                usual(bin, -off)
            }
        };
        let said = |day: i64| {
            let mut run = track.run(model(), &person);
            run.advance(at(day, 18.0), &happenings, light);
            run.next_minimum(at(day, 18.0), light)
        };
        let width = |day: i64| (said(day).interval_80[1] - said(day).interval_80[0]).as_hours().0;
        assert!(width(59) > 12.0, "{}", width(59));
        assert!(width(62) < 8.0, "{off}: {}", width(62));
        assert!((Hours(hour_of(&said(66)) - MID_SLEEP - off - 1.0)).wrap_12().0.abs() < 1.5, "{off}: {:?}", said(66));
    }
}
