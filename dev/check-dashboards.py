#!/usr/bin/env python3
"""Fails when a dashboard panel, a recording rule or an alert would show nothing, or not what it says.

    dev/check-dashboards.py --zoner target/release/zoner --kafka HOST:PORT   starts `zoner demo` and checks against it
    dev/check-dashboards.py --target HOST:PORT [--for 30]                    checks against a zoner that runs
    dev/check-dashboards.py --self-test                                      checks this check, in a few seconds

A real Prometheus scrapes the target; then every query of every panel, rule and variable is run against it. Needs the
program `prometheus` (Debian: apt-get install prometheus) and nothing outside Python's own library.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import copy
import http.server
import json
import math
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DASHBOARDS = sorted(ROOT.glob("grafana/dashboards/*.json"))
RULES = sorted(ROOT.glob("prometheus/rules/*.yml"))
RULE_TESTS = sorted(ROOT.glob("prometheus/tests/*.yml"))

# Panels that may be empty while everything is well: "panel title": "why". Counters are exported as 0 from the start,
# so that hardly anything belongs here.
MAY_BE_EMPTY = {}

DATASOURCE_UID = "${datasource}"
METRIC = re.compile(r"(?<![\w:])zoner_[a-z0-9_]+(?![\w:])")
RECORDED = re.compile(r"(?<![\w:])[a-z_]+:zoner_[a-z0-9_]+:[a-z0-9_]+")
# A metric with its label matchers, if it has any. Label values hold no braces here.
SELECTOR = re.compile(METRIC.pattern + r"(?P<matchers>\{[^}]*\})?")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
COUNTER_FUNCTION = re.compile(r"\b(rate|irate|increase|resets|changes)\(\s*$")
RANGE = re.compile(r"\b(rate|irate|increase)\(\s*[\w:]+(?:\{[^}]*\})?\[([^\]]+)\]")
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
SCRAPE_LABELS = {"job", "instance", "le", "__name__"}


# --- reading ----------------------------------------------------------------------------------------------------------


def panels_of(dashboard):
    """All panels, those inside collapsed rows too."""
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def queries_of(dashboard):
    """(panel, expression, legend) of every query."""
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            yield panel, target.get("expr", ""), target.get("legendFormat", "")


def exposed(metrics_text):
    """Metric name -> the label names seen on it. Names without a sample do not count: nothing could be shown."""
    names = collections.defaultdict(set)
    for line in metrics_text.splitlines():
        if line and not line.startswith("#"):
            match = re.match(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s", line)
            if match:
                names[match[1]].update(re.findall(r'(\w+)="', match[2] or ""))
    return names


def filled_in(expression, job, instance, window, whole):
    """The expression as Grafana would send it with these choices."""
    for variable, value in (
        ("__rate_interval", window), ("__range", whole), ("__interval", "1s"), ("job", job), ("instance", instance),
    ):  # fmt: skip
        expression = re.sub(r"\$\{?" + variable + r"\b(:\w+)?\}?", value, expression)
    return expression


def duration(seconds):
    return f"{round(seconds * 1000)}ms"


# --- rules that need no running system --------------------------------------------------------------------------------


def lint_dashboard(dashboard):
    problems = []
    panels = list(panels_of(dashboard))
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    for name, kind in (("datasource", "datasource"), ("job", "query"), ("instance", "query")):
        if variables.get(name, {}).get("type") != kind:
            problems.append(f"there is no template variable '{name}' of type {kind}")
        elif kind == "query" and variables[name].get("refresh") != 2:
            problems.append(f"the variable '{name}' is not refreshed when the time range changes (refresh: 2)")
    for identifier, count in collections.Counter(panel.get("id") for panel in panels).items():
        if count > 1 or identifier is None:
            problems.append(f"{count} panels have the id {identifier}")
    titles = collections.Counter(panel.get("title") for panel in panels)
    problems += [f"{count} panels are called '{title}'" for title, count in titles.items() if title and count > 1]
    if dashboard.get("editable", True):
        problems.append("the dashboard is editable: changes in the browser would be lost")
    for panel in panels:
        name = panel.get("title") or f"panel {panel.get('id')}"
        problems += [f"{name}: {problem}" for problem in lint_panel(panel)]
    problems += overlaps(dashboard.get("panels", []))
    return problems


def lint_panel(panel):
    if not panel.get("title"):
        yield "has no title"
    if panel.get("type") == "row":
        return
    if not panel.get("description"):
        yield "has no description"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "has no unit"
    if not panel.get("targets"):
        yield "has no query"
    for owner in [panel, *panel.get("targets", [])]:
        if owner.get("datasource", {}).get("uid") != DATASOURCE_UID:
            yield f"uses a fixed data source instead of {DATASOURCE_UID}"
    for target in panel.get("targets", []):
        yield from lint_panel_expression(target.get("expr", ""))


def lint_panel_expression(expression):
    for function, window in RANGE.findall(expression):
        allowed = {"$__rate_interval", "$__range"} if function == "increase" else {"$__rate_interval"}
        if window not in allowed:
            yield f"{function}() over [{window}]: use $__rate_interval"
    for match in SELECTOR.finditer(expression):
        for variable in ("job", "instance"):
            if f'{variable}=~"${variable}"' not in (match["matchers"] or ""):
                yield f"{match[0]} is not limited to the chosen {variable} ({variable}=~\"${variable}\")"
    yield from lint_counters(expression)


def lint_counters(expression):
    """A counter's own value says how long the process has run: only its growth means something."""
    for match in METRIC.finditer(expression):
        if match[0].endswith(("_total", *HISTOGRAM_PARTS)) and not COUNTER_FUNCTION.search(expression[: match.start()]):
            yield f"{match[0]} is a counter and stands outside rate() or increase()"


def overlaps(panels):
    for index, one in enumerate(panels):
        a = one["gridPos"]
        if a["x"] < 0 or a["x"] + a["w"] > 24:
            yield f"{one.get('title')}: wider than the grid of 24"
        for other in panels[index + 1 :]:
            b = other["gridPos"]
            if (
                a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
                and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
            ):  # fmt: skip
                yield f"{one.get('title')} and {other.get('title')} overlap"


def lint_rule(rule, docs_required):
    """`rule` as Prometheus itself reports it."""
    yield from lint_counters(rule["query"])
    if rule["type"] != "alerting":
        return
    if rule.get("labels", {}).get("severity") not in ("critical", "warning", "info"):
        yield "its severity is none of critical, warning, info"
    if not rule.get("duration"):
        yield "has no 'for': one odd scrape would page somebody"
    for annotation in ("summary", "description", "runbook_url"):
        if not rule.get("annotations", {}).get(annotation):
            yield f"has no {annotation}"
    if not any(re.search(rf"alertname: {rule['name']}$", test.read_text(), re.M) for test in RULE_TESTS):
        yield "is not tested in prometheus/tests"
    page, _, anchor = rule.get("annotations", {}).get("runbook_url", "").partition("#")
    if not (ROOT / page).is_file():
        if docs_required:
            yield f"its runbook {page} does not exist"
    elif anchor not in (heading.strip("# ").lower() for heading in (ROOT / page).read_text().splitlines() if heading.startswith("#")):
        yield f"{page} has no heading '{anchor}'"


def lint_names(where, expression, names, recorded):
    """Every metric must be exported, every recorded series recorded, every label be on the metric it selects."""
    for series in RECORDED.findall(expression):
        if series not in recorded:
            yield f"{where}: no rule records {series}"
    for match in SELECTOR.finditer(expression):
        metric = METRIC.match(match[0])[0]
        if metric not in names:
            yield f"{where}: {metric} is not exported"
            continue
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", match["matchers"] or ""):
            if label not in names[metric] | SCRAPE_LABELS:
                yield f"{where}: {metric} has no label {label}"
    used = [METRIC.match(match[0])[0] for match in SELECTOR.finditer(expression)]
    labels = SCRAPE_LABELS.union(*(names[metric] for metric in used if metric in names))
    for group in GROUPING.findall(expression):
        for label in filter(None, (part.strip() for part in group.split(","))):
            if used and label not in labels:
                yield f"{where}: groups by {label}, which none of its metrics has"


# --- a real Prometheus ------------------------------------------------------------------------------------------------


class Prometheus:
    """Scrapes one target on a free port with its data in a temporary directory; ended by its own process."""

    def __init__(self, target, scrape_seconds):
        self.target, self.scrape_seconds = target, scrape_seconds

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="zoner-prometheus-"))
        config = {
            "global": {"scrape_interval": duration(self.scrape_seconds), "evaluation_interval": duration(self.scrape_seconds)},
            "rule_files": [str(path) for path in RULES],
            "scrape_configs": [{"job_name": "zoner", "static_configs": [{"targets": [self.target]}]}],
        }
        (self.directory / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        try:
            for _ in range(3):  # somebody may take the free port first
                if self._start():
                    return self
            raise SystemExit(f"Prometheus does not start:\n{(self.directory / 'log').read_text()[-2000:]}")
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.directory}/prometheus.yml", f"--storage.tsdb.path={self.directory}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=(self.directory / "log").open("w"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=2)
                return True
            time.sleep(0.05)
        self.process.kill()
        return False

    def __exit__(self, *_):
        end(getattr(self, "process", None), 5)
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, path, **parameters):
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", "no reason given")) from None

    def range(self, expression, start, until):
        """Series with at least one finite value, as dictionaries of labels."""
        step = max(self.scrape_seconds, (until - start) / 5000)
        answer = self.ask("/api/v1/query_range", query=expression, start=start, end=until, step=step)
        return [
            series["metric"] for series in answer["result"]
            if any(math.isfinite(float(value)) for _, value in series["values"])
        ]  # fmt: skip

    def wait_for_first_scrape(self):
        """Prometheus looks at its targets only some 5 s after its start."""
        deadline = time.monotonic() + 30
        while not self.ask("/api/v1/query", query="up == 1")["result"]:
            if time.monotonic() > deadline:
                errors = [target["lastError"] for target in self.ask("/api/v1/targets")["activeTargets"]]
                raise SystemExit(f"Prometheus got no metrics from {self.target} within 30 s: {errors}")
            time.sleep(0.1)

    def rules(self):
        return [rule for group in self.ask("/api/v1/rules")["groups"] for rule in group["rules"]]


def end(process, grace_seconds):
    """TERM, then KILL. True if the first was enough."""
    if process is None or process.poll() is not None:
        return True
    process.terminate()
    try:
        process.wait(grace_seconds)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


# --- the check --------------------------------------------------------------------------------------------------------


def check(target, seconds, scrape_seconds=1.0, dashboards=None, docs_required=True):
    """Scrapes `target` (HOST:PORT) for a while and returns (problems, number of expressions run)."""
    dashboards = dashboards or {path.name: json.loads(path.read_text()) for path in DASHBOARDS}
    problems, checked = [], 0
    with Prometheus(target, scrape_seconds) as prometheus:
        prometheus.wait_for_first_scrape()
        started = time.time()
        time.sleep(seconds)
        until = time.time()
        with urllib.request.urlopen(f"http://{target}/metrics", timeout=10) as answer:
            names = exposed(answer.read().decode())
        rules = prometheus.rules()
        recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
        window, whole = duration(max(4 * scrape_seconds, 1)), duration(seconds)

        def run(where, expression, may_be_empty=False):
            nonlocal checked
            checked += 1
            problems.extend(lint_names(where, expression, names, recorded))
            try:
                found = prometheus.range(filled_in(expression, ".+", ".+", window, whole), started, until)
            except ValueError as error:
                problems.append(f"{where}: {error}: {expression}")
                return []
            if not found and not may_be_empty:
                problems.append(f"{where}: no data: {expression}")
            return found

        for file, dashboard in dashboards.items():
            problems += [f"{file}: {problem}" for problem in lint_dashboard(dashboard)]
            for variable in dashboard["templating"]["list"]:
                if variable["type"] == "query":
                    selector, label = re.fullmatch(r"label_values\((.+), *(\w+)\)", variable["definition"]).groups()
                    if not any(label in labels for labels in run(f"{file}: variable '{variable['name']}'", selector)):
                        problems.append(f"{file}: variable '{variable['name']}' has nothing to choose from")
            for panel, expression, legend in queries_of(dashboard):
                where = f"{file}: panel '{panel.get('title')}'"
                for labels in run(where, expression, panel.get("title") in MAY_BE_EMPTY)[:1]:
                    for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
                        if label not in labels:
                            problems.append(f"{where}: its legend names {label}, which the series do not have")
        for rule in rules:
            kind = "alert" if rule["type"] == "alerting" else "recorded series"
            where = f"{kind} {rule['name']}"
            problems += [f"{where}: {problem}" for problem in lint_rule(rule, docs_required)]
            if rule.get("lastError"):
                problems.append(f"{where}: {rule['lastError']}")
            run(where, rule["query"], may_be_empty=kind == "alert")
    return problems, checked


@contextlib.contextmanager
def demo(zoner, brokers, seconds):
    """Runs `zoner demo` against a real Kafka and yields the HOST:PORT of its metrics."""
    command = [zoner, "demo", "--brokers", brokers, "--duration", f"{seconds}s", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)  # fmt: skip
    lines, found = collections.deque(maxlen=30), threading.Event()
    address = []

    def read():
        for line in process.stdout:
            lines.append(line)
            match = re.search(r"http://([^/\s]+)/metrics", line)
            if match and not address:
                address.append(match[1])
                found.set()
        found.set()

    threading.Thread(target=read, daemon=True).start()
    try:
        found.wait(30)
        if not address:
            raise SystemExit(f"{' '.join(command)}\nnames no http://…/metrics within 30 s; it said last:\n{''.join(lines)}")
        yield address[0]
        if process.poll() is not None:
            raise SystemExit(f"zoner ended by itself (exit code {process.returncode}); it said last:\n{''.join(lines)}")
    finally:
        if not end(process, 15):
            print("zoner did not end within 15 s of SIGTERM and was killed", file=sys.stderr)


# --- the check's own test ---------------------------------------------------------------------------------------------

HISTOGRAMS = ("event_to_recommendation_seconds", "batch_seconds", "commit_seconds", "clock_interval_hours",
              "clock_innovation_squared")  # fmt: skip
COUNTERS = {
    'events_total{topic="user_activity",activity="sleep"}': 500, 'events_total{topic="user_activity",activity="tick"}': 3,
    'dead_letters_total{code="not_json"}': 0, "late_events_total": 0, 'recommendations_total{reason="nap_missed"}': 2,
    'recommendations_held_total{why="small_change"}': 1, 'transactions_total{outcome="committed"}': 5,
    'transactions_total{outcome="aborted"}': 0, 'transactions_total{outcome="regrouped"}': 0, "rebalances_total": 0,
    "fenced_total": 0,
    'checkpoint_records_total{kind="state"}': 20, 'checkpoint_records_total{kind="tombstone"}': 0,
    'ticks_total{topic="user_activity"}': 1, 'forwarded_total{topic="user_activity"}': 0,
    'knocks_total{topic="user_activity"}': 0,
}  # fmt: skip
GAUGES = {
    'consumer_lag_records{topic="user_activity",partition="0"}': 7, 'stream_time_lag_seconds{topic="user_activity",partition="0"}': 1.5,
    'partitions{topic="user_activity"}': 1, 'partitions_owned{topic="user_activity",worker="0"}': 1,
    "travellers": 4, "travelling": 1, "state_bytes": 4000, "restore_remaining_records": 0,
    "restore_remaining_states": 0, "checkpoint_age_seconds": 12, "checkpoint_backlog_states": 30,
    'build_info{version="0.1.0"}': 1, 'tzdb_info{version="2026a"}': 1,
}  # fmt: skip


def plausible_metrics(elapsed, without="", silent=""):
    """What a healthy zoner exports; `without` leaves a metric out, `silent` leaves a histogram without observations."""
    lines = [f"zoner_{name} {rate * elapsed}" for name, rate in COUNTERS.items()]
    lines += [f"zoner_{name} {value}" for name, value in GAUGES.items()]
    for name in HISTOGRAMS:
        count = 0 if name == silent else round(50 * elapsed)
        lines += [f'zoner_{name}_bucket{{le="{bound}"}} {count}' for bound in ("0.01", "0.1", "1", "4", "9", "+Inf")]
        lines += [f"zoner_{name}_sum {count * 0.005}", f"zoner_{name}_count {count}"]
    return "\n".join(line for line in lines if not without or not line.startswith(f"zoner_{without}")) + "\n"


@contextlib.contextmanager
def exporter(**changes):
    started = time.monotonic()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = plausible_metrics(time.monotonic() - started, **changes).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def self_test():
    """Good data passes; each fault, one at a time, is found and named."""
    good = json.loads(DASHBOARDS[0].read_text())
    wrong = []

    def expect(what, problems, *needles):
        if not needles and problems:
            wrong.append(f"{what}: expected nothing, got {problems}")
        for needle in needles:
            if not any(needle in problem for problem in problems):
                wrong.append(f"{what}: expected '{needle}', got {problems}")

    def live(what, needles, dashboard=good, **changes):
        with exporter(**changes) as target:
            expect(what, check(target, 2.5, 0.25, {"zoner.json": dashboard}, docs_required=False)[0], *needles)

    misnamed = changed(good, lambda panel: panel["targets"][0].update(legendFormat="{{planet}}"))
    no_ticks = ["zoner_ticks_total is not exported", "panel 'Ticks': no data"]
    no_commits = ["panel 'Commit time': no data", "recorded series job:zoner_commit_seconds:p99_5m: no data"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        cases = [
            pool.submit(live, "good data", []),
            pool.submit(live, "a metric is missing", no_ticks, without="ticks_total"),
            pool.submit(live, "a histogram without observations", no_commits, silent="commit_seconds"),
            pool.submit(live, "a legend with a wrong label", ["its legend names planet"], dashboard=misnamed),
        ]
    for case in cases:
        case.result()

    def replaced(before, after):
        return lambda panel: panel["targets"][0].update(expr=panel["targets"][0]["expr"].replace(before, after))

    for what, change, needle in (
        ("title", lambda panel: panel.pop("title"), "has no title"),
        ("description", lambda panel: panel.pop("description"), "has no description"),
        ("unit", lambda panel: panel["fieldConfig"]["defaults"].pop("unit"), "has no unit"),
        ("query", lambda panel: panel["targets"].clear(), "has no query"),
        ("data source", lambda panel: panel["targets"][0].update(datasource={"uid": "abc"}), "fixed data source"),
        ("id", lambda panel: panel.update(id=2), "panels have the id 2"),
        ("position", lambda panel: panel["gridPos"].update(x=2), "overlap"),
        ("rate interval", replaced("$__rate_interval", "5m"), "use $__rate_interval"),
        ("job", replaced('job=~"$job", ', ""), "not limited to the chosen job"),
        ("instance", replaced(', instance=~"$instance"', ""), "not limited to the chosen instance"),
        ("counter", replaced("rate(", "("), "is a counter"),
    ):
        expect(what, lint_dashboard(changed(good, change)), needle)
    names = exposed(plausible_metrics(1))
    for expression, needle in (
        ('zoner_travellers{planet="x"}', "has no label planet"),
        ("sum by (planet) (zoner_travellers)", "groups by planet"),
        ("job:zoner_nothing:rate5m", "no rule records"),
    ):
        expect(expression, list(lint_names("here", expression, names, set())), needle)
    return wrong


def changed(dashboard, change):
    """A copy of the dashboard with `change` made to its first panel."""
    other = copy.deepcopy(dashboard)
    change(other["panels"][0])
    return other


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--zoner", help="the program; needs --kafka")
    what.add_argument("--target", metavar="HOST:PORT", help="where a running zoner serves /metrics")
    what.add_argument("--self-test", action="store_true")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="a real Kafka for the demo")
    parser.add_argument("--for", dest="seconds", type=float, default=30, help="how long to scrape (default 30 s)")
    arguments = parser.parse_args()
    if arguments.zoner and not arguments.kafka:
        parser.error("--zoner needs --kafka HOST:PORT")
    if not shutil.which("prometheus"):
        raise SystemExit("prometheus is missing; on Debian: apt-get install prometheus")

    # What was started is ended on SIGTERM too, not only on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.self_test:
        problems, summary = self_test(), "the check finds what it must find"
    elif arguments.zoner:
        with demo(arguments.zoner, arguments.kafka, round(arguments.seconds + 30)) as target:
            problems, checked = check(target, arguments.seconds)
        summary = f"{checked} queries of dashboards and rules have data"
    else:
        problems, checked = check(arguments.target, arguments.seconds)
        summary = f"{checked} queries of dashboards and rules have data"
    for problem in problems:
        print(f"FAILED {problem}")
    if problems:
        raise SystemExit(1)
    print(f"ok: {summary}")


if __name__ == "__main__":
    main()
