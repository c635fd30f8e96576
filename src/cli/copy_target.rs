//! Where `zoner replay --to-topic` may write, and how that topic has to be.

use anyhow::bail;

use super::common;
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::record::Topic;
use crate::kafka::Cluster;
use crate::kafka::topics::{Topics, wanted};
use crate::settings::Config;
use crate::units::{Span, UtcMillis};

/// Nobody's morning is to be told to them again: refuses the topics of the configured installation and the outputs of any.
/// The inputs of others can't be told from those of a version under test by their names: [`Target::find`] goes by their clock.
pub fn refuse_live_target(config: &Config, target: &str, into_live: bool) -> anyhow::Result<()> {
    if into_live {
        return Ok(());
    }
    let cluster = config.cluster();
    if let Some(output) = output_of(&cluster, target) {
        bail!(
            "{target} is named as an installation's {output}, which its members alone write: what is copied there would be \
             taken for theirs, by subscribers or when states are restored. Choose another name; --into-live means it"
        );
    }
    if wanted(&cluster, &config.layout(true)).iter().any(|topic| topic.name == target) {
        bail!(
            "{target} belongs to the configured installation: what is copied there happens to its people again. \
             `zoner topics create --create-time --prefix test.` makes topics to copy into; --into-live means it"
        );
    }
    Ok(())
}

/// Which output of an installation a topic is by the end of its name, whatever the prefix.
fn output_of(cluster: &Cluster, topic: &str) -> Option<String> {
    let unprefixed = Cluster { prefix: String::new(), ..cluster.clone() };
    let states = [Topic::UserActivity, Topic::FlightStatus].map(|input| unprefixed.state_topic(input.processor()));
    let outputs = [unprefixed.recommendations(), unprefixed.dead_letters()];
    outputs.into_iter().chain(states).find(|output| topic.ends_with(output.as_str()))
}

/// The topic that is written.
pub struct Target {
    pub name: String,
    pub partitions: i32,
    /// `None`: the present time.
    pub keeps_stamps: bool,
    /// How long it keeps records; `None` for ever.
    retention: Option<Span>,
}

impl Target {
    pub fn find(cluster: &Cluster, name: &str, restamp: bool, into_live: bool) -> anyhow::Result<Target> {
        let admin = Topics::connect(cluster)?;
        let Some(partitions) = admin.partitions(name)? else {
            bail!(
                "topic {name} does not exist: `zoner topics create --create-time --prefix test.` makes topics to copy into"
            );
        };
        let settings = common::runtime()?.block_on(admin.settings(name))?;
        let stamps = settings.get("message.timestamp.type").map_or("", String::as_str);
        if stamps == "LogAppendTime" && role_of(name).is_some() && !into_live {
            bail!(
                "topic {name} has message.timestamp.type=LogAppendTime, as the inputs of people who are there: what is \
                 copied there happens to them, with the present time. `zoner topics create --create-time --prefix test.` \
                 makes topics to copy into; --into-live with --restamp means it"
            );
        }
        if stamps == "LogAppendTime" && !restamp {
            bail!(
                "topic {name} has message.timestamp.type=LogAppendTime: its broker would put the present time in place \
                 of the records' own. `kafka-configs --bootstrap-server {} --alter --entity-type topics --entity-name {name} \
                 --add-config message.timestamp.type=CreateTime` keeps them; --restamp means it",
                cluster.brokers
            );
        }
        let retention = settings.get("retention.ms").and_then(|text| text.parse().ok()).filter(|ms: &i64| *ms >= 0);
        Ok(Target { name: name.to_owned(), partitions, keeps_stamps: !restamp, retention: retention.map(Span) })
    }

    /// A record that is older than the topic keeps would be deleted as soon as it is there.
    pub fn check_age(&self, stamp: UtcMillis) -> anyhow::Result<()> {
        let Some(retention) = self.retention.filter(|_| self.keeps_stamps) else { return Ok(()) };
        if SystemClock.now() - stamp > retention {
            bail!(
                "topic {} has retention.ms={}, and the first record is of {stamp}: it would be deleted as soon as it is \
                 written. Set retention.ms=-1 on it, or give the records the present time with --restamp",
                self.name,
                retention.0
            );
        }
        Ok(())
    }
}

/// Which input a topic is, by the end of its name.
pub fn role_of(topic: &str) -> Option<Topic> {
    [Topic::UserActivity, Topic::FlightStatus].into_iter().find(|role| topic.ends_with(role.as_str()))
}

pub fn refuse_another_kind(source: &str, target: &str) -> anyhow::Result<()> {
    match (role_of(source), role_of(target)) {
        (Some(from), Some(to)) if from != to => {
            bail!("{source} holds {} and {target} holds {}: nothing there could read it", from.as_str(), to.as_str())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_any_installation_are_known_by_their_names() {
        let mut config = Config::default();
        config.topics.prefix = "here.".to_owned();
        let outputs = ["recommendations", "zoner.dead_letters", "zoner.state.travellers", "zoner.state.flights"];
        for output in outputs {
            for prefix in ["", "here.", "there.", "test-"] {
                let target = format!("{prefix}{output}");
                let refused = refuse_live_target(&config, &target, false).unwrap_err().to_string();
                assert!(refused.contains(&format!("as an installation's {output}")), "{refused}");
                assert!(refused.contains("--into-live"), "{refused}");
                assert!(refuse_live_target(&config, &target, true).is_ok());
            }
        }
    }

    #[test]
    fn inputs_of_the_configured_installation_are_kept_from_copies_and_others_are_not() {
        let mut config = Config::default();
        config.topics.prefix = "here.".to_owned();
        assert!(refuse_live_target(&config, "here.user_activity", false).is_err());
        for target in ["test.user_activity", "test.flight_status", "anything"] {
            assert!(refuse_live_target(&config, target, false).is_ok(), "{target}");
        }
    }
}
