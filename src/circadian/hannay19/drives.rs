//! What light does to eight clocks at once.
//!
//! It hangs on light alone: clocks of one model share it, whatever their own τ and gain.

use super::flow::StepLight;
use super::lanes::{LANES, Row};
use super::{Hannay19, Hannay19Drive};
use crate::circadian::oscillator::Oscillator as _;
use crate::units::Lux;

/// What each lane's light level does.
#[derive(Clone, Copy, Debug)]
pub struct LaneDrives {
    pub(super) each: [Hannay19Drive; LANES],
    pub(super) cell: LaneLight,
    pub(super) bin: LaneLight,
    /// The lanes that take a cell in two steps.
    pub(super) fast: [bool; LANES],
}

impl LaneDrives {
    /// At the lanes' light levels; computed once for neighbours with the same light.
    pub(super) fn at(model: &Hannay19, light: &[Lux; LANES]) -> LaneDrives {
        let mut each = [model.drive(light[0]); LANES];
        for lane in 1..LANES {
            let same = light[lane].0.to_bits() == light[lane - 1].0.to_bits();
            each[lane] = if same { each[lane - 1] } else { model.drive(light[lane]) };
        }
        LaneDrives::new(&each)
    }

    fn new(each: &[Hannay19Drive; LANES]) -> LaneDrives {
        LaneDrives {
            cell: LaneLight::new(each.map(|drive| drive.over_cell())),
            bin: LaneLight::new(each.map(|drive| drive.over_bin())),
            fast: each.map(|drive| drive.is_fast()),
            each: *each,
        }
    }
}

/// A step's light, row by row.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct LaneLight {
    pub(super) alpha: Row,
    pub(super) limit: Row,
    pub(super) left_half: Row,
    pub(super) left_full: Row,
}

impl LaneLight {
    pub(super) fn new(each: [StepLight; LANES]) -> LaneLight {
        LaneLight {
            alpha: each.map(|light| light.alpha),
            limit: each.map(|light| light.limit),
            left_half: each.map(|light| light.left_half),
            left_full: each.map(|light| light.left_full),
        }
    }
}

/// Drives cost as much as some steps, light rarely changes from bin to bin, and habitual life has few levels: the last ones are
/// kept.
#[derive(Clone, Debug)]
pub struct KnownDrives<'a> {
    model: &'a Hannay19,
    entries: [(Bits, LaneDrives); KNOWN_LEVELS],
    /// Which was asked for last.
    last: usize,
}

/// Night, day, evening and one more.
const KNOWN_LEVELS: usize = 4;

impl<'a> KnownDrives<'a> {
    /// Knows darkness.
    #[must_use]
    pub fn new(model: &'a Hannay19) -> KnownDrives<'a> {
        let dark = [Lux(0.0); LANES];
        KnownDrives { model, entries: [(bits(&dark), LaneDrives::at(model, &dark)); KNOWN_LEVELS], last: 0 }
    }

    /// The drives where every lane is under the first of two lights, and under the second.
    pub fn of_two(&mut self, first: Lux, second: Lux) -> [&LaneDrives; 2] {
        // What was asked for last is never the next to go.
        let places = [first, second].map(|light| self.place_of(&[light; LANES]));
        places.map(|place| &self.entries[place].1)
    }

    pub(super) fn at(&mut self, light: &[Lux; LANES]) -> &LaneDrives {
        let place = self.place_of(light);
        &self.entries[place].1
    }

    fn place_of(&mut self, light: &[Lux; LANES]) -> usize {
        let bits = bits(light);
        let is_known = |(known, _): &(Bits, LaneDrives)| *known == bits;
        if !is_known(&self.entries[self.last]) {
            let next = (self.last + 1) % KNOWN_LEVELS;
            self.last = self.entries.iter().position(is_known).unwrap_or_else(|| {
                self.entries[next] = (bits, LaneDrives::at(self.model, light));
                next
            });
        }
        self.last
    }
}

/// Light levels as bits, so that a NaN equals itself.
pub(super) type Bits = [u64; LANES];

pub(super) fn bits(light: &[Lux; LANES]) -> Bits {
    light.map(|lux| lux.0.to_bits())
}
