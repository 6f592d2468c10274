"""What .ci/queries runs: the named queries of infra/lake.yaml over a lake made of the recorded shift, and that of
infra/delivery.yaml over recorded clicks. Usage: queries.py ANDON [LAKE [CLICKS]]"""

import atexit
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import yaml

PLAN = "infra/plans/press-line.yaml"
READINGS = "events/readings/shift.ndjson"
CLICKS = "events/clickstream/clicks.ndjson"
DAY, DAY_BEFORE = "2026-11-20", "2026-11-19"
UNGRADED = "no-grades"

# Athena's names for what DuckDB calls otherwise. Everything else in the queries means the same to both. Athena's timestamp
# has a zone; the rows' times are all in UTC, so that one without gives the same hours and days.
MACROS = ["CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMP)"]
# Glue's types, as DuckDB writes them.
TYPES = [("array<string>", "VARCHAR[]"), ("map<string,double>", "MAP(VARCHAR, DOUBLE)"), ("string", "VARCHAR")]

passed = failed = 0


def check(name, found, expected):
    global passed, failed
    if found == expected:
        passed += 1
        print(f"ok      {name}")
    else:
        failed += 1
        print(f"NOT SO  {name}\n  expected {str(expected)[:1000]}\n  found    {str(found)[:1000]}")


def andon(*arguments, records=None):
    given = None if records is None else "".join(json.dumps(record) + "\n" for record in records)
    return subprocess.run([sys.argv[1], *arguments], input=given, capture_output=True, text=True, check=True).stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def template(path):
    class Loader(yaml.SafeLoader):
        pass

    def intrinsic(loader, suffix, node):
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_mapping(node, deep=True)

    Loader.add_multi_constructor("!", intrinsic)
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)["Resources"]


def duckdb_type(glue):
    if glue.startswith("struct<"):
        fields = re.findall(r"(\w+):(\w+)", glue)
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(kind)}' for name, kind in fields) + ")"
    return dict(TYPES).get(glue, glue.upper())


def deliver(lake, delivery, findings):
    """Lays the rows out under the delivery stream's prefix; every third row comes twice, as it may."""
    prefix = delivery["Properties"]["ExtendedS3DestinationConfiguration"]["Prefix"]
    if isinstance(prefix, list):  # !If [HasPartitions, this, that]
        prefix = prefix[1]
    objects = defaultdict(list)
    for place, finding in enumerate(findings):
        place_of = re.sub(r"!\{partitionKeyFromLambda:(\w+)\}", lambda key: finding["partition_keys"][key[1]], prefix)
        objects[place_of] += finding["rows"] * (2 if place % 3 == 0 else 1)
    for place, rows in objects.items():
        folder = lake / place
        folder.mkdir(parents=True)
        with gzip.open(folder / "1.json.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def tables(database, lake, resources):
    for resource in resources.values():
        if resource["Type"] != "AWS::Glue::Table":
            continue
        table = resource["Properties"]["TableInput"]
        folder = re.fullmatch(r"s3://\$\{\w+\}/(.+)/", table["StorageDescriptor"]["Location"])[1]
        columns = {one["Name"]: duckdb_type(one["Type"]) for one in table["StorageDescriptor"]["Columns"]}
        partitions = {one["Name"]: duckdb_type(one["Type"]) for one in table["PartitionKeys"]}
        database.execute(
            f"""CREATE VIEW {table["Name"]} AS SELECT * FROM read_json('{lake}/{folder}/**/*.gz',
            format='newline_delimited', columns={columns | partitions}, hive_partitioning=true, hive_types={partitions})"""
        )


def shift_of(time):
    since_early = datetime.fromisoformat(time.replace("Z", "+00:00")) - timedelta(hours=6)
    return since_early.date(), ("early", "late", "night")[since_early.hour // 8]


def predictions(events, readings):
    """What a model might have said: two of five bad readings missed, some good ones flagged, some not scored."""
    template = next(event for event in events if event["kind"] == "violation")
    common = ("severity", "reaction", "plan", "values")
    bad = {event["source"]["line"] for event in events if event["severity"] == "critical" and event["transition"] != "cleared"}
    predicted, expected = [], Counter()
    for place, (line, reading) in enumerate(readings):
        is_bad = line in bad
        flagged = place % 5 < 3 if is_bad else place % 50 == 0
        unscored = None if place % 7 else "model-unavailable"
        predicted.append({**{name: template[name] for name in common}, "id": f"{place:032x}", "kind": "prediction", "machine": reading["machine"],
            "line": reading["line"], "time": reading["time"], "arrived": reading["time"], "model": "press-failures", "flagged": flagged,
            "score": None if unscored else 0.9 if flagged else 0.1, "unscored": unscored, "summary": "",
            "source": {"file": READINGS, "line": line}})
        if not unscored:
            expected[flagged, is_bad] += 1
    return predicted, expected


def found_late(events):
    """Every fourth event once more, as it is found in a reading that was parked and brought back: without a place in an episode."""
    of_an_episode = ("transition", "episode", "ended")
    return [{name: value for name, value in event.items() if name not in of_an_episode} | {"late": True} for event in events[::4]]


def ungraded(made):
    """Some of a line's readings once more, on a line of their own, every third without a grade."""
    found = []
    for place, one in enumerate([one for one in made if one.get("rows")][:90]):
        line = one["rows"][0]["line"]
        rows = [row | {"id": f"ungraded-{place}", "line": UNGRADED} | ({} if place % 3 else {"grade": None}) for row in one["rows"]]
        keys = {name: UNGRADED if key == line else key for name, key in one["partition_keys"].items()}
        found.append({"rows": rows, "partition_keys": keys})
    return found


def queries_of(resources):
    named = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Athena::NamedQuery"]
    return {one["Name"]: one["QueryString"] for one in named}


def main():
    clicks(*sys.argv[3:4])
    resources = template("infra/lake.yaml")
    queries = queries_of(resources)

    fed = READINGS if len(sys.argv) < 3 else as_fed()
    events = lines(andon("plan", "backtest", "--plan", PLAN, "--readings", fed, "--json"))
    told = andon("plan", "backtest", "--plan", PLAN, "--readings", fed)
    made = lines(andon("program", "run", "--json", "press-readings", fed))
    sound = [(one["line"], row) for one in made for row in one.get("rows", [])]
    readings = [row for _, row in sound]
    database = duckdb.connect()
    for macro in MACROS:
        database.execute(macro)

    if len(sys.argv) > 2:
        tables(database, Path(sys.argv[2]), resources)
        as_delivered(database, events, readings)
        answers(database, queries, events, told, readings, asked(database, events))
    else:
        predicted, outcomes = predictions(events, sound)
        with tempfile.TemporaryDirectory() as folder:
            lake = Path(folder)
            deliver(lake, resources["ReadingsDelivery"], [one for one in made if one.get("rows")] + ungraded(made))
            records = found_late(events) + events + predicted
            deliver(lake, resources["QualityEventsDelivery"], lines(andon("program", "run", "--json", "--strict", "quality-events", "-", records=records)))
            tables(database, lake, resources)
            twice = database.execute("SELECT count(*) > count(DISTINCT id) FROM readings").fetchone()[0]
            check("the lake holds rows twice", twice, True)
            counts = {row[0]: row[1] for row in database.execute(queries["capability-by-product"], (UNGRADED, DAY, DAY)).fetchall()}
            check("readings without a grade are a group of their own", (counts["none"], counts["all"]), (30, sum(counts.values()) - counts["all"]))
            answers(database, queries, events, told, readings, ("press-failures", outcomes))
    print(f"queries: {passed} passed, {failed} failed")
    return failed > 0 or passed == 0


def clicks(lake=None):
    """What campaigns sell, counted from the recorded clicks by hand: robots are none."""
    resources = template("infra/delivery.yaml")
    (name, query), = queries_of(resources).items()
    visitors = [click for click in lines(Path(CLICKS).read_text(encoding="utf-8")) if not re.search("bot|crawler|spider", click["user_agent"].lower())]
    with tempfile.TemporaryDirectory() as folder:
        if lake is None:
            made = lines(andon("program", "run", "--json", "clickstream", CLICKS))
            deliver(Path(folder), resources["Delivery"], [one for one in made if one.get("rows")])
        database = duckdb.connect()
        tables(database, Path(lake or folder), resources)
        delivered = database.execute("SELECT count(DISTINCT id) FROM clicks").fetchone()[0]
        check("as many clicks as visitors made", delivered, len(visitors))
        for shop in sorted({click["shop"] for click in visitors}):
            expected = {}
            for campaign in {click["campaign"] for click in visitors if click["shop"] == shop}:
                of_campaign = [click for click in visitors if (click["shop"], click["campaign"]) == (shop, campaign)]
                kinds = Counter(click["type"] for click in of_campaign)
                revenue = sum(click["amount"] for click in of_campaign if click["type"] == "purchase")
                expected[campaign or "none"] = (len({click["session"] for click in of_campaign}), len(of_campaign),
                    kinds["view"], kinds["add_to_cart"], kinds["purchase"], round(revenue, 2))
            found = {row[0]: row[1:] for row in database.execute(query, (shop, DAY, DAY)).fetchall()}
            check(f"{name} in {shop}", found, expected)


def as_fed():
    """What a run is fed with, in a file: the recorded shift, and a shift of presses that wear."""
    wear = andon("simulate", "--scenario", "wear", "--machine-prefix", "worn-", "--line-prefix", "W")
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", delete=False, encoding="utf-8") as file:
        file.write(Path(READINGS).read_text(encoding="utf-8") + wear)
    atexit.register(os.unlink, file.name)
    return file.name


def asked(database, events):
    """What the model said in a run, met with the backtest's events at machine and time."""
    bad = {(event["machine"], event["time"]) for event in events if event["severity"] == "critical" and event["transition"] != "cleared"}
    said = database.execute("SELECT DISTINCT ON (id) machine, time, model, score, flagged FROM quality_events WHERE kind = 'prediction'").fetchall()
    outcomes = Counter((flagged, (machine, time) in bad) for machine, time, _, score, flagged in said if score is not None)
    check("scores from the plan's lowest threshold on are flagged", [row for row in said if row[4] != ((row[3] or 0) >= 0.82)], [])
    (model,) = {row[2] for row in said}
    return model, outcomes


def as_delivered(database, events, readings):
    """A run's lake and the backtest have judged the same readings; ids tell the place on the stream there, the line of the file here."""
    count = lambda table: database.execute(f"SELECT count(DISTINCT id) FROM {table}").fetchone()[0]
    violations = "quality_events WHERE kind = 'violation'"
    check("as many readings as in the file", count("readings"), len(readings))
    check("as many events as in the backtest", count(violations), len(events))
    of_each = lambda rows: Counter(map(tuple, rows))
    names = ("machine", "line", "time", "rule", "transition", "severity", "reaction", "summary")
    found = database.execute(f"SELECT DISTINCT ON (id) {', '.join(names)} FROM {violations}").fetchall()
    check("they are the same events", of_each(found), of_each(tuple(event[name] for name in names) for event in events))
    names = ("machine", "line", "time", "product", "grade", "torque", "tool_wear")
    found = database.execute(f"SELECT DISTINCT ON (id) {', '.join(names)} FROM readings").fetchall()
    check("and the same readings", of_each(found), of_each(tuple(row[name] for name in names) for row in readings))


def answers(database, queries, events, told, readings, predictions):
    unasked = set(queries)

    def ask(name, *parameters, edit=lambda sql: sql):
        unasked.discard(name)
        return database.execute(edit(queries[name]), parameters).fetchall()

    # The backtest's own table: rule, reaction, episodes, readings.
    rules = re.findall(r"^(\S+) +(?:record|notify|stop-line) +(\d+) +(\d+) ", told, re.MULTILINE)
    episodes = {rule: int(count) for rule, count, _ in rules if count != "0"}
    violating = sum(int(count) for _, _, count in rules)

    expected = defaultdict(Counter)
    for event in events:
        slot = expected[*shift_of(event["time"]), event["line"], event["machine"]]
        slot["episodes"] += event["transition"] == "opened"
        slot["readings"] += event["transition"] != "cleared"
        slot["critical"] += event["transition"] == "opened" and event["severity"] == "critical"
    counted = lambda rows: {row[:4]: Counter(episodes=row[4], readings=row[5], critical=row[7]) for row in rows}
    shifts = ask("violations-by-machine-and-shift", DAY_BEFORE, DAY, DAY_BEFORE, DAY)
    check("violations by machine and shift", counted(shifts), dict(expected))
    check("none of them is told as late", sum(row[6] for row in shifts), 0)
    of_day = {slot: count for slot, count in expected.items() if str(slot[0]) == DAY}
    check("of a working day no more and no less", counted(ask("violations-by-machine-and-shift", DAY, DAY, DAY, DAY)), of_day)
    check("their episodes are the backtest's", sum(row[4] for row in shifts), sum(episodes.values()))
    check("their readings are the backtest's", sum(row[5] for row in shifts), violating)

    pareto = ask("pareto-of-rules", DAY, DAY)
    check("the Pareto's episodes are the backtest's", {row[0]: row[1] for row in pareto}, episodes)
    told_pareto = re.findall(r"^(\S+) +(\d+) +([\d.]+) % +([\d.]+) %  #", told, re.MULTILINE)
    check("and its shares", {(row[0], f"{row[2]:.1f}", f"{row[3]:.1f}") for row in pareto if row[1] > 1},
        {(rule, share, sum_) for rule, count, share, sum_ in told_pareto if int(count) > 1})

    names = sorted({row["line"] for row in readings})
    all_lines = lambda sql: sql.replace("IN (?)", f"IN ({', '.join('?' * len(names))})")
    grades = ask("capability-by-product", *names, DAY, DAY, edit=all_lines)
    overall = next(row for row in grades if row[0] == "all")
    told_capability = re.search(r"^torque-specification +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) ", told, re.MULTILINE)
    check("Pp and Ppk are the backtest's", (str(overall[1]), f"{overall[2]:.4f}", f"{overall[3]:.4f}", f"{overall[4]:.2f}", f"{overall[5]:.2f}"), told_capability.groups())
    for line in names:
        for grade, count, mean, sigma, pp, ppk in ask("capability-by-product", line, DAY, DAY):
            torques = [row["torque"] for row in readings if row["line"] == line and grade in (row["grade"], "all") and row["torque"] is not None]
            by_hand = (len(torques), statistics.fmean(torques), statistics.stdev(torques))
            by_hand += ((76.6 - 3.8) / 6 / by_hand[2], min(76.6 - by_hand[1], by_hand[1] - 3.8) / 3 / by_hand[2])
            near = all(abs(one - other) < 1e-9 for one, other in zip((count, mean, sigma, pp, ppk), by_hand))
            check(f"capability of grade {grade} on {line}", near, True)

    opened = [event for event in events if event["reaction"] == "stop-line" and event["transition"] == "opened"]
    cleared = {event["episode"]: event for event in events if event["transition"] == "cleared"}
    stops = ask("line-stops", DAY, DAY)
    by_hand = [(event["time"], event["machine"], cleared[event["id"]]["duration_ms"] / 1000 if event["id"] in cleared else None) for event in opened]
    check("line stops and their length", sorted((row[3], row[1], row[5]) for row in stops), sorted(by_hand))
    check("as many as in the backtest", len(stops), episodes["power-out-of-range"])

    alert = opened[len(opened) // 2]
    moment = datetime.fromisoformat(alert["time"].replace("Z", "+00:00"))
    away = {row["time"]: (datetime.fromisoformat(row["time"].replace("Z", "+00:00")) - moment).total_seconds()
        for row in readings if row["machine"] == alert["machine"]}
    of_alert = [alert[name] for name in ("machine", "time", "rule")]
    (alert_id,), = database.execute("SELECT DISTINCT id FROM quality_events WHERE machine = ? AND time = ? AND rule = ?", of_alert).fetchall()
    around = ask("readings-around-an-alert", DAY, alert_id, alert["line"], DAY_BEFORE, DAY)
    check("readings around an alert", {row[1]: row[0] for row in around}, {time: seconds for time, seconds in away.items() if abs(seconds) <= 300})
    check("the alert's own is among them, once", [row[1] for row in around].count(alert["time"]), 1)

    predicted = ask("predictions-against-violations", DAY, DAY)
    check("every named query is asked", unasked, set())
    of_model, outcomes = predictions
    (model, scored, both, flagged, violating, neither, of_flagged, of_violating), = predicted
    by_hand = (outcomes[True, True], outcomes[True, False], outcomes[False, True], outcomes[False, False])
    check("predictions against violations", (model, scored, both, flagged, violating, neither), (of_model, outcomes.total(), *by_hand))
    check("no outcome goes without an example", all(by_hand), True)
    check("their shares", (of_flagged, of_violating),
        (round(by_hand[0] / (by_hand[0] + by_hand[1]), 3), round(by_hand[0] / (by_hand[0] + by_hand[2]), 3)))


if __name__ == "__main__":
    sys.exit(main())
