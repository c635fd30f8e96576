//! `zoner diff A B`.

mod side;

use std::io::{BufWriter, Write};

use anyhow::bail;
use clap::Args;
use serde_json::json;

use self::side::{LeftOut, Reader, Source, source};
use super::{Connection, common};
use crate::diff::{Difference, Said, SecondPass, Side, Tally, Traveller};

/// Tells where two topics or files of recommendations differ, traveller by traveller: said by one only, or said by both
/// for the same cause with another content. Where in the log a cause stood makes no difference, nor does it whether news of a
/// flight came some seconds earlier or later. Records that are no recommendations are left out and counted.
///
/// The exit code is 0 where they agree, 1 where they differ, 2 where they could not be compared.
#[derive(Debug, Args)]
pub struct Diff {
    /// A file of JSON lines as `zoner replay` writes them, or topic:NAME
    #[arg(value_parser = source)]
    a: Source,
    /// What it is compared with: a file or topic:NAME
    #[arg(value_parser = source)]
    b: Source,
    /// Differences and summary as JSON lines
    #[arg(long)]
    json: bool,
    /// Only the summary
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Returns whether they agree.
pub fn run(command: &Diff) -> anyhow::Result<bool> {
    common::start_logging("warn");
    let cluster = match (&command.a, &command.b) {
        (Source::File(_), Source::File(_)) => None,
        _ => Some(common::configuration(&command.connection)?.cluster()),
    };
    // A topic holds no estimates: those of a file have nothing to be compared with.
    let with_estimates = cluster.is_none();
    let mut a = Reader::open(&command.a, "diff-a", cluster.as_ref())?;
    let mut b = Reader::open(&command.b, "diff-b", cluster.as_ref())?;

    let mut tally = Tally::default();
    let mut totals = [0_u64; 2];
    each(&mut a, &mut b, with_estimates, |side, said| {
        totals[side as usize] += 1;
        tally.add(side, &said);
        Ok(true)
    })?;
    let left_out = [a.left_out.clone(), b.left_out.clone()];
    for (side, total, left_out) in [(&command.a, totals[0], &left_out[0]), (&command.b, totals[1], &left_out[1])] {
        left_out.refuse_what_is_none(side, total)?;
    }
    let mut report = Report {
        output: BufWriter::new(std::io::stdout().lock()),
        as_json: command.json,
        is_quiet: command.quiet,
        totals,
        left_out,
        travellers: tally.travellers(),
        travellers_that_differ: 0,
        only: [0, 0],
        different: 0,
    };
    let mut second: SecondPass = tally.second_pass();
    if !second.is_over() {
        a.rewind()?;
        b.rewind()?;
        each(&mut a, &mut b, with_estimates, |side, said| {
            if let Some((traveller, differences)) = second.hear(side, said) {
                report.tell(&traveller, &differences)?;
            }
            Ok(!second.is_over())
        })?;
        if !second.is_over() {
            bail!("one of them changed while it was read");
        }
    }
    report.finish()
}

/// Hands out both sides in turn, so that neither runs far ahead of the other, until `take` has heard enough.
fn each(
    a: &mut Reader,
    b: &mut Reader,
    with_estimates: bool,
    mut take: impl FnMut(Side, Said) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut open = [true, true];
    while open != [false, false] {
        for (side, reader) in [(Side::A, &mut *a), (Side::B, &mut *b)] {
            if !open[side as usize] {
                continue;
            }
            match reader.next()? {
                Some(said) if said.is_estimate && !with_estimates => reader.left_out.estimates += 1,
                Some(said) => {
                    if !take(side, said)? {
                        return Ok(());
                    }
                }
                None => open[side as usize] = false,
            }
        }
    }
    Ok(())
}

struct Report<O: Write> {
    output: O,
    as_json: bool,
    is_quiet: bool,
    /// Of A and B.
    totals: [u64; 2],
    left_out: [LeftOut; 2],
    travellers: u64,
    travellers_that_differ: u64,
    only: [u64; 2],
    different: u64,
}

impl<O: Write> Report<O> {
    fn tell(&mut self, traveller: &Traveller, differences: &[Difference]) -> std::io::Result<()> {
        if differences.is_empty() {
            // Other bytes, and the same said.
            return Ok(());
        }
        self.travellers_that_differ += 1;
        if !self.as_json && !self.is_quiet {
            writeln!(self.output, "{} in household {}", traveller.user, traveller.household)?;
        }
        for difference in differences {
            match difference {
                Difference::Only(side, _) => self.only[*side as usize] += 1,
                Difference::Differs { .. } => self.different += 1,
            }
            match (self.is_quiet, self.as_json) {
                (true, _) => {}
                (false, true) => writeln!(self.output, "{}", as_json(traveller, difference))?,
                (false, false) => self.tell_one(difference)?,
            }
        }
        Ok(())
    }

    fn tell_one(&mut self, difference: &Difference) -> std::io::Result<()> {
        let what = |said: &Said| {
            if said.is_estimate {
                "estimate".to_owned()
            } else {
                format!("{}  {}", said.text("reason"), said.text("headline"))
            }
        };
        let at = difference.issued_at();
        match difference {
            Difference::Only(side, said) => writeln!(self.output, "  {at}  only in {side:?}  {}", what(said)),
            Difference::Differs { a, fields, .. } => {
                writeln!(self.output, "  {at}  differs    {}", what(a))?;
                fields.iter().try_for_each(|field| writeln!(self.output, "      {field}"))
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<bool> {
        let [a, b] = self.totals;
        let [only_a, only_b] = self.only;
        let same = a - only_a - self.different;
        if self.as_json {
            let summary = json!({
                "a": a, "b": b, "same": same, "only_a": only_a, "only_b": only_b, "different": self.different,
                "travellers": self.travellers, "travellers_that_differ": self.travellers_that_differ,
                "no_recommendations_a": self.left_out[0].others, "no_recommendations_b": self.left_out[1].others,
                "estimates_left_out_a": self.left_out[0].estimates, "estimates_left_out_b": self.left_out[1].estimates,
            });
            writeln!(self.output, "{}", json!({ "summary": summary }))?;
        } else {
            writeln!(
                self.output,
                "{a} in A, {b} in B: {same} the same, {only_a} only in A, {only_b} only in B, {} different; {} of {} \
                 travellers differ",
                self.different, self.travellers_that_differ, self.travellers
            )?;
            for words in [self.left_out[0].in_words("A"), self.left_out[1].in_words("B")].iter().flatten() {
                writeln!(self.output, "{words}")?;
            }
        }
        self.output.flush()?;
        Ok(self.travellers_that_differ == 0)
    }
}

fn as_json(traveller: &Traveller, difference: &Difference) -> serde_json::Value {
    let head = |kind: &str, said: &Said| {
        json!({
            "household_id": traveller.household, "user_id": traveller.user, "difference": kind,
            "at": difference.issued_at(), "reason": said.value.get("reason"), "cause": said.value.get("cause"),
        })
    };
    match difference {
        Difference::Only(Side::A, said) => {
            let mut line = head("only_a", said);
            line["a"] = said.value.clone();
            line
        }
        Difference::Only(Side::B, said) => {
            let mut line = head("only_b", said);
            line["b"] = said.value.clone();
            line
        }
        Difference::Differs { a, fields, .. } => {
            let mut line = head("different", a);
            line["fields"] = fields
                .iter()
                .map(|field| json!({ "field": field.name, "a": field.a, "b": field.b }))
                .collect::<serde_json::Value>();
            line
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_on(a: &str, b: &str) -> anyhow::Result<bool> {
        let file = |name: &str, content: &str| {
            let name = format!("zoner-diff-{}-{:?}-{name}", std::process::id(), std::thread::current().id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let (a, b) = (file("a", a), file("b", b));
        let connection = Connection { brokers: None, prefix: None, config: None };
        let sources = (Source::File(a.clone()), Source::File(b.clone()));
        let result = run(&Diff { a: sources.0, b: sources.1, json: true, quiet: true, connection });
        std::fs::remove_file(a).unwrap();
        std::fs::remove_file(b).unwrap();
        result
    }

    const RECOMMENDATION: &str = "{\"recommendation_id\": \"1\", \"household_id\": \"h1\", \"user_id\": \"mia\"}\n";
    const MEAL: &str = "{\"household_id\": \"h1\", \"user_id\": \"mia\", \"activity\": \"meal\"}\n";

    #[test]
    fn a_side_without_a_single_recommendation_is_refused_by_name() {
        assert!(run_on(RECOMMENDATION, &format!("{MEAL}{RECOMMENDATION}")).unwrap(), "the meal is left out");
        assert!(run_on("", "").unwrap());
        assert!(!run_on(RECOMMENDATION, "").unwrap(), "nothing was said at all");
        for other in [MEAL, "no JSON\n"] {
            let refused = run_on(RECOMMENDATION, other).unwrap_err().to_string();
            assert!(refused.contains("-b has records, and none of them is a recommendation"), "{refused}");
        }
        let damaged = run_on(RECOMMENDATION, &format!("{RECOMMENDATION}{{\"reco")).unwrap_err().to_string();
        assert!(damaged.contains("-b: line 2: it can't be read"), "{damaged}");
    }
}
