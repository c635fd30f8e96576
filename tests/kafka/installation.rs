//! Topics of a test's own, and what is written to and known of them.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use zoner::engine::placement::Placement;
use zoner::engine::record::Topic;
use zoner::kafka::Cluster;
use zoner::kafka::feed::Feed;
use zoner::settings::Config;

use crate::common::program::run;
use crate::common::records::Sent;
use crate::common::{Directory, unique, wait_for};

/// Whose clock stamps the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    Broker,
    Producers,
}

/// A member that is killed is missed, and its transaction aborted, sooner than in production; ticks come often.
const SETTINGS: &str = r#"
[engine]
tick_interval_s = 1.0
checkpoint_interval_s = 0.7

[kafka.properties]
"session.timeout.ms" = "3000"
"heartbeat.interval.ms" = "300"
"transaction.timeout.ms" = "4000"
"message.timeout.ms" = "4000"
"#;

/// One installation of the service beside the others on the same Kafka, with a configuration file of its own.
pub struct Installation {
    pub directory: Directory,
    pub config_file: PathBuf,
    pub prefix: String,
    pub stamps: Stamps,
    pub cluster: Cluster,
    pub partitions: i32,
}

/// Where the Kafka of the tests is.
pub fn brokers() -> String {
    std::env::var("ZONER_TEST_KAFKA")
        .unwrap_or_else(|_| panic!("ZONER_TEST_KAFKA does not say where a Kafka is: run dev/test, which starts one"))
}

impl Installation {
    /// An installation without topics.
    pub fn bare(name: &str, partitions: i32, stamps: Stamps) -> Installation {
        Installation::bare_on(&brokers(), name, partitions, stamps)
    }

    fn bare_on(brokers: &str, name: &str, partitions: i32, stamps: Stamps) -> Installation {
        let directory = Directory::new(name);
        let prefix = format!("{}.", unique(name));
        let content = format!(
            "[topics]\nprefix = \"{prefix}\"\npartitions = {partitions}\n{SETTINGS}\n[kafka]\nbrokers = \"{brokers}\"\n"
        );
        let config_file = directory.write("zoner.toml", &content);
        let cluster = Config::load(Some(&config_file)).expect("a valid configuration").cluster();
        Installation { directory, config_file, prefix, stamps, cluster, partitions }
    }

    /// An installation with topics that the program made.
    pub fn create(name: &str, partitions: i32, stamps: Stamps) -> Installation {
        Installation::create_on(&brokers(), name, partitions, stamps)
    }

    /// The same on a Kafka of the test's own.
    pub fn create_on(brokers: &str, name: &str, partitions: i32, stamps: Stamps) -> Installation {
        let installation = Installation::bare_on(brokers, name, partitions, stamps);
        let said = installation.run(&["topics", "create"]).ok();
        assert_eq!(said.matches(" created with ").count(), 6, "{said}");
        installation
    }

    /// Puts lines behind the first line of the configuration that says `section`.
    pub fn configure(&self, section: &str, lines: &str) {
        let config = std::fs::read_to_string(&self.config_file).expect("the configuration");
        assert!(config.contains(section), "{config}");
        let config = config.replacen(section, &format!("{section}\n{lines}"), 1);
        std::fs::write(&self.config_file, config).expect("the configuration");
    }

    /// Arguments of a command about this installation.
    pub fn arguments(&self, command: &[&str]) -> Vec<String> {
        let config = self.config_file.display().to_string();
        let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
        arguments.extend(["--config".to_owned(), config]);
        if self.stamps == Stamps::Producers && matches!(command[0], "run" | "topics") {
            arguments.push("--create-time".to_owned());
        }
        arguments
    }

    /// Runs a command about this installation to its end.
    pub fn run(&self, command: &[&str]) -> crate::common::program::Said {
        run(self.arguments(command))
    }

    pub fn topic(&self, role: &str) -> String {
        format!("{}{role}", self.prefix)
    }

    pub fn input(&self, topic: Topic) -> String {
        self.topic(topic.as_str())
    }

    pub fn feed(&self) -> Feed {
        Feed::connect(&self.cluster).expect("a producer")
    }

    /// Writes records in their order and waits until the cluster has them.
    pub fn send(&self, records: &[Sent]) {
        let feed = self.feed();
        for record in records {
            put(&feed, record);
        }
        feed.flush(Duration::from_secs(30)).expect("everything written");
    }

    /// Sends records at a steady pace from a thread of its own.
    pub fn stream(&self, records: Vec<Sent>, pause: Duration) -> JoinHandle<()> {
        let feed = self.feed();
        thread::spawn(move || {
            for record in &records {
                put(&feed, record);
                thread::sleep(pause);
            }
            feed.flush(Duration::from_secs(30)).expect("everything written");
        })
    }

    /// The partition of a household or flight.
    pub fn partition_of(&self, key: &str) -> i32 {
        Placement::Murmur2.partition(key.as_bytes(), self.partitions)
    }

    /// A household id in the same partition as another.
    pub fn neighbour_of(&self, household: &str) -> String {
        let home = self.partition_of(household);
        let mut names = (0..10_000).map(|number| format!("neighbour-{number}"));
        names.find(|name| self.partition_of(name) == home).expect("one of many names")
    }

    /// What a processor's group has committed for each partition: offset and metadata.
    pub fn committed(&self, topic: Topic) -> Vec<Option<(i64, String)>> {
        let processor = match topic {
            Topic::UserActivity => "travellers",
            Topic::FlightStatus => "flights",
        };
        let mut settings = self.cluster.reader("committed");
        settings.set("group.id", self.cluster.group(processor));
        let consumer: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
        let name = self.input(topic);
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions {
            list.add_partition(&name, partition);
        }
        // A broker that has just come back is not at once the group's coordinator again.
        let committed = wait_for("the group's offsets", Duration::from_secs(40), || {
            consumer.committed_offsets(list.clone(), Duration::from_secs(20)).ok()
        });
        (0..self.partitions)
            .map(|partition| {
                let element = committed.find_partition(&name, partition)?;
                let Offset::Offset(offset) = element.offset() else { return None };
                Some((offset, element.metadata().to_owned()))
            })
            .collect()
    }
}

pub fn put(feed: &Feed, record: &Sent) {
    feed.send(record.topic, &record.key, &record.value.to_string(), record.stamp).expect("a queued record");
}
