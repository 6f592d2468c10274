#!/usr/bin/env python3
"""Writes aggregated records and what AWS's own library (aws-kinesis-agg) makes of them.

    aggregate_fixtures.py crates/kinesis-batch/tests/fixtures

Each case is NAME.b64, the aggregated record as base64, beside NAME.json, the user records that the library reads out
of it. A case that the library takes as one plain record has `"aggregated": false`. With --check it reads base64
lines from standard input instead and prints the library's user records, one JSON list a line.

Explicit hash keys are on all user records of a case or on none: of an aggregate where only some have one, the library
gives the others the table's first key, where the format says that they have none.
"""

import base64
import hashlib
import json
import pathlib
import sys

from aws_kinesis_agg import MAGIC
from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def main():
    if sys.argv[1:] == ["--check"]:
        for line in sys.stdin:
            print(json.dumps(answer(base64.b64decode(line))))
        return
    folder = pathlib.Path(sys.argv[1])
    for name, data in cases():
        (folder / f"{name}.b64").write_text(base64.b64encode(data).decode() + "\n")
        expected = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in answer(data))
        (folder / f"{name}.json").write_text(f"[\n{expected}\n]\n", encoding="utf-8")


def cases():
    yield "one-record", aggregate([("press-07", None, reading("press-07", 0))])
    yield "one-key", aggregate([("press-07", None, reading("press-07", n)) for n in range(12)])
    yield "many-keys", aggregate([(f"press-{n % 9:02}", None, reading(f"press-{n % 9:02}", n)) for n in range(40)])
    yield "explicit-hash-keys", aggregate(
        [(f"press-{n % 5:02}", str((2**128 - 1) // (n % 3 + 1)), reading(f"press-{n % 5:02}", n)) for n in range(15)])
    yield "korean", aggregate(
        [(f"프레스-{n:02}", None, reading(f"프레스-{n:02}", n, line="조립 라인 2")) for n in range(6)])
    yield "five-hundred", aggregate([(f"m{n % 200}", None, f'{{"n":{n}}}'.encode()) for n in range(500)])
    yield "any-bytes", aggregate([("k" * 256, None, bytes(range(256))), ("", None, b""), ("k", None, MAGIC)])
    sound = aggregate([("press-07", None, reading("press-07", 0))])
    yield "wrong-digest", sound[:-1] + bytes([sound[-1] ^ 1])
    yield "truncated-message", sealed(sound[4:-17])
    yield "no-message", sealed(b"")


def reading(machine, n, line="L2"):
    fields = {"machine": machine, "line": line, "time": f"2026-11-20T01:02:{n % 60:02}.456Z",
              "measurements": {"torque": 40 + n / 8}}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def aggregate(records):
    aggregator = RecordAggregator()
    for key, hash_key, data in records:
        assert aggregator.add_user_record(key, data, hash_key) is None, "one aggregate a case"
    return aggregator.clear_and_get().get_contents()[2]


def sealed(message):
    return MAGIC + message + hashlib.md5(message).digest()


def answer(data):
    record = {"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "outer", "sequenceNumber": "1",
                          "data": base64.b64encode(data), "approximateArrivalTimestamp": 0}}
    return [{"partition_key": read["partitionKey"], "explicit_hash_key": read.get("explicitHashKey"),
             "sub_sequence_number": read.get("subSequenceNumber"), "aggregated": read.get("aggregated", False),
             "data": read["data"].decode()}
            for read in (user["kinesis"] for user in deaggregate_records([record]))]


if __name__ == "__main__":
    main()
