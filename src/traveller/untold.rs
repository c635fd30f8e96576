//! Which usual nights and naps of the last days the log says nothing of: they count as slept as usual, as they do for the
//! body clock ([`super::light`]). Silence is neither a night awake nor, where naps are not logged, a nap lost.

use crate::flight::zones;
use crate::planner::{Place, Stretch};
use crate::traveller::light::Night;
use crate::traveller::persona::Persona;
use crate::traveller::sleeps::Bout;
use crate::units::{Span, UtcMillis};

/// A usual night, by the clock on the wall where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualNight {
    pub start: UtcMillis,
    pub end: UtcMillis,
    pub is_told: bool,
    /// What somebody does there follows no habit.
    pub is_aboard: bool,
}

/// The usual nights that overlap a time, as far as they lie before `now`, in order of time. `bouts` are the sleeps whose
/// end is known, and one that is going on.
#[must_use]
pub fn usual_nights(
    persona: &Persona<'_>,
    whereabouts: &[Stretch],
    bouts: &[Bout],
    from: UtcMillis,
    now: UtcMillis,
) -> Vec<UsualNight> {
    let length = persona.day.night_length();
    let begins = at_local_minute(whereabouts, persona.day.bedtime, from - length, now);
    let night = |(start, stretch): (UtcMillis, &Stretch)| UsualNight {
        start,
        end: start + length,
        is_told: Night::by_log(bouts, start, length) != Night::Unlogged,
        is_aboard: matches!(stretch.place, Place::Aboard { .. }),
    };
    begins.into_iter().map(night).filter(|night| night.end > from && length > Span::ZERO).collect()
}

/// How much of the usual naps between `from` and `now` lies on days of which the log does not tell: where naps are not
/// logged, and after and before a night that is not told.
#[must_use]
pub fn untold_naps(
    persona: &Persona<'_>,
    whereabouts: &[Stretch],
    nights: &[UsualNight],
    are_naps_logged: bool,
    from: UtcMillis,
    now: UtcMillis,
) -> Span {
    let is_told = |at: UtcMillis| {
        let before = nights.iter().rfind(|night| night.start <= at);
        let after = nights.iter().find(|night| night.start > at);
        are_naps_logged && before.is_none_or(|night| night.is_told) && after.is_none_or(|night| night.is_told)
    };
    let mut untold = Span::ZERO;
    for nap in persona.usual_naps().unwrap_or(&[]) {
        let length = Span::minutes(i64::from(nap.minutes));
        for (start, _) in at_local_minute(whereabouts, nap.start, from - length, now) {
            if !is_told(start) {
                untold = untold + within(start, start + length, from, now);
            }
        }
    }
    untold
}

/// How much of a stretch of time lies between two others.
#[must_use]
pub fn within(start: UtcMillis, end: UtcMillis, from: UtcMillis, until: UtcMillis) -> Span {
    Span((end.min(until) - start.max(from)).0.max(0))
}

/// The times in [`from`, `until`) at which the clock on the wall shows a minute of the day, and where the person is then.
fn at_local_minute(
    whereabouts: &[Stretch],
    minute_of_day: u16,
    from: UtcMillis,
    until: UtcMillis,
) -> Vec<(UtcMillis, &Stretch)> {
    let mut times = Vec::new();
    for stretch in whereabouts {
        let (begins, ends) = (stretch.from.max(from), stretch.to.unwrap_or(until).min(until));
        for date in zones::local_date(stretch.time_zone, begins).iter_days() {
            let at = zones::to_utc(stretch.time_zone, date, i32::from(minute_of_day));
            if at >= ends {
                break;
            }
            if at >= begins {
                times.push((at, stretch));
            }
        }
    }
    times
}
