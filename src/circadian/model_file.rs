//! Reading `models/*.toml`: every number there carries its unit and its source, and both are checked.
//!
//! A file has a `[sources]` table (short name → citation) and sections of numbers:
//!
//! ```toml
//! [sources]
//! hannay2019 = "Hannay, Booth & Forger (2019) …"
//!
//! [hannay19]
//! tau = { value = 23.84, unit = "h", source = "hannay2019" }
//! ```

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;
use thiserror::Error;

/// Why a model file was refused. Every variant names the file and, where there is one, the key as `section.key`.
#[derive(Debug, Error)]
pub enum ModelError {
    #[error("{file} is not a model file: {reason}")]
    Syntax { file: String, reason: String },
    #[error("{file}: {key} is missing")]
    Missing { file: String, key: String },
    #[error("{file}: {key} is not a parameter of this model")]
    Unknown { file: String, key: String },
    #[error("{file}: {key} is {value}, outside {low} to {high}")]
    OutOfRange { file: String, key: String, value: f64, low: f64, high: f64 },
    #[error("{file}: {key} is given in \"{unit}\", expected \"{expected}\"")]
    WrongUnit { file: String, key: String, unit: String, expected: &'static str },
    #[error("{file}: {key} names the source \"{source_name}\", which [sources] does not have")]
    NoSource { file: String, key: String, source_name: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    value: f64,
    unit: String,
    source: String,
}

#[derive(Debug, Deserialize)]
struct Contents {
    sources: BTreeMap<String, String>,
    #[serde(flatten)]
    sections: BTreeMap<String, BTreeMap<String, Number>>,
}

/// A parsed model file whose sections are still to be taken out.
#[derive(Debug)]
pub struct ModelFile {
    name: String,
    contents: Contents,
}

impl ModelFile {
    /// Parses TOML; `name` is what error messages call the file.
    ///
    /// # Errors
    /// [`ModelError::Syntax`] when the text is not TOML of the form described above.
    pub fn parse(name: &str, text: &str) -> Result<ModelFile, ModelError> {
        let contents = toml::from_str(text)
            .map_err(|error| ModelError::Syntax { file: name.to_owned(), reason: error.to_string() })?;
        Ok(ModelFile { name: name.to_owned(), contents })
    }

    /// Takes a section out, to read its numbers one by one.
    ///
    /// # Errors
    /// [`ModelError::Missing`] when the file has no such section.
    pub fn section(&mut self, section: &str) -> Result<Section<'_>, ModelError> {
        let Some(numbers) = self.contents.sections.remove(section) else {
            return Err(ModelError::Missing { file: self.name.clone(), key: section.to_owned() });
        };
        Ok(Section { file: &self.name, name: section.to_owned(), sources: &self.contents.sources, numbers })
    }
}

/// One section of a model file. End with [`Section::finish`], so that a misspelt key is an error and not a silent default.
#[derive(Debug)]
pub struct Section<'a> {
    file: &'a str,
    name: String,
    sources: &'a BTreeMap<String, String>,
    numbers: BTreeMap<String, Number>,
}

impl Section<'_> {
    /// Takes the number `key`, given in `unit` and lying in `range`.
    ///
    /// # Errors
    /// [`ModelError`], naming the key, when it is missing, in another unit, out of range (or not a number), or unsourced.
    pub fn number(&mut self, key: &str, unit: &'static str, range: RangeInclusive<f64>) -> Result<f64, ModelError> {
        let file = self.file.to_owned();
        let full_key = format!("{}.{key}", self.name);
        let Some(number) = self.numbers.remove(key) else {
            return Err(ModelError::Missing { file, key: full_key });
        };
        if number.unit != unit {
            return Err(ModelError::WrongUnit { file, key: full_key, unit: number.unit, expected: unit });
        }
        if !self.sources.contains_key(&number.source) {
            return Err(ModelError::NoSource { file, key: full_key, source_name: number.source });
        }
        // NaN lies in no range.
        if !range.contains(&number.value) {
            let (low, high) = range.into_inner();
            return Err(ModelError::OutOfRange { file, key: full_key, value: number.value, low, high });
        }
        Ok(number.value)
    }

    /// Checks that nothing is left over.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the first key that nobody took.
    pub fn finish(self) -> Result<(), ModelError> {
        match self.numbers.into_keys().next() {
            Some(key) => Err(ModelError::Unknown { file: self.file.to_owned(), key: format!("{}.{key}", self.name) }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<f64, ModelError> {
        let text = format!("[sources]\nbook = \"A book (1999), p. 3\"\n[clock]\n{body}");
        let mut file = ModelFile::parse("test.toml", &text)?;
        let mut section = file.section("clock")?;
        let value = section.number("tau", "h", 20.0..=28.0)?;
        section.finish()?;
        Ok(value)
    }

    #[test]
    fn a_number_with_unit_and_source_is_read_whether_written_as_integer_or_not() {
        assert_eq!(
            read("tau = { value = 23.5, unit = \"h\", source = \"book\" }").unwrap().to_bits(),
            23.5f64.to_bits()
        );
        assert_eq!(read("tau = { value = 24, unit = \"h\", source = \"book\" }").unwrap().to_bits(), 24f64.to_bits());
    }

    #[test]
    fn every_error_names_the_key() {
        for body in [
            "",
            "tau = { value = 0.0, unit = \"h\", source = \"book\" }",
            "tau = { value = nan, unit = \"h\", source = \"book\" }",
            "tau = { value = 24.0, unit = \"min\", source = \"book\" }",
            "tau = { value = 24.0, unit = \"h\", source = \"hearsay\" }",
        ] {
            let message = read(body).unwrap_err().to_string();
            assert!(message.starts_with("test.toml: clock.tau "), "{message}");
        }
        let misspelt = "tau = { value = 24, unit = \"h\", source = \"book\" }\ntua = { value = 1, unit = \"h\", source = \"book\" }";
        assert!(read(misspelt).unwrap_err().to_string().contains("clock.tua"));
    }

    #[test]
    fn a_number_without_a_source_is_a_syntax_error_that_says_so() {
        let message = read("tau = { value = 24.0, unit = \"h\" }").unwrap_err().to_string();
        assert!(message.contains("source"), "{message}");
    }
}
