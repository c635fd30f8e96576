//! `zoner state dump`: what the running members know, by asking them.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use ureq::http::{HeaderMap, Response};

use crate::http::{CLUSTER, GROUP, PARTITION_COUNT, PARTITIONS};

#[derive(Debug, Subcommand)]
pub enum State {
    /// Everybody's estimate and plan as JSON lines, as `zoner replay --state` prints them
    Dump(Dump),
}

#[derive(Debug, Args)]
pub struct Dump {
    /// HTTP address of a member; give every member of the group
    #[arg(long = "member", value_name = "HOST:PORT", default_value = "127.0.0.1:9464")]
    members: Vec<String>,
    /// Be content with the people of these members, though others may own partitions
    #[arg(long)]
    partial: bool,
}

pub fn run(command: &State) -> anyhow::Result<()> {
    let State::Dump(dump) = command;
    // Whom they speak for is known before the first line is printed: half a dump looks like a whole one.
    let mut answers = Vec::with_capacity(dump.members.len());
    let mut claims = Vec::with_capacity(dump.members.len());
    for member in &dump.members {
        let answer = ask(member, "/v1/estimates")?;
        claims.push(Claim::of(member, answer.headers())?);
        answers.push(answer);
    }
    let missing = ownerless(&claims)?;
    if let (Some(claim), false) = (claims.first(), missing.is_empty()) {
        let left_out = format!(
            "partitions {missing:?} of {} in user_activity belong to none of these members, so that the people in them are \
             missing",
            claim.of
        );
        if !dump.partial {
            bail!(
                "{left_out}: name every member of {} with --member, or wait until the group is whole; --partial is content \
                 without them",
                claim.group
            );
        }
        eprintln!("{left_out}");
    }
    let mut output = std::io::stdout().lock();
    for (member, mut answer) in dump.members.iter().zip(answers) {
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        std::io::copy(&mut body, &mut output).with_context(|| format!("reading from member {member}"))?;
    }
    output.flush()?;
    Ok(())
}

/// For whom a member says that it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Claim {
    member: String,
    /// The Kafka cluster's id; `None` where the member does not know it.
    cluster: Option<String>,
    /// The consumer group, whose name begins with the installation's prefix.
    group: String,
    partitions: Vec<i32>,
    /// How many partitions there are.
    of: i32,
}

impl Claim {
    fn of(member: &str, headers: &HeaderMap) -> anyhow::Result<Claim> {
        let header = |name| headers.get(&name).and_then(|value| value.to_str().ok());
        let (Some(group), Some(partitions), Some(of)) = (header(GROUP), header(PARTITIONS), header(PARTITION_COUNT))
        else {
            bail!("{member} does not say which group it is a member of: it is no Zoner, or an older one (--member)");
        };
        let unreadable = || format!("{member} speaks of partitions {partitions:?} of {of:?}");
        Ok(Claim {
            member: member.to_owned(),
            // Earlier builds send an empty one.
            cluster: header(CLUSTER).filter(|id| !id.is_empty()).map(str::to_owned),
            group: group.to_owned(),
            partitions: partitions
                .split(',')
                .filter(|number| !number.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()
                .with_context(unreadable)?,
            of: of.parse().with_context(unreadable)?,
        })
    }
}

/// The partitions that none of these members owns.
///
/// # Errors
/// They are not members of one group, or two of them own the same partition.
fn ownerless(claims: &[Claim]) -> anyhow::Result<Vec<i32>> {
    let Some(first) = claims.first() else { return Ok(Vec::new()) };
    let mut owners: BTreeMap<i32, &Claim> = BTreeMap::new();
    for claim in claims {
        let differ = |what: &str, there: &str, here: &str| {
            format!(
                "{} and {} are members of different installations: {what} is {there} there and {here} here. Name the \
                 members of one",
                first.member, claim.member
            )
        };
        // A member that started while the brokers were busy may not have learned it.
        if let (Some(there), Some(here)) = (&first.cluster, &claim.cluster)
            && there != here
        {
            bail!(differ("the id of their Kafka cluster", there, here));
        }
        if claim.group != first.group {
            bail!(differ("their group", &first.group, &claim.group));
        }
        if claim.of != first.of {
            let counts = [first, claim].map(|claim| claim.of.to_string());
            bail!(differ("the number of partitions", &counts[0], &counts[1]));
        }
        let twice: Vec<i32> = claim.partitions.iter().copied().filter(|number| owners.contains_key(number)).collect();
        if let Some(other) = twice.first().and_then(|number| owners.get(number)) {
            bail!(
                "{} and {} both say that they own partitions {twice:?} of user_activity: name each member once; where the \
                 group is moving partitions just now, ask again",
                other.member,
                claim.member
            );
        }
        owners.extend(claim.partitions.iter().map(|number| (*number, claim)));
    }
    Ok((0..first.of).filter(|number| !owners.contains_key(number)).collect())
}

/// The members answer on loopback or inside a cluster, without TLS.
fn ask(member: &str, path: &str) -> anyhow::Result<Response<ureq::Body>> {
    let mut response = ureq::get(format!("http://{member}{path}"))
        .config()
        .http_status_as_error(false)
        .build()
        .call()
        .with_context(|| format!("asking {member}: --member has to name a running member's http.listen"))?;
    let status = response.status();
    if status != 200 {
        let body = response.body_mut().read_to_string().unwrap_or_default();
        bail!("member {member} answered {status}: {body}");
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(member: &str, partitions: &[i32]) -> Claim {
        Claim {
            member: member.to_owned(),
            cluster: Some("kafka".to_owned()),
            group: "zoner-travellers".to_owned(),
            partitions: partitions.to_vec(),
            of: 4,
        }
    }

    #[test]
    fn members_of_one_group_are_taken_together_and_what_nobody_owns_is_known() {
        assert_eq!(ownerless(&[claim("a:1", &[0, 2]), claim("b:1", &[1])]).unwrap(), [3]);
        assert_eq!(ownerless(&[claim("a:1", &[0, 2]), claim("b:1", &[1, 3])]).unwrap(), [] as [i32; 0]);
        assert_eq!(ownerless(&[claim("a:1", &[])]).unwrap(), [0, 1, 2, 3]);
        let unknowing = Claim { cluster: None, ..claim("b:1", &[1, 3]) };
        assert_eq!(ownerless(&[claim("a:1", &[0, 2]), unknowing]).unwrap(), [] as [i32; 0]);
    }

    #[test]
    fn members_of_different_installations_are_not_taken_for_one_group() {
        let others = [
            (
                Claim { cluster: Some("other".to_owned()), ..claim("b:1", &[1]) },
                "Kafka cluster is kafka there and other here",
            ),
            (Claim { group: "test.zoner-travellers".to_owned(), ..claim("b:1", &[1]) }, "test.zoner-travellers"),
            (Claim { of: 16, ..claim("b:1", &[1]) }, "number of partitions is 4 there and 16 here"),
        ];
        for (other, expected) in others {
            let refused = ownerless(&[claim("a:1", &[0]), other]).unwrap_err().to_string();
            assert!(refused.contains("a:1 and b:1 are members of different installations"), "{refused}");
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_partition_that_two_members_claim_is_told_with_both() {
        let claims = [claim("a:1", &[0, 1]), claim("b:1", &[2]), claim("c:1", &[1, 2, 3])];
        let refused = ownerless(&claims).unwrap_err().to_string();
        assert!(refused.contains("a:1 and c:1 both say that they own partitions [1, 2]"), "{refused}");
    }
}
