"""The caller as a Python function would do it: json, base64, hashlib, boto3. Driven by the benchmark beside it.

    handler.py ENDPOINT-URL PASSES < event.json     prints a JSON line: the seconds that so many passes take, on the clock and on
                                                    the processor, and the scores of one

The event is handled as Lambda's Python runtime hands it over, as bytes that are JSON. What is published is made whole, as bytes,
and goes nowhere.
"""

import base64
import hashlib
import json
import sys
import time

import boto3
from botocore.config import Config

MODEL, THRESHOLDS, PLAN = "bearing-wear", ((0.98, "critical", "stop-line"), (0.82, "warning", "notify")), "sha256:00"
GRADES = ("L", "M", "H")


def client(url):
    return boto3.client("sagemaker-runtime", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="key",
        aws_secret_access_key="secret", config=Config(retries={"total_max_attempts": 1}))


def features(reading):
    measured = reading["measurements"]
    return {
        "torque": measured["torque"],
        "tool_wear": measured["tool_wear"],
        "load": 2860.0 / (measured["rotational_speed"] * 0.10471975511965977),
        "heat": measured["process_temperature"] - measured["air_temperature"],
    }


def prediction(record, reading, values, score):
    kinesis = record["kinesis"]
    severity, reaction = next(((severity, reaction) for at, severity, reaction in THRESHOLDS if score >= at), ("info", "record"))
    shard, number = record["eventID"].split(":")
    place = f"{record['eventSourceARN']}\n{shard}\n{number}\nprediction\n{MODEL}"
    return {
        "id": hashlib.sha256(place.encode()).hexdigest()[:32], "kind": "prediction", "model": MODEL, "score": score,
        "flagged": reaction != "record", "severity": severity, "reaction": reaction, "machine": reading["machine"], "line": reading["line"],
        "time": reading["time"], "arrived": kinesis["approximateArrivalTimestamp"], "values": values,
        "summary": f"{MODEL}: {reading['machine']} (score {score})", "plan": PLAN, "late": False,
        "source": {"stream": record["eventSourceARN"], "shard": shard, "sequence_number": number, "sub_sequence_number": None},
    }


def handle(runtime, body):
    event = json.loads(body)
    readings = [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]
    asked = [features(reading) for reading in readings]
    rows = [
        ",".join(map(repr, values.values())) + "," + ",".join("1" if reading["grade"] == grade else "0" for grade in GRADES)
        for reading, values in zip(readings, asked)
    ]
    answer = runtime.invoke_endpoint(EndpointName="bench", ContentType="text/csv", Accept="text/csv", Body="\n".join(rows) + "\n")
    lines = answer["Body"].read().decode().splitlines()
    assert len(lines) == len(rows)
    scores = [float(line.split(",")[1]) for line in lines]
    entries = [
        json.dumps(prediction(*of_one)).encode() for of_one in zip(event["Records"], readings, asked, scores)
    ]
    assert len(entries) == len(rows)
    return scores


def main():
    runtime, passes, body = client(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
    scores = handle(runtime, body)
    began, processor = time.perf_counter(), time.process_time()
    for _ in range(passes):
        handle(runtime, body)
    times = {"seconds": time.perf_counter() - began, "processor_seconds": time.process_time() - processor}
    print(json.dumps({**times, "scores": scores}))


if __name__ == "__main__":
    main()
