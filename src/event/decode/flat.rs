//! Sensor records in their usual forms, read in one pass.
//!
//! Most of all records are a light reading, a meal or a sleep written by a program: one flat object, plain texts, short
//! numbers. Such a record is read here without an allocation. Whatever is unusual (escapes, other than ASCII, repeated
//! fields, `null`, flags, nested values, signs, exponents, long numbers) and whatever is wrong is declined: the reader of
//! every record decides then, and says why. So nothing is accepted here that it would not accept, and nothing is ever
//! refused here; both must come to the same event, which a property test holds them to.

use std::borrow::Cow;

use super::sensor::{self, SaidLight, SaidMeal, SaidSleep, Times};
use super::{Context, MAX_VALUE_BYTES, time};
use crate::engine::{Decoded, Record};
use crate::event::activity::ActivityEvent;
use crate::event::wire::field::is_id;
use crate::flight::zones;
use crate::units::UtcMillis;

/// Reads a record of a sensor. `None`: it is not a usual one.
pub(super) fn sensor<'a>(record: &Record<'a>) -> Option<Decoded<'a, ActivityEvent<'a>>> {
    let value = record.value.filter(|value| value.len() <= MAX_VALUE_BYTES)?;
    let fields = Fields::read(value)?;
    let user_id = std::str::from_utf8(fields.user_id?.id()?).ok().filter(|id| is_id(id))?;
    let household_id = household(record, fields.household_id, user_id)?;
    let time_zone = match fields.time_zone {
        Some(zone) => Some(zones::parse(std::str::from_utf8(zone.text()?).ok()?)?),
        None => None,
    };
    let context = Context { record_stamp: record.judged_at(), user_id };
    let times = Times { timestamp: fields.timestamp, start: fields.start, end: fields.end };
    let (name, activity) = match fields.activity? {
        b"light_exposure" if !fields.light_is_unusual => {
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
        b"sleep" if !fields.sleep_is_unusual => {
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
        Some(said) => Some(said.id()?),
        None => None,
    };
    match record.key.filter(|key| !key.is_empty()) {
        Some(key) if said.is_none_or(|said| said == key) => std::str::from_utf8(key).ok().filter(|key| is_id(key)),
        Some(_) => None,
        None => match said {
            Some(said) => std::str::from_utf8(said).ok().filter(|said| is_id(said)),
            None => Some(user_id),
        },
    }
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

/// A value as it stands in the record.
#[derive(Clone, Copy)]
enum Token<'a> {
    /// ASCII without quotes, backslashes and control characters (but perhaps DEL).
    Text(&'a [u8]),
    Whole {
        digits: &'a [u8],
        number: i64,
    },
    Fraction(f64),
}

impl<'a> Token<'a> {
    fn text(self) -> Option<&'a [u8]> {
        match self {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An integer stands for its decimal digits.
    fn id(self) -> Option<&'a [u8]> {
        match self {
            Token::Text(text) => Some(text),
            Token::Whole { digits, .. } => Some(digits),
            Token::Fraction(_) => None,
        }
    }

    fn time(self) -> Option<UtcMillis> {
        match self {
            Token::Text(text) => time::read_text(text),
            Token::Whole { number, .. } => time::read_whole(number),
            Token::Fraction(number) => time::read_fraction(number),
        }
        .ok()
    }
}

/// What the three activities know, each once.
#[derive(Default)]
struct Fields<'a> {
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
    event_id: Option<Token<'a>>,
    source: Option<Token<'a>>,
    place: Option<Token<'a>>,
    /// A field of this activity that is not read here.
    light_is_unusual: bool,
    sleep_is_unusual: bool,
}

impl<'a> Fields<'a> {
    fn read(value: &'a [u8]) -> Option<Fields<'a>> {
        let mut fields = Fields::default();
        let mut scanner = Scanner { bytes: value, at: 0 };
        scanner.expect(b'{')?;
        loop {
            scanner.expect(b'"')?;
            let name = scanner.text()?;
            scanner.expect(b':')?;
            let token = scanner.value()?;
            fields.put(name, token)?;
            match scanner.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        scanner.ends_here().then_some(fields)
    }

    /// `None`: the field was given before, or can't be what its name says.
    fn put(&mut self, name: &[u8], token: Token<'a>) -> Option<()> {
        match name {
            b"user_id" => once(&mut self.user_id, token),
            b"household_id" => once(&mut self.household_id, token),
            b"activity" => once(&mut self.activity, token.text()?),
            b"timestamp" => once(&mut self.timestamp, token.time()?),
            b"start" => once(&mut self.start, token.time()?),
            b"end" => once(&mut self.end, token.time()?),
            b"lux" => once(&mut self.lux, token),
            b"event_id" => once(&mut self.event_id, token),
            b"source" => once(&mut self.source, token),
            b"time_zone" => once(&mut self.time_zone, token),
            b"kind" => once(&mut self.kind, token),
            b"context" => once(&mut self.context, token),
            b"minutes" => once(&mut self.minutes, token),
            b"melanopic_edi_lx" => once(&mut self.melanopic_edi_lx, token),
            b"place" => once(&mut self.place, token),
            b"interval_s" | b"samples" => {
                self.light_is_unusual = true;
                Some(())
            }
            b"deleted" => {
                self.sleep_is_unusual = true;
                Some(())
            }
            // As in every record: what is not known is read over.
            _ => Some(()),
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The next byte that is not white space, taken.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
        }
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn ends_here(mut self) -> bool {
        self.next().is_none()
    }

    #[inline]
    fn value(&mut self) -> Option<Token<'a>> {
        match self.next()? {
            b'"' => self.text().map(Token::Text),
            digit @ b'0'..=b'9' => self.number(digit),
            _ => None,
        }
    }

    /// Up to the closing quote; the opening one is taken already.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let mut length = 0;
        while let Some((word, _)) = rest.get(length..).and_then(<[u8]>::split_first_chunk::<8>) {
            let ends = ends_of_text(u64::from_le_bytes(*word));
            if ends != 0 {
                length += ends.trailing_zeros() as usize / 8;
                return self.close(rest, length);
            }
            length += 8;
        }
        while rest.get(length).is_some_and(|byte| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\')) {
            length += 1;
        }
        self.close(rest, length)
    }

    #[inline]
    fn close(&mut self, rest: &'a [u8], length: usize) -> Option<&'a [u8]> {
        let (text, tail) = rest.split_at_checked(length)?;
        self.at += length + 1;
        (tail.first() == Some(&b'"')).then_some(text)
    }

    /// JSON's grammar without signs and exponents. Exact: both parts of the quotient are represented without rounding
    /// (W. D. Clinger 1990, How to Read Floating Point Numbers Accurately), which is also how `serde_json` reads them.
    #[inline]
    fn number(&mut self, first: u8) -> Option<Token<'a>> {
        const MOST_DIGITS: usize = 18;
        const EXACT: i64 = 1 << 53;
        let start = self.at - 1;
        let mut number = i64::from(first - b'0');
        self.digits(&mut number, start + MOST_DIGITS)?;
        let digits = self.bytes.get(start..self.at)?;
        if first == b'0' && digits.len() > 1 {
            return None;
        }
        if self.bytes.get(self.at) != Some(&b'.') {
            return Some(Token::Whole { digits, number });
        }
        self.at += 1;
        let point = self.at;
        self.digits(&mut number, start + MOST_DIGITS)?;
        let divisor = POWERS_OF_TEN.get(self.at - point).filter(|_| self.at > point && number <= EXACT)?;
        Some(Token::Fraction(number as f64 / divisor))
    }

    /// Takes digits into `number`. `None` where they reach `limit`.
    #[inline]
    fn digits(&mut self, number: &mut i64, limit: usize) -> Option<()> {
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            *number = *number * 10 + i64::from(digit - b'0');
            self.at += 1;
            if self.at >= limit {
                return None;
            }
        }
        Some(())
    }
}

const POWERS_OF_TEN: [f64; 18] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17];

/// The high bit of each byte (the first in the lowest place) that is a quote, a backslash, a control character or not
/// ASCII. Bytes above the first such one may be marked wrongly.
#[inline]
fn ends_of_text(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls | word) & HIGH
}
