//! Headlines: one calm sentence of at most 90 characters, in the local time of where the person will be.

use std::borrow::Cow;
use std::fmt;

use super::news::{FlightTime, News, Nights, Step, StepTime};
use super::reader::{Reader, When};
use crate::event::recommendation::ActionKind;

use crate::units::Span;

/// Longest headline and longest name, in characters, as the contract promises them.
const HEADLINE_CHARS: usize = 90;
const NAME_CHARS: usize = 24;
/// A flight number that is longer than any real one is called "the flight".
const FLIGHT_CHARS: usize = 8;
/// Hours from which a length is told in days.
const COUNTED_IN_DAYS: i64 = 48;
/// Words that a sentence to a tired parent does not use, a name in it included.
const NOT_SAID: [&str; 5] = ["bad", "wrong", "failed", "fault", "should"];

/// Who is spoken of, and the news.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadlineInput<'a> {
    /// The profile's display name; a child without one is "your child". Adults are spoken to: "you", "your".
    pub name: Option<&'a str>,
    pub adult: bool,
    pub reader: Reader,
    pub news: News<'a>,
}

/// The headline: at most 90 characters, no exclamation mark, no blame.
#[must_use]
pub fn headline(input: &HeadlineInput<'_>) -> String {
    let subject = Subject::new(input.name, input.adult);
    let sentence = sentence(&subject, input.reader, &input.news);
    if sentence.chars().count() <= HEADLINE_CHARS {
        return sentence;
    }
    // A long name is what a sentence holds without.
    let nameless = Subject::new(None, input.adult);
    let without_name = self::sentence(&nameless, input.reader, &input.news);
    if without_name.chars().count() <= HEADLINE_CHARS {
        return without_name;
    }
    // Then what is said of the plan beside a flight's long times; of a broken connection its departure, which others say.
    match input.news {
        News::FlightDelayed { flight, late_by, time, .. } => {
            format!("{}.", flight_news(input.reader, flight, late_by, time))
        }
        ref news => {
            let mut news = news.clone();
            if let News::Connection { boarding, .. } = &mut news {
                *boarding = None;
            }
            self::sentence(&nameless, input.reader, &news)
        }
    }
}

/// What a flight does now, as the first words of a sentence.
fn flight_news(reader: Reader, flight: &str, late_by: Span, time: FlightTime) -> String {
    let (flight, late) = (flight_name(flight), punctuality(late_by));
    let at = |when| reader.departure(when);
    match time {
        FlightTime::Leaves(when) => format!("{flight} is {late}, leaving {}", at(when)),
        FlightTime::LeavesLaterStill(when) => format!("{flight} is now {late}, leaving {}", at(when)),
        FlightTime::LeavesSooner(when) => format!("{flight} leaves earlier than last said, {}", at(when)),
        FlightTime::LandsOtherwise { leaves } => format!("{flight} leaves {} and lands {late}", at(leaves)),
        FlightTime::Left { lands } => format!("{flight} is {late}, landing {}", at(lands)),
    }
}

#[expect(clippy::too_many_lines, reason = "one sentence after another")]
fn sentence(subject: &Subject<'_>, reader: Reader, news: &News<'_>) -> String {
    match news {
        News::NapMissed { bed, nap } => {
            let missed = format!("{} missed {}", subject.at_start(), subject.nap());
            match (bed, nap) {
                // Two clocks in one sentence help nobody.
                (Some(bed), Some(nap)) if bed.time_zone != nap.time_zone => {
                    format!("{missed}: next one at {}.", reader.dated(*nap))
                }
                (Some(bed), Some(nap)) => {
                    format!("{missed}: next one at {}, bed at {bed} tonight.", reader.dated(*nap))
                }
                (Some(bed), None) => format!("{missed}: bed at {bed} tonight."),
                (None, Some(nap)) => format!("{missed}: next one at {}.", reader.dated(*nap)),
                (None, None) => format!("{missed}: the next sleep makes up for it."),
            }
        }
        News::NapShort { slept, bed, nap } => {
            let slept = format!("{} slept only {}", subject.at_start(), length(*slept));
            match (bed, nap) {
                (_, Some(nap)) => format!("{slept}: next nap around {}.", reader.dated(*nap)),
                (Some(bed), None) => format!("{slept}: bed at {bed} tonight."),
                (None, None) => format!("{slept}: the next sleep makes up for it."),
            }
        }
        News::NapFound { bed } => {
            let found = format!("Found: {subject} did nap");
            match bed {
                Some(bed) => format!("{found}, so bedtime is {bed} again."),
                None => format!("{found}, so the usual plan holds."),
            }
        }
        News::FlightDelayed { flight, late_by, time, plan_holds } => {
            let news = flight_news(reader, flight, *late_by, *time);
            let plan = subject.possessive();
            match time {
                _ if *plan_holds => format!("{news}: {plan} plan stays as it is."),
                FlightTime::Left { .. } => format!("{news}: {plan} plan has moved with it."),
                _ => format!("{news}: {plan} plan is adjusted."),
            }
        }
        News::Connection { changed, late_by, boarding, other, changed_comes_first, airport, left } => {
            let leaving = boarding.map(|when| format!(", leaving {}", reader.departure(when))).unwrap_or_default();
            let news = format!("{} is {}{leaving}", flight_name(changed), punctuality(*late_by));
            let other = if is_flight_number(other) { other } else { "another flight" };
            let way = match *changed_comes_first {
                // One number for both flights: it would say nothing.
                _ if other == *changed => String::new(),
                true => format!(" to {other}"),
                false => format!(" from {other}"),
            };
            match left {
                Some(left) => format!("{news}: {} are left to change{way} in {airport}.", length(*left)),
                None => format!("{news}: the connection{way} in {airport} is missed."),
            }
        }
        News::ConnectionMended { flight, late_by, boarding, airport } => {
            let leaving = boarding.map(|when| format!(", leaving {}", reader.departure(when))).unwrap_or_default();
            let news = format!("{} is {}{leaving}", flight_name(flight), punctuality(*late_by));
            format!("{news}: there is time to change in {airport} again.")
        }
        News::FlightReinstated { flight, was_diverted, boarding } => {
            let flight = flight_name(flight);
            let plan = subject.possessive();
            match boarding {
                _ if *was_diverted => format!("{flight} goes where it was booked to: {plan} plan follows."),
                Some(departs) => {
                    format!("{flight} is on again, leaving {}: {plan} plan counts on it.", reader.departure(*departs))
                }
                None => format!("{flight} is on again: {plan} plan counts on it."),
            }
        }
        News::FlightCancelled { flight, confirmed: true } => {
            format!("{} is cancelled: {} plan stays on local time for now.", flight_name(flight), subject.possessive())
        }
        News::FlightCancelled { flight, confirmed: false } => {
            // The journey is planned with until it is sure, which does not mean that no time of the plan changes.
            format!(
                "{} may be cancelled: {} plan counts on the flight until that is certain.",
                flight_name(flight),
                subject.possessive()
            )
        }
        News::FlightDiverted { flight, to } => {
            let plan = subject.possessive();
            match to {
                Some(to) => {
                    format!("{} is diverted to {to}: {plan} plan follows local time there.", flight_name(flight))
                }
                None => format!("{} is diverted: {plan} plan follows once the airport is known.", flight_name(flight)),
            }
        }
        News::TripPlanned { destination, nights } => {
            let plan = capitalised(&subject.possessive());
            match nights {
                Nights::MoveFrom(night) => {
                    format!("{plan} plan for {destination}: bed moves to {}.", reader.bedtime(*night))
                }
                Nights::AsPlannedBefore => format!("{plan} plan for {destination} is ready: bedtimes stay as planned."),
                Nights::Usual => format!("{plan} plan for {destination} is ready: usual nights until the flight."),
            }
        }
        News::TripCalledOff { destination, away } => {
            let trip = destination.map_or_else(|| "The trip".to_owned(), |to| format!("The trip to {to}"));
            let plan = subject.possessive();
            if *away {
                format!("{trip} is called off: {plan} plan stays on local time.")
            } else {
                format!("{trip} is called off: {plan} plan is the usual day at home.")
            }
        }
        News::PlanRefreshed { change, dropped } => {
            let plan = capitalised(&subject.possessive());
            let spoken = |kind: ActionKind, when: When| match kind {
                ActionKind::Sleep => reader.bedtime(when),
                _ => reader.spoken(when),
            };
            let changed = change.map(|Step { kind, is_aboard, time }| match time {
                StepTime::Start(when) if is_aboard && kind == ActionKind::Sleep => {
                    ("sleep on board from", reader.spoken(when))
                }
                StepTime::Start(when) => (step(kind), spoken(kind, when)),
                StepTime::End(when) => (step_until(kind), reader.spoken(when)),
            });
            let dropped = dropped.map(|(kind, when)| (dropped_step(kind), spoken(kind, when)));
            match changed.or(dropped) {
                Some((step, time)) => format!("{plan} plan has changed: {step} {time}."),
                None => format!("{plan} plan has changed from tomorrow on."),
            }
        }
    }
}

/// An action as the last words of a sentence, before its time.
fn step(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Sleep => "bed at",
        ActionKind::Nap => "nap at",
        ActionKind::Wake => "up at",
        ActionKind::BrightLight => "bright light from",
        ActionKind::DimLight => "low light from",
        ActionKind::Dark => "dark from",
        ActionKind::WindDown => "winding down from",
        ActionKind::Meal => "breakfast at",
        ActionKind::Feed => "feed at",
        ActionKind::CaffeineUntil => "coffee and tea from",
        ActionKind::Melatonin => "melatonin, if taken, at",
    }
}

/// The same before its end.
fn step_until(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Sleep => "sleep until",
        ActionKind::Nap => "nap until",
        ActionKind::Wake => "up until",
        ActionKind::BrightLight => "bright light until",
        ActionKind::DimLight => "low light until",
        ActionKind::Dark => "dark until",
        ActionKind::WindDown => "winding down until",
        ActionKind::Meal => "breakfast until",
        ActionKind::Feed => "feed until",
        ActionKind::CaffeineUntil => "coffee and tea until",
        ActionKind::Melatonin => "melatonin, if taken, by",
    }
}

/// The same of an action that falls away, before its start.
fn dropped_step(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Sleep => "no sleep from",
        ActionKind::Nap => "no nap at",
        ActionKind::Wake => "no getting up at",
        ActionKind::BrightLight => "no more bright light from",
        ActionKind::DimLight | ActionKind::Dark => "no more low light from",
        ActionKind::WindDown => "no winding down from",
        ActionKind::Meal => "no set breakfast at",
        ActionKind::Feed => "no set feed at",
        ActionKind::CaffeineUntil => "no set end for coffee and tea from",
        ActionKind::Melatonin => "no melatonin at",
    }
}

/// `3 h`, `2 h 15 min`, `45 min`; from two days on `9 days 20 h`.
fn length(span: Span) -> String {
    let minutes = span.as_minutes().max(0);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, _) if hours >= COUNTED_IN_DAYS && hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, _) if hours >= COUNTED_IN_DAYS => format!("{} days {} h", hours / 24, hours % 24),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// `3 h late`, `40 min early`, `on time`; to five minutes where it is more than an hour: `3 h 2 min` is more than the
/// departures board knows, and no more than `3 h` to who waits. To the hour where it is days.
fn punctuality(late_by: Span) -> String {
    let minutes = late_by.as_minutes();
    let to_nearest = |step: i64| (minutes + step / 2 * minutes.signum()) / step * step;
    let told = match minutes.abs() {
        ..60 => minutes,
        short if short < COUNTED_IN_DAYS * 60 => to_nearest(5),
        _ => to_nearest(60),
    };
    match told {
        0 => "on time".to_owned(),
        late if late > 0 => format!("{} late", length(Span::minutes(late))),
        early => format!("{} early", length(Span::minutes(-early))),
    }
}

fn flight_name(designator: &str) -> &str {
    if is_flight_number(designator) { designator } else { "The flight" }
}

fn is_flight_number(designator: &str) -> bool {
    (1..=FLIGHT_CHARS).contains(&designator.len()) && designator.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whom a sentence is about. Adults are spoken to; of children we speak to those who look after them. No pronoun says
/// more of a person than the profile does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    Adult,
    Child(Option<Cow<'a, str>>),
}

impl<'a> Subject<'a> {
    pub fn new(name: Option<&'a str>, adult: bool) -> Subject<'a> {
        if adult { Subject::Adult } else { Subject::Child(name.and_then(speakable)) }
    }

    fn at_start(&self) -> String {
        capitalised(&self.to_string())
    }

    pub fn possessive(&self) -> String {
        match self {
            Subject::Adult => "your".to_owned(),
            Subject::Child(_) => format!("{self}'s"),
        }
    }

    fn nap(&self) -> &'static str {
        match self {
            Subject::Adult => "your nap",
            Subject::Child(_) => "a nap",
        }
    }
}

/// `Mia`, `your child`, `you`.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Subject::Adult => "you",
            Subject::Child(None) => "your child",
            Subject::Child(Some(name)) => name,
        })
    }
}

/// A name as it can stand in a calm sentence of one line; `None` where nothing is left of it.
fn speakable(name: &str) -> Option<Cow<'_, str>> {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '!' | '！' | '¡' | 'ǃ' | '\u{2028}' | '\u{2029}');
    let plain: String = name.chars().filter(|c| is_plain(*c)).take(NAME_CHARS).collect();
    let lower = plain.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let says_blame = words.any(|word| NOT_SAID.contains(&word));
    let trimmed = plain.trim();
    (!trimmed.is_empty() && !says_blame).then(|| Cow::Owned(trimmed.to_owned()))
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
