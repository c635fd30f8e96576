//! Sensor records in their usual forms, read in one pass.
//!
//! Most of all records are a light reading, a meal or a sleep written by a program: one flat object, plain texts, short
//! numbers. Such a record is read here without an allocation. Whatever is unusual (escapes, other than ASCII, repeated
//! fields, `null`, flags, nested values, signs, exponents, long numbers) and whatever is wrong is declined: the reader of
//! every record decides then, and says why. So nothing is accepted here that it would not accept, and nothing is ever
//! refused here; both must come to the same event, which a property test holds them to.

use std::borrow::Cow;

use super::scan::{Scanner, Token};
use super::sensor::{self, SaidLight, SaidMeal, SaidSleep, Times};
use super::{Context, MAX_VALUE_BYTES};
use crate::engine::{Decoded, Record};
use crate::event::activity::ActivityEvent;
use crate::event::wire::field::{MAX_ID_BYTES, is_id};
use crate::flight::zones;
use crate::units::UtcMillis;

/// Reads a record of a sensor. `None`: it is not a usual one.
pub(super) fn sensor<'a>(record: &Record<'a>) -> Option<Decoded<'a, ActivityEvent<'a>>> {
    let value = record.value.filter(|value| value.len() <= MAX_VALUE_BYTES)?;
    let mut fields = Fields::default();
    fields.read(value)?;
    let user_id = plain_id(fields.user_id?)?;
    let household_id = household(record, fields.household_id, user_id)?;
    let time_zone = match fields.time_zone {
        Some(zone) => Some(zones::parse(std::str::from_utf8(zone.text()?).ok()?)?),
        None => None,
    };
    let context = Context { record_stamp: record.judged_at(), user_id };
    let times = Times { timestamp: fields.timestamp, start: fields.start, end: fields.end };
    let (name, activity) = match fields.activity? {
        b"light_exposure" if !fields.has(Field::Samples) => {
            let surroundings = sensor::surroundings(word(fields.context)?);
            let said = SaidLight {
                times,
                surroundings,
                lux: amount(fields.lux, sensor::BRIGHTEST_LUX)?,
                melanopic: amount(fields.melanopic_edi_lx, sensor::BRIGHTEST_LUX)?,
                minutes: amount(fields.minutes, sensor::MOST_MINUTES)?,
            };
            ("light_exposure", said.check(&context))
        }
        b"meal" => {
            let said = SaidMeal { times, kind: sensor::meal_kind(word(fields.kind)?) };
            ("meal", said.check(&context))
        }
        b"sleep" if !fields.has(Field::Deleted) => {
            let said = SaidSleep { times, kind: sensor::sleep_kind(word(fields.kind)?), deleted: false };
            ("sleep", said.check(&context))
        }
        _ => return None,
    };
    let household_id = Cow::Borrowed(household_id);
    let key = Some(household_id.clone());
    let event = ActivityEvent { household_id, user_id: Cow::Borrowed(user_id), time_zone, activity: activity.ok()? };
    Some(Decoded { key, internal: false, name, event })
}

/// As [`super::envelope::household`].
fn household<'a>(record: &Record<'a>, said: Option<Token<'a>>, user_id: &'a str) -> Option<&'a str> {
    let said = match said {
        Some(said) => Some(plain_id(said)?),
        None => None,
    };
    match (record.key.filter(|key| !key.is_empty()), said) {
        (Some(key), Some(said)) => (said.as_bytes() == key).then_some(said),
        (Some(key), None) => std::str::from_utf8(key).ok().filter(|key| is_id(key)),
        (None, Some(said)) => Some(said),
        (None, None) => Some(user_id),
    }
}

/// As [`is_id`], of what has no control characters anyway.
#[inline]
fn plain_id(token: Token<'_>) -> Option<&str> {
    let id = token.id().filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()))?;
    std::str::from_utf8(id).ok()
}

/// A text of a list that may grow. Outer `None`: not a text.
#[expect(clippy::option_option, reason = "absent, and not usable")]
fn word(token: Option<Token<'_>>) -> Option<Option<&str>> {
    match token {
        None => Some(None),
        Some(token) => std::str::from_utf8(token.text()?).ok().map(Some),
    }
}

/// A number from 0 to `most`. Outer `None`: not one.
#[expect(clippy::option_option, reason = "absent, and not usable")]
fn amount(token: Option<Token<'_>>, most: f64) -> Option<Option<f64>> {
    let number = match token {
        None => return Some(None),
        Some(Token::Whole { number, .. }) => number as f64,
        Some(Token::Fraction(number)) => number,
        Some(Token::Text(_)) => return None,
    };
    (0.0..=most).contains(&number).then_some(Some(number))
}

/// What the three activities know.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Field {
    UserId,
    HouseholdId,
    Activity,
    TimeZone,
    Timestamp,
    Start,
    End,
    Kind,
    Context,
    Lux,
    MelanopicEdiLx,
    Minutes,
    /// Known, of some type, and without a meaning yet.
    EventId,
    Source,
    Place,
    /// Of light, and not read here: from here on a field may be repeated.
    Samples,
    /// Of sleep, and not read here.
    Deleted,
    /// As in every record: what is not known is read over.
    Unknown,
}

impl Field {
    /// The name of a field and its colon; the opening quote is taken already.
    #[inline]
    fn read(scanner: &mut Scanner<'_>) -> Option<Field> {
        match Field::likely(scanner.rest()?) {
            Some((field, length)) => {
                scanner.pass(length);
                Some(field)
            }
            None => Field::read_any(scanner),
        }
    }

    fn read_any(scanner: &mut Scanner<'_>) -> Option<Field> {
        let name = scanner.text()?;
        scanner.expect(b':')?;
        Some(Field::named(name))
    }

    fn named(name: &[u8]) -> Field {
        match name {
            b"user_id" => Field::UserId,
            b"household_id" => Field::HouseholdId,
            b"activity" => Field::Activity,
            b"time_zone" => Field::TimeZone,
            b"timestamp" => Field::Timestamp,
            b"start" => Field::Start,
            b"end" => Field::End,
            b"kind" => Field::Kind,
            b"context" => Field::Context,
            b"lux" => Field::Lux,
            b"melanopic_edi_lx" => Field::MelanopicEdiLx,
            b"minutes" => Field::Minutes,
            b"event_id" => Field::EventId,
            b"source" => Field::Source,
            b"place" => Field::Place,
            b"interval_s" | b"samples" => Field::Samples,
            b"deleted" => Field::Deleted,
            _ => Field::Unknown,
        }
    }

    /// The field whose name, closing quote and colon come next, and the length of the three: a comparison with what is
    /// likely costs less than looking for the name's end.
    #[inline]
    fn likely(rest: &[u8]) -> Option<(Field, usize)> {
        /// The length is known where it is compared: a word or two at once.
        #[inline]
        fn written<const LENGTH: usize>(rest: &[u8], field: Field, name: &[u8; LENGTH]) -> Option<(Field, usize)> {
            (rest.first_chunk() == Some(name)).then_some((field, LENGTH))
        }
        match (*rest.first()?, *rest.get(1)?) {
            (b'u', _) => written(rest, Field::UserId, b"user_id\":"),
            (b'h', _) => written(rest, Field::HouseholdId, b"household_id\":"),
            (b'a', _) => written(rest, Field::Activity, b"activity\":"),
            (b't', _) => written(rest, Field::Timestamp, b"timestamp\":"),
            (b'l', _) => written(rest, Field::Lux, b"lux\":"),
            (b'e', b'v') => written(rest, Field::EventId, b"event_id\":"),
            (b'e', _) => written(rest, Field::End, b"end\":"),
            (b's', b'o') => written(rest, Field::Source, b"source\":"),
            (b's', _) => written(rest, Field::Start, b"start\":"),
            (b'k', _) => written(rest, Field::Kind, b"kind\":"),
            _ => None,
        }
    }
}

/// The fields of a record.
#[derive(Default)]
struct Fields<'a> {
    /// A bit for each [`Field`].
    seen: u32,
    user_id: Option<Token<'a>>,
    household_id: Option<Token<'a>>,
    activity: Option<&'a [u8]>,
    time_zone: Option<Token<'a>>,
    timestamp: Option<UtcMillis>,
    start: Option<UtcMillis>,
    end: Option<UtcMillis>,
    kind: Option<Token<'a>>,
    context: Option<Token<'a>>,
    lux: Option<Token<'a>>,
    melanopic_edi_lx: Option<Token<'a>>,
    minutes: Option<Token<'a>>,
}

impl<'a> Fields<'a> {
    /// Into what is there: the fields are many, and moving them costs as much as reading a few.
    fn read(&mut self, value: &'a [u8]) -> Option<()> {
        let mut scanner = Scanner::new(value);
        scanner.expect(b'{')?;
        loop {
            scanner.expect(b'"')?;
            let field = Field::read(&mut scanner)?;
            let token = scanner.value()?;
            self.put(field, token)?;
            match scanner.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        scanner.ends_here().then_some(())
    }

    /// `None`: the field was given before, or can't be what its name says.
    #[inline]
    fn put(&mut self, field: Field, token: Token<'a>) -> Option<()> {
        if self.has(field) && (field as u8) < Field::Samples as u8 {
            return None;
        }
        self.seen |= 1 << field as u8;
        match field {
            Field::UserId => self.user_id = Some(token),
            Field::HouseholdId => self.household_id = Some(token),
            Field::Activity => self.activity = Some(token.text()?),
            Field::TimeZone => self.time_zone = Some(token),
            Field::Timestamp => self.timestamp = Some(token.time()?),
            Field::Start => self.start = Some(token.time()?),
            Field::End => self.end = Some(token.time()?),
            Field::Kind => self.kind = Some(token),
            Field::Context => self.context = Some(token),
            Field::Lux => self.lux = Some(token),
            Field::MelanopicEdiLx => self.melanopic_edi_lx = Some(token),
            Field::Minutes => self.minutes = Some(token),
            Field::EventId | Field::Source | Field::Place | Field::Samples | Field::Deleted | Field::Unknown => {}
        }
        Some(())
    }

    fn has(&self, field: Field) -> bool {
        self.seen & 1 << field as u8 != 0
    }
}
