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

    /// Where all lanes are under the same light.
    fn everywhere(model: &Hannay19, light: Lux) -> LaneDrives {
        LaneDrives::new(&[model.drive(light); LANES])
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

/// Drives cost as much as some steps, light rarely changes from bin to bin, and habitual life has few levels: the last ones
/// are kept.
#[derive(Clone, Debug)]
pub(super) struct Recent<K> {
    entries: [(K, LaneDrives); KNOWN_LEVELS],
    /// Which was asked for last.
    last: usize,
}

/// Night, day, evening and one more.
const KNOWN_LEVELS: usize = 4;

impl<K: Copy + PartialEq> Recent<K> {
    pub(super) fn new(key: K, drives: &LaneDrives) -> Recent<K> {
        Recent { entries: [(key, *drives); KNOWN_LEVELS], last: 0 }
    }

    /// Where the drives of a key are, until two others were asked for.
    fn place_of(&mut self, key: K, make: impl FnOnce() -> LaneDrives) -> usize {
        if self.entries[self.last].0 != key {
            // What was asked for last is never the next to go.
            let next = (self.last + 1) % KNOWN_LEVELS;
            self.last = self.entries.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                self.entries[next] = (key, make());
                next
            });
        }
        self.last
    }

    pub(super) fn at(&mut self, key: K, make: impl FnOnce() -> LaneDrives) -> &LaneDrives {
        let place = self.place_of(key, make);
        &self.entries[place].1
    }
}

/// The drives of light that is the same for every lane, for all clocks of one model.
#[derive(Clone, Debug)]
pub struct KnownDrives<'a> {
    model: &'a Hannay19,
    /// By the light as bits, so that a NaN equals itself.
    recent: Recent<u64>,
}

impl<'a> KnownDrives<'a> {
    /// Knows darkness.
    #[must_use]
    pub fn new(model: &'a Hannay19) -> KnownDrives<'a> {
        let dark = Lux(0.0);
        KnownDrives { model, recent: Recent::new(dark.0.to_bits(), &LaneDrives::everywhere(model, dark)) }
    }

    /// Under the first of two lights, and under the second.
    pub fn of_two(&mut self, first: Lux, second: Lux) -> [&LaneDrives; 2] {
        let places = [first, second]
            .map(|light| self.recent.place_of(light.0.to_bits(), || LaneDrives::everywhere(self.model, light)));
        places.map(|place| &self.recent.entries[place].1)
    }
}
