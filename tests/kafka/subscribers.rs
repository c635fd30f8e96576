//! Subscribers that are not ours: confluent-kafka for Python, and Apache's console consumer in Java.

use std::process::Command;

use serde_json::Value;

use super::installation::brokers;
use crate::common::program::run_other;

/// A Python interpreter that has confluent-kafka.
pub fn python() -> Command {
    let interpreter = std::env::var("ZONER_TEST_PYTHON").unwrap_or_else(|_| {
        panic!("ZONER_TEST_PYTHON does not name a Python that has confluent-kafka: run dev/test, which makes one")
    });
    Command::new(interpreter)
}

pub fn script(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn values(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Every value of a topic as a `read_committed` consumer of confluent-kafka sees it.
pub fn by_confluent_kafka(topic: &str) -> Vec<Value> {
    values(&run_other(python().args([&script("read_committed.py"), &brokers(), topic])).ok())
}

/// Every value of a topic as Apache's console consumer sees it. It ends when nothing has come for a while, by itself
/// only if it was told of more than there is.
pub fn by_console_consumer(topic: &str, expected: usize) -> Vec<Value> {
    let tool = std::env::var("ZONER_TEST_KAFKA_TOOL").unwrap_or_else(|_| "dev/kafka tool".to_owned());
    let mut words = tool.split_whitespace();
    let mut command = Command::new(words.next().expect("a command"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(words)
        .arg("org.apache.kafka.tools.consumer.ConsoleConsumer")
        .args(["--bootstrap-server", &brokers(), "--topic", topic, "--from-beginning"])
        .args(["--isolation-level", "read_committed", "--timeout-ms", "4000"])
        .args(["--max-messages", &(expected + 1).to_string()]);
    // Its timeout is no failure to us: it is how the end is found.
    let said = run_other(&mut command);
    assert!(said.err.contains("Processed a total of"), "{}", said.err);
    values(&said.out)
}
