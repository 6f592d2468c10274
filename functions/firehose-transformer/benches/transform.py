"""The programs as a Python function would do them: json, base64, datetime. Driven by transform.rs.

    transform.py PROGRAM ITERATIONS < records.ndjson       prints seconds for so many passes over all records
    transform.py --batch PROGRAM ITERATIONS < event.json   the same for whole events
    transform.py --rows PROGRAM < records.ndjson           prints the rows, to be compared
"""

import base64
import json
import sys
import time
from datetime import datetime, timezone

SAFE = frozenset("-_.")


def partition_value(value):
    if not isinstance(value, str):
        return "unknown"
    text = "".join(letter if letter.isalnum() or letter in SAFE else "_" for letter in value)
    return text.lstrip("_.")[:128] or "unknown"


def utc(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def press_readings(record, about):
    moment = datetime.fromisoformat(record["time"].replace("Z", "+00:00")).astimezone(timezone.utc)
    text = utc(moment)
    measurements = record.get("measurements") or {}
    row_id = f"{record['machine']}@{text}"
    if about.get("sequence_number"):
        row_id = f"{about['shard']}:{about['sequence_number']}:{about['sub_sequence_number']}"
    row = {"id": row_id, "machine": record["machine"], "line": record.get("line"), "time": text, "arrived": about.get("arrived"),
           "product": record.get("product"), "grade": record.get("grade")}
    for name in ("air_temperature", "process_temperature", "rotational_speed", "torque", "tool_wear"):
        row[name] = measurements.get(name)
    for name in ("shard", "sequence_number", "sub_sequence_number"):
        row[name] = about.get(name)
    return row, {"line": partition_value(record.get("line")), "day": text[:10]}


def quality_events(record, about):
    moment = datetime.fromisoformat(record["time"].replace("Z", "+00:00")).astimezone(timezone.utc)
    return record, {"kind": partition_value(record["kind"]), "day": moment.strftime("%Y-%m-%d")}


def game_activity(record, about):
    if record["premium"]:
        return None
    time = record["playing_time"]
    # As the program writes it: 83.0 is 83.
    time = str(int(time)) if time == int(time) else repr(time)
    return {"age": record.get("age"), "location": record.get("location"), "activity": record.get("activity"), "playing_time": time}, {}


def clickstream(record, about):
    agent = (record.get("user_agent") or "").lower()
    if "bot" in agent or "crawler" in agent or "spider" in agent:
        return None
    moment = datetime.fromtimestamp(record["time"] / 1000, timezone.utc)
    path = record["url"].split("?", 1)[0].split("#", 1)[0]
    if "://" in path:
        rest = path.split("://", 1)[1].split("/", 1)
        path = "/" + (rest[1] if len(rest) > 1 else "")
    referrer = record.get("referrer")
    referrer = referrer.split("://", 1)[1].split("/", 1)[0] if isinstance(referrer, str) and "://" in referrer else None
    text = utc(moment)
    row = {"id": record["event_id"], "session": record["session"], "shop": record.get("shop"), "time": text,
           "type": record["type"], "path": path, "referrer": referrer, "campaign": record.get("campaign"),
           "product": record.get("product"), "amount": record.get("amount")}
    return row, {"shop": partition_value(record.get("shop")), "day": text[:10]}


PROGRAMS = {"press-readings": press_readings, "quality-events": quality_events, "game-activity": game_activity, "clickstream": clickstream}


def line(row):
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"


def one(program, payload):
    try:
        kept = program(json.loads(payload), {})
        return None if kept is None else (line(kept[0]), kept[1])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def handler(program, event):
    records = []
    for record in event["records"]:
        answer = {"recordId": record["recordId"], "result": "ProcessingFailed", "data": ""}
        metadata = record.get("kinesisRecordMetadata") or {}
        about = {"arrived": utc(datetime.fromtimestamp(record["approximateArrivalTimestamp"] / 1000, timezone.utc)),
                 "shard": metadata.get("shardId"), "sequence_number": metadata.get("sequenceNumber"),
                 "sub_sequence_number": int(metadata.get("subsequenceNumber") or 0) if metadata else None}
        try:
            kept = program(json.loads(base64.b64decode(record["data"])), about)
            if kept is None:
                answer["result"] = "Dropped"
            else:
                row, keys = kept
                answer["result"] = "Ok"
                answer["data"] = base64.b64encode(line(row).encode()).decode()
                if keys:
                    answer["metadata"] = {"partitionKeys": keys}
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        records.append(answer)
    return {"records": records}


def main():
    arguments = sys.argv[1:]
    mode = arguments.pop(0) if arguments[0].startswith("--") else None
    program = PROGRAMS[arguments[0]]
    body = sys.stdin.buffer.read()
    if mode == "--rows":
        for payload in body.splitlines():
            kept = one(program, payload)
            sys.stdout.write(kept[0] if kept else "\n")
        return
    iterations = int(arguments[1])
    payloads = body.splitlines()
    begin = time.perf_counter()
    for _ in range(iterations):
        if mode == "--batch":
            json.dumps(handler(program, json.loads(body)), separators=(",", ":"))
        else:
            for payload in payloads:
                one(program, payload)
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main()
