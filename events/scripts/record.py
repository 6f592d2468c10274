#!/usr/bin/env python3
"""Records the Kinesis event fixtures from real streams: what is put, comes back as Lambda would hand it over.

Starts nothing itself: give it an endpoint (ministack, say) and the built command-line tool. Credentials and region
come from the environment. Needs what requirements.txt names.

    record.py --endpoint-url http://127.0.0.1:4566 --andon target/debug/andon

Each case has a stream of one shard to itself, so that it comes back as one event. Readings are lines of the recorded
shift (events/readings/), put by `andon produce` or, aggregated, by aggregate.py; `andon record` writes the event.
Quality events are what the plan finds in the readings that were just recorded: `andon plan backtest --json`, with
`source`, `arrived` and the ids that hash them as the stream gives them. Two cases are derived: `duplicate-delivery` holds the
records of `several-machines` twice, `empty` holds none.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import boto3

EVENTS = pathlib.Path(__file__).resolve().parent.parent
PLAN = EVENTS.parent / "infra" / "plans" / "press-line.yaml"
AGGREGATE = [sys.executable, str(EVENTS / "scripts" / "aggregate.py")]
ACCOUNT = "123456789012"

# Case: (file of readings, line numbers from 1, whether aggregated). The lines are chosen for what the plan finds in them.
READINGS = {
    "single": ("shift.ndjson", [213], False),
    "several-machines": ("shift.ndjson", range(641, 661), False),
    "kpl-aggregate": ("shift.ndjson", range(650, 675), True),
    "malformed-in-the-middle": ("shift.ndjson", range(597, 606), False),
    "malformed-of-every-kind": ("shift.ndjson", [601, 1802, 3004, 3607, 4808, 5401], False),
    "korean-names": ("korean.ndjson", range(152, 172), False),
}

# Case: the readings case whose findings it holds; whether aggregated; what else stands in the middle.
QUALITY_EVENTS = {
    "single": ("single", False, None),
    "several-machines": ("several-machines", False, None),
    "kpl-aggregate": ("kpl-aggregate", True, None),
    "malformed-in-the-middle": ("several-machines", False, b'{"id":"5f1c","kind":"violation"'),
    "korean-names": ("korean-names", False, None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", metavar="URL", required=True, help="of Kinesis")
    parser.add_argument("--andon", metavar="FILE", default="target/debug/andon", help="the command-line tool")
    recorder = Recorder(parser.parse_args())
    for case, (file, numbers, aggregated) in READINGS.items():
        lines = (EVENTS / "readings" / file).read_bytes().split(b"\n")
        recorder.record("readings", case, [lines[number - 1] for number in numbers], aggregated)
    derive("readings")
    for case, (readings, aggregated, broken) in QUALITY_EVENTS.items():
        found = recorder.findings(EVENTS / "kinesis" / "readings" / f"{readings}.json")
        if not found:
            sys.exit(f"record.py: the plan finds nothing in {readings}; choose other lines")
        if case == "single":
            found = found[:1]
        if broken:
            found.insert(len(found) // 2, broken)
        recorder.record("quality-events", case, found, aggregated)
    derive("quality-events")


class Recorder:
    def __init__(self, args):
        self.andon, self.endpoint = args.andon, ["--endpoint-url", args.endpoint_url]
        self.kinesis = boto3.client("kinesis", endpoint_url=args.endpoint_url)

    def record(self, stream, case, payloads, aggregated):
        """Puts the payloads on a fresh stream and writes the one event that holds them all."""
        self.kinesis.create_stream(StreamName=stream, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
        try:
            lines = b"".join(payload + b"\n" for payload in payloads)
            if aggregated:
                # Two aggregates and a plain record behind them: all three kinds of neighbours.
                *packed, plain = lines.splitlines(keepends=True)
                half = str(-(-len(packed) // 2))
                run(AGGREGATE + ["--stream", stream, "--max-records", half] + self.endpoint, b"".join(packed))
                lines = plain
            run([self.andon, "produce", "--stream", stream] + self.endpoint, lines)
            with tempfile.TemporaryDirectory() as folder:
                run([self.andon, "record", "--stream", stream, "--out", folder, "--account", ACCOUNT] + self.endpoint)
                (event,) = pathlib.Path(folder).iterdir()
                write(stream, case, event.read_bytes())
        finally:
            self.kinesis.delete_stream(StreamName=stream)
            self.kinesis.get_waiter("stream_not_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})

    def findings(self, event):
        """What the plan finds in a recorded event, with the coordinates of its records, one JSON text each."""
        records = {record["kinesis"]["sequenceNumber"]: record for record in json.loads(event.read_text())["Records"]}
        users = [json.loads(line) for line in run([self.andon, "event", str(event)]).splitlines()]
        lines = b"".join(base64.b64decode(user["data"]) + b"\n" for user in users)
        judged = run([self.andon, "plan", "backtest", "--json", "--plan", str(PLAN), "--readings", "-"], lines)
        episodes, found = {}, []
        for line in judged.splitlines():
            finding = json.loads(line)
            user = users[finding["source"]["line"] - 1]
            record = records[user["sequence_number"]]
            finding["source"] = {
                "stream": record["eventSourceARN"],
                "shard": record["eventID"].split(":")[0],
                "sequence_number": user["sequence_number"],
                "sub_sequence_number": user["sub_sequence_number"],
            }
            seconds = record["kinesis"]["approximateArrivalTimestamp"]
            finding["arrived"] = timestamp(round(seconds * 1000))
            finding["id"], before = event_id(finding), finding["id"]
            episodes[before] = finding["id"]
            finding["episode"] = episodes[finding["episode"]]
            found.append(json.dumps(finding, ensure_ascii=False, separators=(",", ":")).encode())
        return found


def event_id(finding):
    """The id's recipe: each field with its length in front, SHA-256, the first 128 bits."""
    source, digest = finding["source"], hashlib.sha256()
    sub = source["sub_sequence_number"]
    place = [source["stream"], source["shard"], source["sequence_number"], "" if sub is None else str(sub)]
    for field in ["stream", *place, finding["kind"], finding["rule"]]:
        digest.update(len(field.encode()).to_bytes(8, "big") + field.encode())
    return digest.hexdigest()[:32]


def timestamp(ms):
    import datetime

    instant = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def derive(stream):
    """By text: parsed and printed again, arrival times would lose their trailing zeros."""
    opening, closing = b'{"Records":[', b"]}\n"
    event = (EVENTS / "kinesis" / stream / "several-machines.json").read_bytes()
    records = event.removeprefix(opening).removesuffix(closing)
    write(stream, "duplicate-delivery", opening + records + b"," + records + closing)
    write(stream, "empty", opening + closing)


def write(stream, case, event):
    path = EVENTS / "kinesis" / stream / f"{case}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(event)
    print(path)


def run(command, lines=b""):
    return subprocess.run(command, input=lines, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    main()
