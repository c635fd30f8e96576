"""Our oscillator beside the Python package `circadian` (PyPI), on the same job in the same run. Called by dev/bench peers.

The job: Hannay19 from its published state over 30 days of one light schedule. User CPU time, so that whoever else uses the
machine counts less; the sides alternate. The package works in its own steps of 0.1 h, ours are of half an hour at most; both
end in the same phase, which is checked. The package is timed as it is documented, one person a call, and also with 10,000
people as one numpy array under one light (over 3 days: it keeps every state). Prints JSON lines: one a round, and the medians.
"""

import json
import platform
import resource
import statistics
import subprocess
import sys
from importlib.metadata import version

import numpy
from circadian.models import Hannay19

DAYS = 30
ROUNDS = 7
BATCH = 10_000
BATCH_DAYS = 3
# Enough for a second of work, so that starting a process is nothing.
OUR_USER_DAYS = {"single": 300_000, "plain": 1_000_000, "avx2": 2_000_000, "avx512": 3_000_000}
MOST_HOURS_APART = 0.005


def lux(hour):
    """As in benches/oscillator.rs."""
    hour %= 24
    if 12 <= hour < 13:
        return 5000.0
    if 7 <= hour < 19:
        return 250.0
    return 80.0 if 19 <= hour < 23 else 0.0


def user_seconds(who):
    return resource.getrusage(who).ru_utime


def package(people=None, days=DAYS):
    """User-days per second of user CPU time, and the (first) phase at the end."""
    time = numpy.arange(days * 240 + 1) / 10.0
    # The package takes the light of a step at the step's end.
    light = numpy.array([lux(hour - 0.05) for hour in time])
    model = Hannay19()
    first = model._default_initial_condition
    if people:
        first = numpy.repeat(first[:, None], people, 1)
    start = user_seconds(resource.RUSAGE_SELF)
    trajectory = model(time, initial_condition=first, input=light)
    spent = user_seconds(resource.RUSAGE_SELF) - start
    return (people or 1) * days / spent, float(numpy.ravel(trajectory.states[-1, 1])[0])


def ours(program, path):
    user_days = OUR_USER_DAYS[path]
    start = user_seconds(resource.RUSAGE_CHILDREN)
    said = subprocess.run([program, "job", path, str(user_days)], check=True, capture_output=True, text=True)
    spent = user_seconds(resource.RUSAGE_CHILDREN) - start
    return user_days / spent, float(said.stdout)


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    program = sys.argv[1]
    paths = subprocess.run([program, "paths"], check=True, capture_output=True, text=True).stdout.split()
    package()  # imports, caches
    figures = {"circadian": [], "circadian_batch": [], **{path: [] for path in paths}}
    for number in range(1, ROUNDS + 1):
        figure, expected = package()
        figures["circadian"].append(figure)
        figures["circadian_batch"].append(package(BATCH, BATCH_DAYS)[0])
        for path in paths:
            figure, phase = ours(program, path)
            figures[path].append(figure)
            apart = abs(phase - expected) * 24 / (2 * numpy.pi)
            if apart > MOST_HOURS_APART:
                sys.exit(f"dev/peers.py: {path} ends {apart} h from the package")
        print(json.dumps({"round": number, **{name: round(of[-1], 1) for name, of in figures.items()}}), flush=True)
    median = {name: statistics.median(of) for name, of in figures.items()}
    print(json.dumps({
        "user_days_per_cpu_second": {name: round(value, 1) for name, value in median.items()},
        "times_circadian": {path: round(median[path] / median["circadian"]) for path in paths},
        "times_circadian_batch": {path: round(median[path] / median["circadian_batch"]) for path in paths},
        "versions": {
            "circadian": version("circadian"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
        },
        "machine": f"{processor()}, {platform.system()} {platform.machine()}",
    }))


main()
