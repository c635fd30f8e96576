//! Bodies: oscillators with a hidden period, light gain and restlessness, whose CBTmin is the truth.
//!
//! Knows light by quarter hours and nothing of sleep, habits or what is told.

use std::ops::ControlFlow;

use crate::circadian::drive::GridStep;
use crate::circadian::markers::CrossingWatch;
use crate::circadian::{
    BIN, Forger99, Forger99Light, Hannay19, Jewett99, Oscillator, VanDerPolState, likely_midnight_state, phase_of,
};
use crate::units::{Hours, Lux, Radians, UtcMillis};

/// Which equations the simulated people's clocks follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    Hannay19,
    Forger99,
    Jewett99,
}

impl Truth {
    pub const ALL: [Truth; 3] = [Truth::Hannay19, Truth::Forger99, Truth::Jewett99];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Truth::Hannay19 => "hannay19",
            Truth::Forger99 => "forger99",
            Truth::Jewett99 => "jewett99",
        }
    }

    /// A body of this kind, its period `period` SDs off the mean and the logarithm of its light gain `gain` SDs, in a phase
    /// that suits somebody who sleeps around `mid_sleep`.
    ///
    /// Periods differ between people by an SD of 0.2 h (Duffy et al. 2011). The gain's mean of 0.8 and its SDs are those of
    /// the simulations in which the estimator was first calibrated; the van der Pol models answer to gain more strongly.
    #[must_use]
    pub fn body(self, period: f64, gain: f64, mid_sleep: Hours) -> Body {
        let gain_sd = if self == Truth::Hannay19 { 0.4 } else { 0.3 };
        let factor = 0.8 * libm::exp(gain_sd * gain);
        match self {
            Truth::Hannay19 => {
                let published = Hannay19::embedded();
                let own = published.personal(published.parameters().tau + Hours(0.2 * period), factor);
                Body::Hannay19(Moving::new(own, mid_sleep))
            }
            Truth::Forger99 => {
                let published = Forger99::embedded(Forger99Light::Serkh);
                let own = published.personal(published.parameters().tau + Hours(0.2 * period), factor);
                Body::Forger99(Moving::new(own, mid_sleep))
            }
            Truth::Jewett99 => {
                let published = Jewett99::embedded();
                let own = published.personal(published.parameters().tau + Hours(0.2 * period), factor);
                Body::Jewett99(Moving::new(own, mid_sleep))
            }
        }
    }
}

/// One person's clock.
#[expect(clippy::large_enum_variant, reason = "a few hundred of them, stepped in a tight loop")]
#[derive(Clone, Debug)]
pub enum Body {
    Hannay19(Moving<Hannay19>),
    Forger99(Moving<Forger99>),
    Jewett99(Moving<Jewett99>),
}

impl Body {
    /// Lives through the quarter hour from `at`; the CBTmin that became known in it. The van der Pol models' is known some six
    /// hours late, when their temperature has risen.
    pub fn live(&mut self, at: UtcMillis, light: Lux) -> Option<UtcMillis> {
        match self {
            Body::Hannay19(moving) => moving.live(at, light),
            Body::Forger99(moving) => moving.live(at, light),
            Body::Jewett99(moving) => moving.live(at, light),
        }
    }

    /// Moves the phase by so much, and nothing else: what people's clocks do from day to day that no light explains. To be
    /// called half a cycle away from a CBTmin, so that none is skipped or met twice.
    pub fn stray(&mut self, by: Hours) {
        match self {
            Body::Hannay19(moving) => {
                let phase = Radians(moving.state.phase().0 + phase_of(by).0);
                moving.begin_at(moving.oscillator.moved_to(moving.state, phase));
            }
            Body::Forger99(moving) => moving.begin_at(turned(&moving.state, by)),
            Body::Jewett99(moving) => moving.begin_at(turned(&moving.state, by)),
        }
    }
}

/// A van der Pol state turned about the origin, the way it runs.
fn turned(state: &VanDerPolState, by: Hours) -> VanDerPolState {
    let angle = phase_of(by).0;
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let (x, xc) = (state.x(), state.xc());
    VanDerPolState::new(x * cosine + xc * sine, xc * cosine - x * sine, state.adaptation())
}

/// An oscillator on its way.
#[derive(Clone, Debug)]
pub struct Moving<O: Oscillator> {
    oscillator: O,
    state: O::State,
    watch: CrossingWatch,
    last_drive: Option<(u64, O::Drive)>,
}

impl<O: Oscillator> Moving<O> {
    fn new(oscillator: O, mid_sleep: Hours) -> Moving<O> {
        let state = likely_midnight_state(&oscillator, mid_sleep);
        let watch = CrossingWatch::new(&oscillator, &state, Hours(0.0));
        Moving { oscillator, state, watch, last_drive: None }
    }

    fn begin_at(&mut self, state: O::State) {
        self.state = self.oscillator.unwound(state);
        self.watch = CrossingWatch::new(&self.oscillator, &self.state, Hours(0.0));
    }

    fn live(&mut self, at: UtcMillis, light: Lux) -> Option<UtcMillis> {
        let bits = light.0.to_bits();
        let drive = match self.last_drive {
            Some((known, drive)) if known == bits => drive,
            _ => self.oscillator.drive(light),
        };
        self.last_drive = Some((bits, drive));
        let after = self.oscillator.step(self.state, &drive, BIN);
        let step = GridStep { start: at, length: BIN, before: self.state, after, drive: &drive };
        let mut found = None;
        let _ = self.watch.see(&self.oscillator, &step, &mut |cbt_min| {
            found = Some(cbt_min);
            ControlFlow::Continue(())
        });
        self.state = after;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    fn room_light(at: UtcMillis) -> Lux {
        Lux(if (7..23).contains(&(at.0.rem_euclid(86_400_000) / 3_600_000)) { 150.0 } else { 0.0 })
    }

    fn minima(body: &mut Body, days: i64, mut each_bin: impl FnMut(&mut Body, UtcMillis)) -> Vec<f64> {
        let mut found = Vec::new();
        for bin in 0..days * 96 {
            let at = UtcMillis(0) + Span(bin * BIN.0);
            each_bin(body, at);
            found.extend(body.live(at, room_light(at)).map(|cbt_min| (cbt_min - UtcMillis(0)).as_hours().0));
        }
        found
    }

    #[test]
    fn a_body_has_one_cbt_min_a_day() {
        for truth in Truth::ALL {
            let found = minima(&mut truth.body(0.0, 0.0, Hours(3.0)), 30, |_, _| {});
            assert!((29..=30).contains(&found.len()), "{truth:?}: {}", found.len());
            assert!(found.windows(2).all(|pair| (pair[1] - pair[0] - 24.0).abs() < 1.0), "{truth:?}");
        }
    }

    #[test]
    fn straying_moves_the_next_cbt_min_by_about_as_much() {
        for truth in Truth::ALL {
            let strayed = |by: f64| {
                let mut body = truth.body(0.0, 0.0, Hours(3.0));
                let noon = UtcMillis(0) + Span::hours(20 * 24 + 16);
                let found = minima(&mut body, 22, |body, at| {
                    if at == noon {
                        body.stray(Hours(by));
                    }
                });
                *found.last().expect("a CBTmin")
            };
            let moved = strayed(-0.5) - strayed(0.0);
            assert!((moved - 0.5).abs() < 0.2, "{truth:?}: {moved} h");
        }
    }
}
