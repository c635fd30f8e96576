"""Prints every committed value of a topic, a line each: read_committed.py BROKERS TOPIC"""

import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition

brokers, topic = sys.argv[1:]
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": f"{topic}-read-committed",
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
)
partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
open_partitions = set(partitions)
while open_partitions:
    message = consumer.poll(30)
    if message is None:
        sys.exit(f"nothing more came, and no end of partitions {sorted(open_partitions)}")
    if message.error() is None:
        print(message.value().decode())
    elif message.error().code() == KafkaError._PARTITION_EOF:
        open_partitions.discard(message.partition())
    else:
        sys.exit(str(message.error()))
consumer.close()
