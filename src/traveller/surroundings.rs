//! Where somebody is and what the plan said, as far as naps depend on it: clocks on the wall, flights, settled days.

use crate::event::recommendation::ActionKind;
use crate::flight::zones;
use crate::planner::{Place, Published, Stretch};
use crate::traveller::clock::stretch_at;
use crate::traveller::models::Models;
use crate::units::{Span, UtcMillis};

const DAY: Span = Span::days(1);

/// Another clock that is no further off leaves the naps where they are.
const SMALL_CHANGE: Span = Span::hours(2);

/// Where somebody was and will be, and what the plan last said.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Never empty, without gaps.
    pub whereabouts: &'a [Stretch],
    pub plan: &'a [Published],
}

impl Surroundings<'_> {
    /// A time on the clock on the wall, as if that clock were UTC.
    #[must_use]
    pub fn on_the_wall(&self, at: UtcMillis) -> UtcMillis {
        at + zones::offset_at(stretch_at(self.whereabouts, at).time_zone, at)
    }

    #[must_use]
    pub fn is_aboard(&self, at: UtcMillis) -> bool {
        matches!(stretch_at(self.whereabouts, at).place, Place::Aboard { .. })
    }

    #[must_use]
    pub fn is_aboard_between(&self, from: UtcMillis, to: UtcMillis) -> bool {
        let mut flights = self.whereabouts.iter().filter(|stretch| matches!(stretch.place, Place::Aboard { .. }));
        flights.any(|flight| flight.from <= to && flight.to.is_none_or(|lands| lands > from))
    }

    /// The nap that the plan names next after a time, if it names one for that day.
    #[must_use]
    pub fn planned_after(&self, at: UtcMillis) -> Option<UtcMillis> {
        let starts = self.plan.iter().filter(|action| action.kind == ActionKind::Nap).map(|nap| nap.start);
        starts.filter(|start| *start > at && *start - at < DAY).min()
    }

    /// No journey to another clock is near: neither its preparation nor what follows it.
    #[must_use]
    pub fn is_settled(&self, models: &Models, at: UtcMillis) -> bool {
        let numbers = &models.people.journey;
        !self.whereabouts.windows(2).any(|pair| {
            let [before, flight] = pair else { return false };
            let offset = |stretch: &Stretch| zones::offset_at(stretch.time_zone, flight.from);
            let is_far = (offset(flight) - offset(before)).abs() > SMALL_CHANGE;
            // Who comes somewhere else without a flight is there at once.
            let arrives = if matches!(flight.place, Place::Aboard { .. }) { flight.to } else { Some(flight.from) };
            let over = arrives.map_or(UtcMillis::MAX, |lands| lands + numbers.planned_after);
            is_far && flight.from - numbers.planned_before <= at && at < over
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::event::flight::Iata;

    #[test]
    fn who_came_far_without_a_flight_is_settled_again_after_some_time() {
        let models = Models::embedded();
        let (came, airport) = (UtcMillis(0) + Span::days(30), Iata::parse("JFK").unwrap());
        let stretch = |from, to, time_zone, place| Stretch { from, to, time_zone, place };
        let whereabouts = [
            stretch(UtcMillis(0), Some(came), Tz::Europe__London, Place::Home),
            stretch(came, None, Tz::America__New_York, Place::Away { airport }),
        ];
        let surroundings = Surroundings { whereabouts: &whereabouts, plan: &[] };
        let after = |days| surroundings.is_settled(&models, came + Span::days(days));
        assert_eq!([after(-4), after(-2), after(1), after(13), after(15)], [true, false, false, false, true]);
    }
}
