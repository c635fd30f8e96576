"""A producer like the first ones: confluent-kafka with its default settings, integer users, seconds since 1970.

first_producer.py BROKERS TOPIC EVENTS
"""

import json
import sys
import time

from confluent_kafka import Producer

USERS = 100
ACTIVITIES = ["sleep", "meal", "light_exposure"]

brokers, topic, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
producer = Producer({"bootstrap.servers": brokers})
failed = []


def delivered(error, _message):
    if error is not None:
        failed.append(error)


for number in range(events):
    user = 100 + number % USERS
    event = {"user_id": user, "activity": ACTIVITIES[number // USERS % 3], "timestamp": time.time()}
    producer.produce(topic, key=str(user), value=json.dumps(event), callback=delivered)
    producer.poll(0)
    time.sleep(0.002)
if producer.flush(30) or failed:
    sys.exit(f"not delivered: {failed}")
