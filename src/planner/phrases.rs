//! The words of an action: one calm sentence, and in a few words why.

use chrono_tz::Tz;

use super::actions::{Draft, LeftOut, Sort, local_window};
use super::naps::NapSort;
use super::nights::NightSort;
use super::setting::Setting;
use super::spans::Interval;
use super::target::Direction;
use super::wording::{Subject, capitalised};
use super::{Place, RepairKind, Stretch};
use crate::flight::{airports, daylight, zones};
use crate::units::{Span, UtcMillis};

pub(super) struct Words {
    pub message: String,
    pub why: String,
}

/// `stretch` is where the action begins; its clock is the one that the sentence speaks of.
pub(super) fn words(setting: &Setting<'_>, stretch: &Stretch, draft: &Draft) -> Words {
    let mut words = plain_words(setting, stretch, draft);
    words.message = with_clocks(setting, stretch, draft, &words.message);
    if let Sort::Night(_, Some(LeftOut::Forbidden)) = draft.sort {
        words.message.push_str(" Bright light is left out for health reasons in the profile.");
    }
    words
}

fn plain_words(setting: &Setting<'_>, stretch: &Stretch, draft: &Draft) -> Words {
    let person = &setting.situation.person;
    let subject = Subject::new(person.display_name, setting.is_spoken_to());
    let clock = |at: UtcMillis| zones::hhmm(stretch.time_zone, at);
    let times = Times { from: clock(draft.window.start), until: clock(draft.window.end) };
    match draft.sort {
        Sort::Night(sort, left_out) => {
            let message = night_message(&subject, &times, sort, night_as_of_now(setting, draft.window));
            let why = night_why(setting, stretch, draft, sort);
            match left_out {
                None | Some(LeftOut::Forbidden) => Words { message, why: why.to_owned() },
                Some(LeftOut::Unsure(block, another)) => {
                    let blocks: Vec<String> = [Some(block), another]
                        .into_iter()
                        .flatten()
                        .map(|block| dated_window(setting, block))
                        .collect();
                    let blocks = blocks.join(" and ");
                    let why = format!("{why}; bright light {blocks} could as well shift the clock the wrong way");
                    Words { message, why: format!("{why} and is left out") }
                }
            }
        }
        Sort::Nap(sort) => Words {
            message: nap_message(&subject, &times, sort, stretch, draft),
            why: nap_why(setting, sort).to_owned(),
        },
        Sort::Bright(direction) => Words {
            message: bright_message(setting, &subject, stretch, &times, draft),
            why: match direction {
                Direction::Advance => "light now pulls the clock earlier",
                Direction::Delay => "light now pulls the clock later",
            }
            .to_owned(),
        },
        Sort::Dim(direction) => Words {
            message: match &subject {
                Subject::Adult => format!("Keep the light low between {} and {}.", times.from, times.until),
                child @ Subject::Child(_) => {
                    format!("Keep the light around {child} low between {} and {}.", times.from, times.until)
                }
            },
            why: match direction {
                Direction::Advance => "light now would pull the clock later",
                Direction::Delay => "light now would pull the clock earlier",
            }
            .to_owned(),
        },
        Sort::Breakfast => Words {
            message: match &subject {
                Subject::Adult => format!("Have breakfast between {} and {}.", times.from, times.until),
                child @ Subject::Child(_) => {
                    format!("Offer {child} breakfast between {} and {}.", times.from, times.until)
                }
            },
            why: "meals follow the new day".to_owned(),
        },
        Sort::Caffeine => Words {
            message: format!("Coffee and tea are fine until {}.", times.until),
            why: "caffeine lasts into the night".to_owned(),
        },
        Sort::Melatonin => Words {
            message: format!("If you take melatonin, {} is the time for it.", times.from),
            why: "it pulls the clock earlier; ask a doctor or pharmacist first".to_owned(),
        },
    }
}

/// `from 19:30 to 21:30 on 4 Jun`, by the clock of where the person will be.
fn dated_window(setting: &Setting<'_>, window: Interval) -> String {
    let zone = setting.stretch_at(window.start).time_zone;
    let (from, until) = (zones::hhmm(zone, window.start), zones::hhmm(zone, window.end));
    format!("from {from} to {until} on {}", zones::local_date(zone, window.start).format("%-d %b"))
}

struct Times {
    from: String,
    until: String,
}

/// How far a night has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ahead,
    /// Nobody knows whether its sleeper sleeps.
    Begun,
    Asleep,
}

fn night_as_of_now(setting: &Setting<'_>, window: Interval) -> Progress {
    match setting.asleep_since {
        Some(_) if window.start <= setting.now() => Progress::Asleep,
        _ if window.start < setting.now() => Progress::Begun,
        _ => Progress::Ahead,
    }
}

/// Of a night that runs no bedtime is said: it is over.
fn night_message(subject: &Subject<'_>, times: &Times, sort: NightSort, progress: Progress) -> String {
    let Times { from, until } = times;
    match (subject, progress, sort) {
        (_, Progress::Ahead, _) => {}
        (Subject::Adult, _, NightSort::Aboard | NightSort::AboardByBody | NightSort::AboardByNeed) => {
            return format!("Sleep on board until {until} as well as you can.");
        }
        (child, _, NightSort::Aboard | NightSort::AboardByBody | NightSort::AboardByNeed) => {
            return format!("Let {child} sleep on board for as long as it lasts.");
        }
        (Subject::Adult, Progress::Asleep, _) => return format!("Sleep on; the night runs until about {until}."),
        (child, Progress::Asleep, _) => return format!("Let {child} sleep; the night runs until about {until}."),
        (subject, Progress::Begun, _) => {
            return format!("{} night runs until about {until}.", capitalised(&subject.possessive()));
        }
    }
    match (subject, sort) {
        (Subject::Adult, NightSort::Aboard | NightSort::AboardByBody | NightSort::AboardByNeed) => {
            format!("Sleep on board between {from} and {until} as well as you can.")
        }
        (child, NightSort::Aboard | NightSort::AboardByBody | NightSort::AboardByNeed) => {
            format!("Let {child} sleep on board from {from}, for as long as it lasts.")
        }
        (Subject::Adult, NightSort::Moved(_)) => format!("Go to bed at {from} and get up at {until}."),
        (child, NightSort::Moved(_)) => format!("Put {child} to bed at {from} and plan the morning for about {until}."),
        (Subject::Adult, NightSort::Local) => format!("Sleep by local time, from {from} to {until}."),
        (child, NightSort::Local) => format!("Put {child} to bed by local time, at {from}, until about {until}."),
        (Subject::Adult, NightSort::Cut) => format!("Sleep from {from} to {until}, as the journey allows."),
        (child, NightSort::Cut) => format!("Put {child} to bed at {from}; the journey leaves time until {until}."),
        (Subject::Adult, NightSort::Usual | NightSort::Repaired | NightSort::BegunLate) => {
            format!("Sleep from {from} to {until}.")
        }
        (child, NightSort::Usual | NightSort::BegunLate) => {
            format!("Put {child} to bed at {from}; the night runs until about {until}.")
        }
        (child, NightSort::Repaired) => format!("Put {child} to bed at {from} and keep the morning at about {until}."),
    }
}

fn night_why(setting: &Setting<'_>, stretch: &Stretch, draft: &Draft, sort: NightSort) -> &'static str {
    match sort {
        NightSort::Usual if is_away_on_home_time(setting, stretch, draft) => "the usual night, by the clock at home",
        NightSort::Usual if setting.is_night_lengthened => {
            "the usual morning; the usual night is too short for the age"
        }
        NightSort::Usual => "the usual night",
        NightSort::Repaired => after_nap(
            setting,
            "an earlier night makes up for the missed nap",
            "an earlier night makes up for the short nap",
        ),
        NightSort::Moved(Direction::Advance) => "a little earlier each night before the flight",
        NightSort::Moved(Direction::Delay) => "a little later each night before the flight",
        NightSort::Local => "local nights from the first one on",
        NightSort::Aboard => match (is_day(setting, setting.schedule_zone(stretch), draft), keeps_home_time(setting)) {
            (false, false) => "it is night at the destination",
            (false, true) => "it is night at home",
            (true, false) => "the usual hours of sleep, by the destination's clock",
            (true, true) => "the usual hours of sleep, by the clock at home",
        },
        NightSort::AboardByBody => "it is night for the body, and the day would be too long without",
        NightSort::AboardByNeed => "the day would be too long without",
        NightSort::Cut => "the flight takes the rest of the night",
        NightSort::BegunLate => "the flight took the beginning of the night",
    }
}

fn nap_message(subject: &Subject<'_>, times: &Times, sort: NapSort, stretch: &Stretch, draft: &Draft) -> String {
    let Times { from, until } = times;
    let minutes = draft.window.length().as_minutes();
    match (subject, sort) {
        (Subject::Adult, NapSort::Ongoing) => format!("Sleep on; this nap runs until about {until}."),
        (child, NapSort::Ongoing) => format!("Let {child} sleep; this nap runs until about {until}."),
        (Subject::Adult, _) if stretch.is_aboard() => format!("Nap on board around {from} if you can."),
        (child, _) if stretch.is_aboard() => format!("Offer {child} a nap on board around {from}."),
        (Subject::Adult, NapSort::OnTheWay) => format!("Nap on the way, between {from} and {until}, if you can."),
        (child, NapSort::OnTheWay) => {
            format!("Offer {child} a nap on the way, in a pram or carrier, between {from} and {until}.")
        }
        (Subject::Adult, _) => format!("Take a nap of about {minutes} min at {from}."),
        (child, NapSort::Bridge) => format!("Offer {child} a nap of about {minutes} min at {from}."),
        (child, NapSort::BeforeBed) => format!("Offer {child} a short nap of about {minutes} min at {from}."),
        (child, _) => format!("Offer {child} a nap at {from}."),
    }
}

fn nap_why(setting: &Setting<'_>, sort: NapSort) -> &'static str {
    match sort {
        NapSort::Usual | NapSort::Ongoing => "the usual nap",
        NapSort::OnTheWay => "ends before boarding",
        NapSort::AfterTakeOff => "put off until after take-off",
        NapSort::AfterLanding => "put off until after the landing",
        NapSort::WithNight => "moves with the night",
        NapSort::Aboard if keeps_home_time(setting) => "nap time at home",
        NapSort::Aboard => "nap time at the destination",
        NapSort::Between => "too long a time awake without",
        NapSort::Bridge => {
            after_nap(setting, "bridges the time until the next sleep", "tired sooner after a short nap")
        }
        NapSort::BeforeBed => "too long a time awake until bed without",
        NapSort::Moved => "leaves enough time awake before it",
    }
}

fn after_nap(setting: &Setting<'_>, missed: &'static str, short: &'static str) -> &'static str {
    match setting.situation.repair {
        Some(repair) if repair.kind == RepairKind::Short => short,
        _ => missed,
    }
}

fn keeps_home_time(setting: &Setting<'_>) -> bool {
    setting.situation.keep_home_time
}

/// The clock at home is kept, and another one hangs on the wall.
fn is_away_on_home_time(setting: &Setting<'_>, stretch: &Stretch, draft: &Draft) -> bool {
    let offset = |zone| zones::offset_at(zone, draft.window.start);
    keeps_home_time(setting) && offset(stretch.time_zone) != offset(setting.situation.person.home_time_zone)
}

/// Which clock the times go by, where more than one is at hand: aboard nobody sees that of the destination, and who keeps
/// the time of home abroad is told both for sleep.
fn with_clocks(setting: &Setting<'_>, stretch: &Stretch, draft: &Draft, message: &str) -> String {
    let here = stretch.is_aboard().then(|| format!("{} time", airports::city_of_zone(stretch.time_zone)));
    let sleeps = matches!(draft.sort, Sort::Night(..) | Sort::Nap(_));
    let at_home = (sleeps && is_away_on_home_time(setting, stretch, draft)).then(|| {
        let home = setting.situation.person.home_time_zone;
        format!("at home {}", local_window(home, draft.window.start, draft.window.end))
    });
    let said: Vec<String> = [here, at_home].into_iter().flatten().collect();
    if said.is_empty() {
        return message.to_owned();
    }
    format!("{} ({}).", message.trim_end_matches('.'), said.join("; "))
}

/// Whether the middle of an action lies by day in a zone.
fn is_day(setting: &Setting<'_>, zone: Tz, draft: &Draft) -> bool {
    let light = &setting.numbers.light;
    let minute = i32::from(zones::local(zone, draft.window.centre()).minute_of_day);
    (light.day_from_minute..light.day_until_minute).contains(&minute)
}

/// How much of a block of bright light can be had outdoors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sun {
    Down,
    /// For some of it.
    Partly,
    Up,
}

/// How much of a window in one stretch the sun is up there; none where nobody knows the place.
fn daylight(stretch: &Stretch, window: Interval) -> Span {
    let place = match stretch.place {
        Place::Home => daylight::of_zone(stretch.time_zone),
        Place::Away { airport } => daylight::of_airport(airport).or_else(|| daylight::of_zone(stretch.time_zone)),
        Place::Aboard { .. } => None,
    };
    place.map_or(Span::ZERO, |place| daylight::daylight(place, window.start, window.end))
}

fn sun(setting: &Setting<'_>, stretch: &Stretch, window: Interval) -> Sun {
    let least = setting.numbers.light.daylight_least;
    let up = daylight(stretch, window);
    match window.length() - up {
        _ if up < least => Sun::Down,
        dark if dark < least => Sun::Up,
        _ => Sun::Partly,
    }
}

/// Until when there is time to be outdoors before the flight that ends a stretch.
fn outdoors_until(setting: &Setting<'_>, stretch: &Stretch) -> UtcMillis {
    let flight = setting.situation.whereabouts.iter().find(|next| next.is_aboard() && Some(next.from) == stretch.to);
    flight.map_or(UtcMillis::MAX, |flight| flight.from - setting.numbers.light.indoors_before_flight)
}

/// Outdoors while the sun is up; at an airport, where the windows are; else by lamps.
fn bright_message(
    setting: &Setting<'_>,
    subject: &Subject<'_>,
    stretch: &Stretch,
    times: &Times,
    draft: &Draft,
) -> String {
    let Times { from, until } = times;
    let sun = sun(setting, stretch, draft.window);
    let outdoors_until = outdoors_until(setting, stretch);
    let least = setting.numbers.light.daylight_least;
    let in_transit = !setting.is_stay(stretch)
        || draft.window.start + least > outdoors_until
        || (sun == Sun::Partly && draft.window.end > outdoors_until);
    // On the way to a flight nobody has time for a walk.
    let leaves = (draft.window.end > outdoors_until).then(|| zones::hhmm(stretch.time_zone, outdoors_until));
    let no_direct_sun = setting.situation.person.age_months < setting.numbers.ages.direct_sun_from_months;
    if let (Sun::Up, false, Some(leaves)) = (sun, in_transit, leaves) {
        let place = if no_direct_sun { "out in the shade" } else { "outdoors" };
        return match subject {
            Subject::Adult => format!("Seek bright light between {from} and {until}, {place} until {leaves}."),
            child @ Subject::Child(_) => {
                format!("Keep {child} where it is bright between {from} and {until}, {place} until {leaves}.")
            }
        };
    }
    match (subject, sun) {
        (Subject::Adult, Sun::Down) => format!("Stay in a brightly lit room, by a lamp, between {from} and {until}."),
        (Subject::Adult, _) if in_transit => format!("Stay near bright windows between {from} and {until}."),
        (Subject::Adult, Sun::Up) => format!("Spend time outdoors between {from} and {until}."),
        (Subject::Adult, Sun::Partly) => {
            format!("Seek bright light between {from} and {until}, outdoors while the sun is up.")
        }
        (child, Sun::Down) => format!("Keep {child} in a brightly lit room between {from} and {until}."),
        (child, _) if in_transit => format!("Keep {child} where it is bright between {from} and {until}."),
        (child, Sun::Up) if no_direct_sun => {
            format!("Take {child} out into bright shade, not direct sun, between {from} and {until}.")
        }
        (child, Sun::Up) => format!("Take {child} outdoors between {from} and {until}."),
        (child, Sun::Partly) if no_direct_sun => {
            format!("Keep {child} where it is bright between {from} and {until}, in the shade while the sun is up.")
        }
        (child, Sun::Partly) => {
            format!("Keep {child} where it is bright between {from} and {until}, outdoors while the sun is up.")
        }
    }
}
