//! The tokens of a JSON object as programs write it: plain texts, short numbers, nothing nested.
//!
//! No allocation, eight bytes at a time. What is unusual or wrong is declined, never judged.

use super::time;
use crate::units::UtcMillis;

/// A value as it stands in the record.
#[derive(Clone, Copy)]
pub(super) enum Token<'a> {
    /// ASCII without quotes, backslashes and control characters.
    Text(&'a [u8]),
    Whole {
        digits: &'a [u8],
        number: i64,
    },
    Fraction(f64),
}

impl<'a> Token<'a> {
    pub fn text(self) -> Option<&'a [u8]> {
        match self {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An integer stands for its decimal digits.
    pub fn id(self) -> Option<&'a [u8]> {
        match self {
            Token::Text(text) => Some(text),
            Token::Whole { digits, .. } => Some(digits),
            Token::Fraction(_) => None,
        }
    }

    pub fn time(self) -> Option<UtcMillis> {
        match self {
            Token::Text(text) => time::read_text(text),
            Token::Whole { number, .. } => time::read_whole(number),
            Token::Fraction(number) => time::read_fraction(number),
        }
        .ok()
    }
}

/// Reads the tokens of one flat object one after the other. Every answer is `None` where the record is not that simple.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner { bytes, at: 0 }
    }

    /// What has not been taken.
    #[inline]
    pub fn rest(&self) -> Option<&'a [u8]> {
        self.bytes.get(self.at..)
    }

    /// Takes so many bytes of the [`Self::rest`].
    #[inline]
    pub fn pass(&mut self, length: usize) {
        self.at += length;
    }

    /// The next byte that is not white space, taken.
    #[inline]
    pub fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if byte > b' ' { Some(byte) } else { self.after_white_space(byte) }
    }

    #[cold]
    fn after_white_space(&mut self, mut byte: u8) -> Option<u8> {
        while matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
            byte = *self.bytes.get(self.at)?;
            self.at += 1;
        }
        Some(byte)
    }

    #[inline]
    pub fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    pub fn ends_here(mut self) -> bool {
        self.next().is_none()
    }

    #[inline]
    pub fn value(&mut self) -> Option<Token<'a>> {
        match self.next()? {
            b'"' => self.text().map(Token::Text),
            digit @ b'0'..=b'9' => self.number(digit),
            _ => None,
        }
    }

    /// Up to the closing quote; the opening one is taken already.
    #[inline]
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let mut end = start;
        while let Some(word) = self.bytes.get(end..).and_then(<[u8]>::first_chunk::<8>) {
            let ends = ends_of_text(u64::from_le_bytes(*word));
            if ends != 0 {
                return self.close(start, end + ends.trailing_zeros() as usize / 8);
            }
            end += 8;
        }
        while self.bytes.get(end).is_some_and(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            end += 1;
        }
        self.close(start, end)
    }

    #[inline]
    fn close(&mut self, start: usize, end: usize) -> Option<&'a [u8]> {
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.bytes.get(start..end)
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

/// The high bit of each byte (the first in the lowest place) that is a quote, a backslash, a control character (DEL is one)
/// or not ASCII. Bytes above the first such one may be marked wrongly.
#[inline]
fn ends_of_text(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let deletes = zeros(word ^ (ONES * 0x7f));
    (quotes | backslashes | controls | deletes | word) & HIGH
}
