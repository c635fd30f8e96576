"""What `dev/chaos` concludes from what a run left behind; knows neither Kafka nor processes.

The invariants are described in dev/chaos and in docs/reliability.md.
"""

import collections
import dataclasses
import json

# How a line begins that is an estimate and not a recommendation.
STATE = b'{"estimate_of"'


def activity_of(value):
    try:
        record = json.loads(value)
        return record.get("activity") if isinstance(record, dict) else None
    except (ValueError, TypeError):
        return None


@dataclasses.dataclass
class Evidence:
    """What a run left behind."""

    sent: collections.Counter  # (role, key, value)
    acknowledged: dict  # the same, to where it was acknowledged and after how long
    trips: set  # keys of households that fly
    inputs: list  # (role, Record) of the input topics
    published: list  # values of `recommendations`
    letters: list  # Records of `zoner.dead_letters`
    states: list  # lines of `zoner state dump`
    replayed: list  # lines of `zoner replay --state`
    replayed_letters: list  # `error` of its dead letters


def faults_in(evidence):
    """Which invariants do not hold, and by what it shows: (name, text)."""
    faults = []

    def check(name, holds, what):
        if not holds:
            faults.append((name, what))

    def same(missing, too_many, found, expected):
        """Two multisets; the names of the invariants that are broken by what one has more of."""
        found, expected = collections.Counter(found), collections.Counter(expected)
        for name, what, more in ((missing, "missing", expected - found), (too_many, "too many", found - expected)):
            check(name, not more, f"{sum(more.values())} {what}, for instance {str(next(iter(more), None))[:400]}")

    is_state = [line.startswith(STATE) for line in evidence.replayed]
    same("ST-1", "ST-1", evidence.states, [line for line, state in zip(evidence.replayed, is_state) if state])
    expected = [line for line, state in zip(evidence.replayed, is_state) if not state]
    ids = collections.Counter(json.loads(value)["recommendation_id"] for value in evidence.published)
    twice = [identity for identity, count in ids.items() if count > 1]
    check("EO-2", not twice, f"{len(twice)} were published twice, for instance {twice[:1]}")
    same("EO-1", "EO-3", set(evidence.published), set(expected))
    check("EO-1", len(expected) > 100, f"only {len(expected)} recommendations: this load proves little")

    received, forwarded, watches, updates = [], [], [], []
    for role, record in evidence.inputs:
        activity = activity_of(record.value)
        origin = dict(record.headers).get("zoner.forwarded")
        if origin is not None:
            forwarded.append(origin.decode())
        elif activity == "watch":
            watches.append(record.value)
        elif activity == "flight_update":
            updates.append(record.value)
        elif activity != "tick":
            received.append((role, record))
    arrived = collections.Counter((role, record.key, record.value) for role, record in received)
    for lost in evidence.sent - arrived:
        check("IN-1", False, f"missing, although acknowledged at {evidence.acknowledged.get(lost)}: {str(lost)[:300]}")
    more = arrived - evidence.sent
    check("IN-1", not more, f"{sum(more.values())} too many, for instance {str(next(iter(more), None))[:300]}")

    # Where a key belongs is known from the records that did not have to be moved, and from where the others were put.
    originals = set(forwarded)
    home = collections.defaultdict(set)
    for role, record in evidence.inputs:
        if f"{role}/{record.partition}/{record.offset}/{record.stamp}" not in originals:
            home[(role, record.key)].add(record.partition)
    split = [key for key, partitions in home.items() if len(partitions) > 1]
    check("FW-1", forwarded, "nothing had to be forwarded: this load proves little")
    check("FW-1", len(forwarded) == len(originals), "a record was forwarded twice")
    check("FW-1", not split, f"records of {split[:3]} lie in two partitions and were not forwarded")

    check("IR-1", len(watches) == len(set(watches)), "a household watches a flight twice")
    check("IR-1", len(updates) == len(set(updates)), "a household was told a flight's news twice")
    watching = {json.loads(watch)["household_id"] for watch in watches}
    check("IR-1", evidence.trips == watching, f"flying {sorted(evidence.trips)}, watching {sorted(watching)}")

    def place(error):
        return tuple(str(error[name]) for name in ("topic", "partition", "offset", "code"))

    letters = [{name.removeprefix("error."): (value or b"").decode() for name, value in letter.headers}
               for letter in evidence.letters]
    check("DL-1", evidence.replayed_letters, "nothing was refused: this load proves little")
    same("DL-1", "DL-1", map(place, letters), map(place, evidence.replayed_letters))
    return faults


def check_the_audit(evidence):
    """Spoils the evidence of a good run in every way that counts: the audit has to see each."""

    def spoiled(**changes):
        return faults_in(dataclasses.replace(evidence, **changes))

    def without_first(predicate):
        index = next(place for place, (_, record) in enumerate(evidence.inputs) if predicate(record))
        return evidence.inputs[:index] + evidence.inputs[index + 1 :]

    def is_forwarded(record):
        return "zoner.forwarded" in dict(record.headers)

    def watches(record, household):
        return activity_of(record.value) == "watch" and json.loads(record.value)["household_id"] == household

    household = min(evidence.trips)
    other = json.loads(evidence.published[0])
    other["recommendation_id"] = "of nothing"
    seen = {
        "EO-1": spoiled(published=evidence.published[1:]),
        "EO-2": spoiled(published=[*evidence.published, evidence.published[0]]),
        "EO-3": spoiled(published=[*evidence.published, json.dumps(other).encode()]),
        "ST-1": spoiled(states=evidence.states[1:]),
        "DL-1": spoiled(letters=evidence.letters[1:]),
        "IN-1": spoiled(inputs=without_first(lambda record: activity_of(record.value) == "meal")),
        "FW-1": spoiled(inputs=without_first(is_forwarded)),
        "IR-1": spoiled(inputs=[(role, record) for role, record in evidence.inputs if not watches(record, household)]),
    }
    blind = [name for name, faults in seen.items() if name not in {fault for fault, _ in faults}]
    if blind:
        raise AssertionError(f"the audit does not see that {', '.join(blind)} is broken")
