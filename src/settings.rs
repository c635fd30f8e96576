//! Configuration in layers: defaults < `zoner.toml` < `ZONER_…` environment < flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::engine::placement::Placement;
use crate::engine::worker;
use crate::flight::zones;
use crate::kafka::Cluster;
use crate::kafka::properties::reserved;
use crate::kafka::topics::Layout;
use crate::units::Span;

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "zoner.toml";

/// Everything that can be configured. Unknown keys are refused: a misspelt one would be a silent default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub kafka: Kafka,
    pub topics: Topics,
    pub engine: Engine,
    pub http: Http,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// Bootstrap servers, `host:port` separated by commas.
    pub brokers: String,
    /// A static member's name, unique to this process: its restart moves no partition. Empty: dynamic.
    pub instance_id: String,
    /// Any librdkafka property.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topics {
    /// Before every topic and group name.
    pub prefix: String,
    pub partitions: i32,
    pub replication: i32,
    pub placement: Placement,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    pub traveller_workers: usize,
    pub flight_workers: usize,
    /// Records taken from the client at once.
    pub batch: usize,
    /// Milliseconds after which a transaction that recommends nothing is committed.
    pub commit_interval_ms: u64,
    pub records_per_transaction: usize,
    pub timers_per_transaction: usize,
    /// Seconds between the beginnings of two checkpoints of a partition.
    pub checkpoint_interval_s: f64,
    /// Seconds that a silent partition's time may fall behind before a tick is written.
    pub tick_interval_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address of metrics, health and questions, `host:port` with a name or a number; port 0 takes a free one.
    pub listen: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            kafka: Kafka {
                brokers: "127.0.0.1:9092".to_owned(),
                instance_id: String::new(),
                properties: BTreeMap::new(),
            },
            topics: Topics { prefix: String::new(), partitions: 16, replication: 1, placement: Placement::Murmur2 },
            engine: Engine {
                traveller_workers: 1,
                flight_workers: 1,
                batch: 2_000,
                commit_interval_ms: 200,
                records_per_transaction: 500_000,
                timers_per_transaction: 1_000,
                checkpoint_interval_s: 60.0,
                tick_interval_s: 10.0,
            },
            http: Http { listen: "127.0.0.1:9464".to_owned() },
        }
    }
}

/// Why a configuration can't be used; names the file or variable and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("configuration file {} does not exist", .0.display())]
    NoFile(PathBuf),
    #[error("configuration: {0}")]
    Unreadable(String),
    #[error("configuration: {key} is {value}; allowed is {allowed}")]
    OutOfRange { key: &'static str, value: String, allowed: &'static str },
    #[error(
        "configuration: kafka.properties must not set {property:?}: exactly once and the members' names rest on what Zoner \
         sets there{}",
        setting_instead(instead)
    )]
    Reserved { property: String, instead: &'static str },
    #[error("configuration: {found} in the environment is not a setting: {meant} is")]
    Misspelt { found: String, meant: String },
}

fn setting_instead(setting: &str) -> String {
    if setting.is_empty() { String::new() } else { format!("; set {setting} instead") }
}

/// Where the mistake is and what belongs there. Not what stands there: it may be a password under the wrong key.
fn in_words(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let place = match file_of(error) {
        Some(file) => format!("{file}: {key}"),
        None => format!("ZONER_{} in the environment", key.to_uppercase().replace('.', "__")),
    };
    match &error.kind {
        Kind::UnknownField(_, []) => format!("{place} is not a setting"),
        Kind::UnknownField(_, known) => format!("{place} is not a setting; known here: {}", known.join(", ")),
        Kind::InvalidType(_, wanted) | Kind::InvalidValue(_, wanted) => {
            let wanted = match wanted.as_str() {
                "f64" | "f32" => "a number",
                "a string" => "a text in quotes",
                "a boolean" => "true or false",
                whole if ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize"].contains(&whole) => {
                    "a whole number that is in range"
                }
                other => other,
            };
            format!("{place} has to be {wanted}")
        }
        Kind::UnknownVariant(_, known) => format!("{place} has to be one of {}", known.join(", ")),
        Kind::Message(message) if key.is_empty() => {
            format!("{}{}", file_of(error).map_or_else(String::new, |file| format!("{file}: ")), message.trim_end())
        }
        other => format!("{place}: {other}"),
    }
}

fn file_of(error: &figment::Error) -> Option<String> {
    error.metadata.as_ref()?.source.as_ref().map(ToString::to_string)
}

impl Config {
    /// Reads the layers below the flags. `file`: named on the command line, must exist; `zoner.toml` otherwise, if it
    /// is there.
    ///
    /// # Errors
    /// A file that does not parse, an unknown key, a value out of range.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        if let Some(file) = file.filter(|file| !file.exists()) {
            return Err(ConfigError::NoFile(file.to_owned()));
        }
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if path.exists() {
            figment = figment.merge(Toml::file_exact(path));
        }
        if let Some((found, meant)) = misspelt(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
            return Err(ConfigError::Misspelt { found, meant });
        }
        // ZONER_KAFKA__BROKERS → kafka.brokers
        let figment = figment.merge(Env::prefixed("ZONER_").filter(|key| key.as_str().contains("__")).split("__"));
        let config: Config = figment.extract().map_err(|error| ConfigError::Unreadable(in_words(&error)))?;
        config.check()?;
        Ok(config)
    }

    /// # Errors
    /// A value out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let out_of_range = |key, value: String, allowed| Err(ConfigError::OutOfRange { key, value, allowed });
        if self.kafka.brokers.trim().is_empty() {
            return out_of_range("kafka.brokers", "empty".to_owned(), "host:port, several separated by commas");
        }
        for property in self.kafka.properties.keys() {
            if let Some(instead) = reserved(property) {
                return Err(ConfigError::Reserved { property: property.clone(), instead });
            }
        }
        if !is_prefix(&self.topics.prefix) {
            return out_of_range("topics.prefix", format!("{:?}", self.topics.prefix), PREFIXES);
        }
        if !(1..=10_000).contains(&self.topics.partitions) {
            return out_of_range("topics.partitions", self.topics.partitions.to_string(), "1 to 10000");
        }
        if !(1..=64).contains(&self.engine.traveller_workers) {
            return out_of_range("engine.traveller_workers", self.engine.traveller_workers.to_string(), "1 to 64");
        }
        if !(1..=64).contains(&self.engine.flight_workers) {
            return out_of_range("engine.flight_workers", self.engine.flight_workers.to_string(), "1 to 64");
        }
        if !(1..=100_000).contains(&self.engine.batch) {
            return out_of_range("engine.batch", self.engine.batch.to_string(), "1 to 100000");
        }
        // A transaction must end well before transaction.timeout.ms (10 s).
        if !(1..=5_000).contains(&self.engine.commit_interval_ms) {
            return out_of_range("engine.commit_interval_ms", self.engine.commit_interval_ms.to_string(), "1 to 5000");
        }
        if self.engine.records_per_transaction == 0 || self.engine.timers_per_transaction == 0 {
            return out_of_range("engine.…_per_transaction", "0".to_owned(), "1 and more");
        }
        if !(0.2..=86_400.0).contains(&self.engine.checkpoint_interval_s) {
            let value = self.engine.checkpoint_interval_s.to_string();
            return out_of_range("engine.checkpoint_interval_s", value, "0.2 to 86400");
        }
        if !(0.05..=3_600.0).contains(&self.engine.tick_interval_s) {
            return out_of_range("engine.tick_interval_s", self.engine.tick_interval_s.to_string(), "0.05 to 3600");
        }
        if !is_listen_address(&self.http.listen) {
            return out_of_range("http.listen", self.http.listen.clone(), "host:port, such as 127.0.0.1:9464");
        }
        Ok(())
    }

    /// As TOML, with values of secret properties masked.
    #[must_use]
    pub fn to_masked_toml(&self) -> String {
        let mut shown = self.clone();
        for (name, value) in &mut shown.kafka.properties {
            if !is_harmless(name) {
                "****".clone_into(value);
            }
        }
        toml::to_string_pretty(&shown).unwrap_or_else(|error| format!("# could not be shown: {error}"))
    }

    #[must_use]
    pub fn cluster(&self) -> Cluster {
        Cluster {
            brokers: self.kafka.brokers.clone(),
            prefix: self.topics.prefix.clone(),
            placement: self.topics.placement,
            properties: self.kafka.properties.clone(),
            instance_id: Some(self.kafka.instance_id.trim().to_owned()).filter(|id| !id.is_empty()),
            process_id: process_id(),
            embedded: false,
        }
    }

    #[must_use]
    pub fn layout(&self, create_time: bool) -> Layout {
        Layout { partitions: self.topics.partitions, replication: self.topics.replication, create_time }
    }

    /// The workers' settings. `ticks`: whether ticks may be written at all.
    #[must_use]
    pub fn worker(&self, partitions: i32, ticks: bool, accept_gap: bool) -> worker::Settings {
        worker::Settings {
            prefix: self.topics.prefix.as_str().into(),
            batch: self.engine.batch,
            commit_interval: Duration::from_millis(self.engine.commit_interval_ms),
            records_per_transaction: self.engine.records_per_transaction,
            timers_per_transaction: self.engine.timers_per_transaction,
            tick_interval: Span((self.engine.tick_interval_s * 1_000.0) as i64),
            ticks,
            placement: self.topics.placement,
            partitions,
            accept_gap,
            checkpoints: Some(worker::Checkpoints {
                interval: Duration::from_secs_f64(self.engine.checkpoint_interval_s),
                smallest_slice: 64,
            }),
            program: program().into(),
            sabotage: None,
        }
    }
}

const PREFIXES: &str = "up to 200 of a-z, A-Z, 0-9, `.`, `_` and `-`, as in names of topics";

/// Whether names of topics may begin so.
fn is_prefix(text: &str) -> bool {
    text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// A variable that would be a setting with `__` in place of its first `_` between section and key, and that setting's.
fn misspelt(variables: impl Iterator<Item = String>) -> Option<(String, String)> {
    let settings = toml::Value::try_from(Config::default()).ok()?;
    let meant = |(section, keys): (&String, &toml::Value)| -> Vec<(String, String)> {
        let keys = keys.as_table().into_iter().flat_map(|keys| keys.keys());
        let spelt = |between: &str, key: &str| format!("ZONER_{section}{between}{key}").to_uppercase();
        keys.map(|key| (spelt("_", key), spelt("__", key))).collect()
    };
    let known: Vec<(String, String)> = settings.as_table()?.iter().flat_map(meant).collect();
    variables.into_iter().find_map(|name| known.iter().find(|(wrong, _)| *wrong == name).cloned())
}

/// The program, its models and its time-zone rules, as markers name them.
fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("zoner {version}, models {}, tzdb {}", crate::models::digest(), zones::tzdb_version())
}

/// Whether a text is a host, by name or number, and a port. Whether there is such a host is asked when it is bound.
#[must_use]
pub fn is_listen_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    let is_plain = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    is_host && is_plain && port.parse::<u16>().is_ok()
}

/// Values of these may be shown. Anything else may be a secret, if only by a slip of the keyboard in its name.
fn is_harmless(property: &str) -> bool {
    const PREFIXES: [&str; 9] =
        ["fetch.", "queue", "socket.", "session.", "heartbeat.", "linger", "batch.", "compression.", "reconnect."];
    const NAMES: [&str; 8] = [
        "bootstrap.servers",
        "client.id",
        "debug",
        "group.id",
        "isolation.level",
        "sasl.mechanism",
        "security.protocol",
        "transaction.timeout.ms",
    ];
    NAMES.contains(&property) || PREFIXES.iter().any(|prefix| property.starts_with(prefix))
}

/// Tells this process from every other that ever was.
fn process_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{:x}", std::process::id(), now.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_even_where_its_name_is_misspelt() {
        let mut config = Config::default();
        config.kafka.properties.insert("sasl.pasword".to_owned(), "hunter2".to_owned());
        config.kafka.properties.insert("fetch.min.bytes".to_owned(), "17".to_owned());
        let shown = config.to_masked_toml();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("17"), "{shown}");
    }

    #[test]
    fn what_exactly_once_rests_on_is_not_for_others_to_set() {
        let refused = |property: &str| {
            let mut config = Config::default();
            config.kafka.properties.insert(property.to_owned(), "x".to_owned());
            config.check().map_err(|error| error.to_string())
        };
        for property in ["transactional.id", "isolation.level", "partition.assignment.strategy", "acks"] {
            assert!(refused(property).unwrap_err().contains(property));
        }
        assert!(refused("group.id").unwrap_err().ends_with("; set topics.prefix instead"));
        assert_eq!(refused("sasl.password"), Ok(()));
        assert_eq!(refused("session.timeout.ms"), Ok(()));
    }

    #[test]
    fn a_prefix_that_no_topic_can_have_is_refused() {
        for (prefix, is_good) in [("", true), ("test.", true), ("a b/c", false), ("é", false)] {
            let mut config = Config::default();
            config.topics.prefix = prefix.to_owned();
            assert_eq!(config.check().is_ok(), is_good, "{prefix:?}");
        }
    }

    #[test]
    fn a_variable_with_one_underscore_too_few_is_not_overlooked() {
        let found = |name: &str| misspelt(std::iter::once(name.to_owned()));
        assert_eq!(found("ZONER_KAFKA_INSTANCE_ID").unwrap().1, "ZONER_KAFKA__INSTANCE_ID");
        for name in ["ZONER_KAFKA__BROKERS", "ZONER_LOG", "ZONER_TEST_KAFKA", "KAFKA_BROKERS"] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn a_mistake_in_the_file_is_told_by_place_and_without_what_stands_there() {
        let file = std::env::temp_dir().join(format!("zoner-settings-{}.toml", std::process::id()));
        let refused = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Config::load(Some(&file)).unwrap_err().to_string()
        };
        for (text, expected) in [
            ("[engine]\ncheckpoint_interval_s = \"hunter2\"", "engine.checkpoint_interval_s has to be a number"),
            ("[kafka]\nbrokers = 1", "kafka.brokers has to be a text in quotes"),
            ("[topics]\nplacement = \"hunter2\"", "topics.placement has to be one of murmur2, crc32"),
            ("[engin]\na = 1", "engin is not a setting; known here: kafka, topics, engine, http"),
        ] {
            let error = refused(text);
            assert!(error.ends_with(expected) && error.contains("zoner-settings-"), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("default"), "{error}");
        }
        assert!(refused("[engine").contains("line 1"));
        std::fs::remove_file(&file).unwrap();
    }
}
