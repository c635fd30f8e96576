//! When the body clock will have arrived, with the plan and without.

use super::setting::Setting;
use super::target::{Course, Outlook};
use crate::event::recommendation::Expectation;
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

const DAY_HOURS: f64 = 24.0;

/// `None` where no clock has to move. Rates are what was seen in people; the range follows from what is not known of
/// the clock now.
pub(super) fn expectation(setting: &Setting<'_>, outlook: &Outlook) -> Option<Expectation> {
    let course = outlook.moving()?;
    let numbers = &setting.numbers.clock;
    let to_go = Hours(course.distance.0 - numbers.adapted_within.0);
    // More than half a day either way says nothing.
    let spread = Hours((numbers.interval_half_width * course.sd().0.max(0.0)).min(DAY_HOURS / 2.0));
    let with_plan = |at| course.rate_at(setting, at);
    let by_itself = |at| course.unassisted_rate_at(setting, at);
    let date = |at| zones::local_date(course.zone, at).to_string();
    let adapted = arrival(setting, course, to_go, with_plan);
    let earliest = arrival(setting, course, to_go - spread, with_plan);
    let latest = arrival(setting, course, to_go + spread, with_plan);
    let unassisted = arrival(setting, course, to_go, by_itself).max(adapted);
    Some(Expectation {
        adapted_on: date(adapted),
        range: [date(earliest), date(latest)],
        unassisted_on: date(unassisted),
    })
}

/// When a distance has been covered at a rate that changes at departure and arrival; not before the landing, however
/// much of it is covered by then: nobody is adapted to a place who is not there.
fn arrival(setting: &Setting<'_>, course: &Course, to_go: Hours, rate_at: impl Fn(UtcMillis) -> Hours) -> UtcMillis {
    let mut left = to_go;
    let mut at = setting.now();
    let changes = [Some(course.begins(setting)), course.departure, Some(course.arrival)];
    for change in changes.into_iter().flatten().filter(|change| *change > setting.now()) {
        let rate = rate_at(at);
        let covered = Hours((change - at).as_hours().0 / DAY_HOURS * rate.0);
        if left.0 <= covered.0 {
            break;
        }
        left = left - covered;
        at = change;
    }
    let rate = rate_at(at);
    if left.0 <= 0.0 || rate.0 <= 0.0 {
        return at.max(course.arrival);
    }
    (at + Span::from_hours(Hours(left.0 / rate.0 * DAY_HOURS))).max(course.arrival)
}
