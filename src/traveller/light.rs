//! The light that reached somebody's eye, quarter hour by quarter hour, from what is known.
//!
//! Asleep is dark; else measured light counts, then a reported context, then a report without a level; where nothing was
//! reported, light is imputed from the local hour and the place, with sleep at its usual hours unless the log says
//! otherwise. One rule serves past and future.
//!
//! A quarter hour depends on reports of its own time and on sleeps that begin at most [`LOOKAHEAD`] after it. So what
//! lies that far behind the window cannot change any more.

use chrono_tz::Tz;

use crate::circadian::filter::{LightBin, LightSource};
use crate::circadian::{BIN, LightModel, Place as LightPlace};
use crate::flight::zones::Offset;
use crate::planner::{Place, Stretch};
use crate::traveller::facts::{Facts, Report};
use crate::traveller::habit::UsualDay;
use crate::traveller::sleeps::{Bout, Sleeps};
use crate::units::{Hours, Lux, Span, UtcMillis};

/// How far after a quarter hour a sleep may begin that decides whether the night around it was logged.
pub const LOOKAHEAD: Span = Span::hours(18);

/// A sleep this far outside the usual night still tells how that night went.
const NIGHT_SLACK: Span = Span::hours(3);

/// Who slept for so long, so far from the usual night, was up all through that.
const SLEPT_INSTEAD: Span = Span::hours(4);
const ANOTHER_TIME: Span = Span::hours(6);

/// Shorter sleeps in the evening do not tell how the night went.
const TELLS_OF_THE_NIGHT: Span = Span::hours(2);

/// Who logs any sleep within this time before a usual nap would have logged the nap.
const LOGS_NAPS_BACK: Span = Span::hours(24);
const LOGS_NAPS_AHEAD: Span = Span::hours(12);

/// Where it is not known which hours are day, light is that of an evening all the time: it moves a clock to no hour.
const HOUR_OF_NO_HOUR: Hours = Hours(20.0);

/// Sleep that is interrupted for less is dark throughout.
const DARK_GAP: Span = Span::minutes(30);

/// Everything that decides about the light of one person.
#[derive(Clone, Copy, Debug)]
pub struct LightSources<'a> {
    pub model: &'a LightModel,
    pub facts: &'a Facts,
    pub sleeps: &'a Sleeps,
    pub open_ends_after: Span,
    pub day: UsualDay,
    /// Without gaps; the first reaches back for good, the last has no end.
    pub whereabouts: &'a [Stretch],
    /// From the quarter hour after this on, nothing is known but the habit.
    pub now: UtcMillis,
}

/// Answers for quarter hours in order of time.
#[derive(Clone, Debug)]
pub struct LightAtEye<'a> {
    sources: LightSources<'a>,
    reports: Vec<(UtcMillis, Report)>,
    next_report: usize,
    bouts: Vec<Bout>,
    next_bout: usize,
    stretch: usize,
    /// The offset that was in force last, and where.
    offset: Option<(Tz, Offset)>,
    /// Start of the usual night asked for last, and what the log says of it.
    night: Option<(UtcMillis, Night)>,
    /// How much later than on the clock on the wall the usual day is lived, in whole quarter hours; `None` where nobody knows
    /// at which hours it is.
    later: Option<Span>,
}

impl<'a> LightAtEye<'a> {
    /// Quarter hours will be asked for from `from` on.
    #[must_use]
    pub fn new(sources: LightSources<'a>, from: UtcMillis) -> LightAtEye<'a> {
        LightAtEye {
            reports: sources.facts.since(from.floor_to(BIN)).collect(),
            next_report: 0,
            bouts: sources.sleeps.bouts(DARK_GAP, sources.open_ends_after, UtcMillis::MIN, sources.now),
            next_bout: 0,
            stretch: 0,
            offset: None,
            night: None,
            later: Some(Span::ZERO),
            sources,
        }
    }

    /// From here on the usual day is lived so much later than the clock on the wall says: of somebody whose hours are seen
    /// from when they sleep; `None` before that.
    pub fn live_later(&mut self, later: Option<Span>) {
        if later != self.later {
            self.later = later;
            self.night = None;
        }
    }

    /// Light in the quarter hour that begins at `bin`; not before the one asked for last.
    pub fn at(&mut self, bin: UtcMillis) -> LightBin {
        let model = self.sources.model;
        let reported = self.reported(bin);
        if self.asleep_in(bin) || reported.seen_asleep {
            return LightBin { light: model.asleep(), source: LightSource::Asleep };
        }
        if let Some(measured) = reported.measured {
            return LightBin { light: measured, source: LightSource::Measured };
        }
        let stretch = self.stretch_at(bin);
        let time_of_day = self.time_of_day(stretch.time_zone, bin - self.later.unwrap_or(Span::ZERO));
        let local_hour = time_of_day.as_hours();
        match reported.unmeasured {
            Some(Report::Context(context)) => {
                return LightBin { light: model.in_context(context, local_hour), source: LightSource::Context };
            }
            Some(_) => {
                let light = model.default_exposure(local_hour).light;
                return LightBin { light, source: LightSource::Context };
            }
            None => {}
        }
        if self.later.is_none() {
            let light = model.imputed(HOUR_OF_NO_HOUR, LightPlace::Home);
            return LightBin { light, source: LightSource::Imputed };
        }
        let local_minute = time_of_day.as_minutes() as i32;
        let light = match stretch.place {
            // What somebody does aboard follows no habit; the cabin's lamps follow the clock of where it goes.
            Place::Aboard { .. } => model.imputed(local_hour, LightPlace::Cabin),
            Place::Home | Place::Away { .. } if !reported.ate && self.usually_asleep(bin, local_minute) => {
                return LightBin { light: model.asleep(), source: LightSource::Asleep };
            }
            Place::Home | Place::Away { .. } if self.is_up_all_night(bin, local_minute) => model.up_all_night(),
            Place::Home | Place::Away { .. } => model.imputed(local_hour, LightPlace::Home),
        };
        LightBin { light, source: LightSource::Imputed }
    }

    /// On the clock on the wall. Zones are asked once between their changes.
    fn time_of_day(&mut self, tz: Tz, at: UtcMillis) -> Span {
        let known = self.offset.filter(|(zone, offset)| *zone == tz && offset.is_in_force(at));
        let (_, offset) = *self.offset.insert(known.unwrap_or_else(|| (tz, Offset::at(tz, at))));
        offset.time_of_day(at)
    }

    fn reported(&mut self, bin: UtcMillis) -> Reported {
        let mut reported = Reported::default();
        let (mut sum, mut count) = (0.0, 0.0);
        while let Some((at, report)) = self.reports.get(self.next_report)
            && *at < bin + BIN
        {
            self.next_report += 1;
            if *at < bin {
                continue;
            }
            match report {
                Report::Measured(level) => {
                    sum += level.lux().0;
                    count += 1.0;
                }
                // Within the quarter hour the later of two contexts stands, and any context before a bare report.
                Report::Context(_) => reported.unmeasured = Some(*report),
                Report::Usual => {
                    reported.unmeasured.get_or_insert(Report::Usual);
                }
                Report::Meal(_) => reported.ate = true,
                Report::SeenAsleep => reported.seen_asleep = true,
            }
        }
        if count > 0.0 {
            reported.measured = Some(Lux(sum / count));
        }
        reported
    }

    /// Whether the log has at least half of the quarter hour as sleep.
    fn asleep_in(&mut self, bin: UtcMillis) -> bool {
        while self.bouts.get(self.next_bout).is_some_and(|bout| bout.end <= bin) {
            self.next_bout += 1;
        }
        let known_until = self.sources.now;
        let slept: i64 = self.bouts[self.next_bout..]
            .iter()
            .take_while(|bout| bout.start < bin + BIN)
            .map(|bout| {
                let end = if bout.going_on { bout.end.min(known_until) } else { bout.end };
                (end.min(bin + BIN) - bout.start.max(bin)).0.max(0)
            })
            .sum();
        slept * 2 >= BIN.0
    }

    fn usually_asleep(&mut self, bin: UtcMillis, local_minute: i32) -> bool {
        let day = self.sources.day;
        let ahead = bin >= self.sources.now;
        if day.is_night(local_minute) {
            return ahead && !self.night_has_ended(bin, local_minute)
                || self.night_of(bin, local_minute) == Night::Unlogged;
        }
        day.is_nap(local_minute) && (ahead || !self.logs_sleep_around(bin))
    }

    /// The night that is going on now is over for somebody who is known to have got up near its end.
    fn night_has_ended(&self, bin: UtcMillis, local_minute: i32) -> bool {
        let night_start = bin - self.sources.day.since_bedtime(local_minute);
        let usual_end = night_start + self.sources.day.night_length();
        night_start <= self.sources.now
            && self.bouts.last().is_some_and(|last| {
                let tells = last.length().is_some_and(|length| length >= TELLS_OF_THE_NIGHT);
                tells && last.end > night_start && last.end + NIGHT_SLACK >= usual_end
            })
    }

    fn is_up_all_night(&mut self, bin: UtcMillis, local_minute: i32) -> bool {
        self.sources.day.is_night(local_minute) && self.night_of(bin, local_minute) == Night::UpAllThrough
    }

    /// What the log says of the usual night that holds a quarter hour.
    fn night_of(&mut self, bin: UtcMillis, local_minute: i32) -> Night {
        let night_start = bin - self.sources.day.since_bedtime(local_minute);
        if let Some((known, night)) = self.night
            && known == night_start
        {
            return night;
        }
        let night = Night::by_log(&self.bouts, night_start, self.sources.day.night_length());
        self.night = Some((night_start, night));
        night
    }

    fn logs_sleep_around(&self, bin: UtcMillis) -> bool {
        self.bouts.iter().any(|bout| bin - LOGS_NAPS_BACK <= bout.start && bout.start < bin + LOGS_NAPS_AHEAD)
    }

    fn stretch_at(&mut self, bin: UtcMillis) -> &'a Stretch {
        let whereabouts = self.sources.whereabouts;
        while self.stretch + 1 < whereabouts.len() && whereabouts[self.stretch].to.is_some_and(|to| to <= bin) {
            self.stretch += 1;
        }
        &whereabouts[self.stretch]
    }
}

/// A usual night, as far as the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Night {
    /// It counts as slept.
    Unlogged,
    Slept,
    UpAllThrough,
}

impl Night {
    /// What sleeps, in order of time, say of a usual night.
    #[must_use]
    pub fn by_log(bouts: &[Bout], night_start: UtcMillis, night_length: Span) -> Night {
        let from = night_start - NIGHT_SLACK;
        let until = (night_start + night_length + NIGHT_SLACK).min(night_start + LOOKAHEAD);
        let tells = |bout: &&Bout| {
            bout.start < until
                && bout.end > from
                && (bout.going_on || bout.length().is_none_or(|length| length >= TELLS_OF_THE_NIGHT))
        };
        // What may still be merged into a bout from beyond what is looked at here makes no difference.
        let looked_at = night_start + LOOKAHEAD - DARK_GAP;
        let length = |bout: &Bout| bout.end.min(looked_at) - bout.start;
        let slept_instead = |bout: &Bout| {
            let off_middle = (bout.start - night_start) + Span((length(bout).0 - night_length.0) / 2);
            let is_known = bout.end_known || bout.end > looked_at;
            is_known && length(bout) >= SLEPT_INSTEAD && off_middle.abs() > ANOTHER_TIME
        };
        match bouts.iter().filter(tells).max_by_key(|bout| length(bout)) {
            None => Night::Unlogged,
            Some(longest) if slept_instead(longest) => Night::UpAllThrough,
            Some(_) => Night::Slept,
        }
    }
}

/// What was reported of one quarter hour.
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    measured: Option<Lux>,
    unmeasured: Option<Report>,
    ate: bool,
    seen_asleep: bool,
}
