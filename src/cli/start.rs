//! Where a command begins to read a topic.

use std::collections::BTreeMap;

use chrono::DateTime;
use clap::Args;

use crate::engine::clock::{Clock as _, SystemClock};
use crate::kafka::scan::Start;
use crate::units::{Span, UtcMillis};

/// The beginning of the topic, unless a flag says otherwise.
#[derive(Clone, Debug, Args)]
pub struct From {
    /// Begin with the first records that are not older: RFC 3339, or so long ago (45m, 6h, 2d)
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "from_offset")]
    since: Option<UtcMillis>,
    /// Begin at this offset: of every partition (120), or of each (0:120,1:98)
    #[arg(long, value_name = "OFFSET", value_parser = offsets)]
    from_offset: Option<Start>,
}

impl From {
    pub fn start(&self) -> Start {
        match (self.since, &self.from_offset) {
            (Some(time), _) => Start::Time(time),
            (None, Some(start)) => start.clone(),
            (None, None) => Start::Beginning,
        }
    }
}

fn moment(text: &str) -> Result<UtcMillis, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(UtcMillis(time.timestamp_millis()));
    }
    let ago = ago(text).ok_or("expected an RFC 3339 time (2026-12-04T18:00:00Z), or how long ago: 45m, 6h, 2d")?;
    Ok(SystemClock.now() - ago)
}

fn ago(text: &str) -> Option<Span> {
    let (end, unit) = text.char_indices().last()?;
    let count: u32 = text[..end].parse().ok()?;
    let unit = match unit {
        's' => Span::seconds(1),
        'm' => Span::minutes(1),
        'h' => Span::hours(1),
        'd' => Span::days(1),
        _ => return None,
    };
    Some(Span(unit.0 * i64::from(count)))
}

fn offsets(text: &str) -> Result<Start, String> {
    const EXPECTED: &str = "expected an offset (120), or one for each partition (0:120,1:98)";
    let offset = |text: &str| text.parse::<i64>().ok().filter(|offset| *offset >= 0).ok_or(EXPECTED);
    if !text.contains(':') {
        return Ok(Start::Offset(offset(text)?));
    }
    let mut offsets = BTreeMap::new();
    for pair in text.split(',') {
        let (partition, at) = pair.split_once(':').ok_or(EXPECTED)?;
        offsets.insert(partition.parse().map_err(|_| EXPECTED)?, offset(at)?);
    }
    Ok(Start::Offsets(offsets))
}

/// What [`offsets`] reads back.
pub fn offsets_text(offsets: &BTreeMap<i32, i64>) -> String {
    let pairs: Vec<String> = offsets.iter().map(|(partition, offset)| format!("{partition}:{offset}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back_as_they_are_written() {
        let positions = BTreeMap::from([(0, 120), (3, 0)]);
        assert_eq!(offsets(&offsets_text(&positions)), Ok(Start::Offsets(positions)));
        assert_eq!(offsets("17"), Ok(Start::Offset(17)));
        for wrong in ["", "-1", "0:", "0:1,2", "a:1", "0:-5"] {
            assert!(offsets(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_absolute_or_so_long_ago() {
        assert_eq!(moment("1970-01-01T01:00:00+01:00"), Ok(UtcMillis(0)));
        assert_eq!(ago("45m"), Some(Span::minutes(45)));
        assert_eq!(ago("2d"), Some(Span::days(2)));
        for wrong in ["", "m", "-3h", "3w", "yesterday", "3é"] {
            assert_eq!(ago(wrong), None, "{wrong}");
        }
    }
}
