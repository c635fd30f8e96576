//! A light reading of somebody known: most of all records. It is taken in, and taken back after an abort, without a copy
//! of the household.

use super::Household;
use crate::engine::processor::{Revert, Small};
use crate::event::activity::LightExposure;
use crate::traveller::Models;
use crate::traveller::facts::Reading;
use crate::units::UtcMillis;

/// Where the traveller's place stands in a [`Revert`]; below it, what [`Reading::to_bits`] needs.
const PLACE_SHIFT: u32 = 48;

impl Household {
    /// As applying the reading; `None`, and nothing changed, where it is not a reading of one moment, where the traveller is
    /// new, or where more than the list of facts would change.
    pub(super) fn apply_light_reading(
        &mut self,
        models: &Models,
        user_id: &str,
        light: &LightExposure,
        now: UtcMillis,
    ) -> Option<Small> {
        let place = self.travellers.place_of(user_id).ok()?;
        let short_place = u16::try_from(place).ok()?;
        let traveller = &mut self.travellers[place];
        let bytes_before = traveller.facts_heap_bytes();
        let reading = traveller.note_light_reading(&models.light, light, now)?;
        if traveller.has_gathered_facts(now) {
            traveller.take_back_reading(reading);
            return None;
        }
        if reading == Reading::Known {
            return Some(Small::Unchanged);
        }
        let grown = traveller.facts_heap_bytes().saturating_sub(bytes_before);
        Some(Small::Changed {
            revert: Revert(u64::from(short_place) << PLACE_SHIFT | reading.to_bits()),
            grown: u32::try_from(grown).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn revert_light_reading(&mut self, revert: Revert) {
        let place = (revert.0 >> PLACE_SHIFT) as usize;
        let reading = Reading::from_bits(revert.0 & ((1 << PLACE_SHIFT) - 1));
        if place < self.travellers.len() {
            self.travellers[place].take_back_reading(reading);
        }
    }
}
