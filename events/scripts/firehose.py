#!/usr/bin/env python3
"""Writes what the transformer is tested on: recorded users and clicks (events/game, events/clickstream), and the batches
of events/firehose as Firehose hands them to a function.

Batches from a stream hold the records of events/kinesis or lines of the recorded files; ids and places are counted, so that
two runs write the same bytes. Needs Python alone:

    firehose.py
"""

import base64
import gzip
import io
import json
import pathlib
import random

EVENTS = pathlib.Path(__file__).resolve().parent.parent
REGION, ACCOUNT = "us-east-2", "123456789012"
ARRIVED_MS = 1795136523456  # 2026-11-20T01:02:03.456Z
SHARD = "shardId-000000000000"
SEQUENCE_NUMBER = 49590338271490256608559692538361571095921575989136588898


def main():
    users, clicks = [line(user) for user in game()], [line(click) for click in clickstream()]
    text("game/users.ndjson", users)
    text("clickstream/clicks.ndjson", clicks)

    shift = (EVENTS / "readings" / "shift.ndjson").read_bytes().split(b"\n")
    korean = (EVENTS / "readings" / "korean.ndjson").read_bytes().split(b"\n")
    some = shift[640:652]
    batch("press-readings", "from-a-stream", from_stream(some))
    batch("press-readings", "de-aggregated", from_stream(some[:6], aggregated=True))
    batch("press-readings", "direct-put", direct(some))
    batch("press-readings", "korean-names", from_stream(korean[151:157]))
    batch("press-readings", "compressed", direct([zipped(reading) for reading in some[:3]]))
    batch("press-readings", "cloudwatch-logs", direct([logs(some[:4]), logs(some[4:6] + [b"START RequestId: 5f1c"]), control()]))
    damaged = [shift[number - 1] for number in (601, 1802, 3004, 3607, 4808, 5401)]
    damaged += [b"null", b"[]", b"\xff\xfe", b"[" * 5000, zipped(some[0])[:40], odd(some[0], line="../../etc"), odd(some[0], line="")]
    batch("press-readings", "malformed-of-every-kind", from_stream(damaged + some[:1]))

    for case in ("several-machines", "kpl-aggregate", "korean-names"):
        batch("quality-events", case, from_stream(findings(case), aggregated=case == "kpl-aggregate"))
    batch("quality-events", "malformed-in-the-middle", from_stream(findings("malformed-in-the-middle")))

    batch("game-activity", "from-a-stream", from_stream(users[:24]))
    batch("game-activity", "malformed", from_stream([users[0], b'{"premium":"no","playing_time":7}', b'{"premium":false}', b""]))
    batch("clickstream", "from-a-stream", from_stream(clicks[:24]))
    batch("clickstream", "malformed", from_stream([clicks[0], odd(clicks[1], time="yesterday"), odd(clicks[1], url=None), b"{}"]))


def game():
    """Users of a game, each with one evening of play."""
    chance = random.Random(7)
    for number in range(400):
        yield {
            "user_id": f"u-{number:05}",
            "name": chance.choice(["Kim", "Meyer", "Silva", "Okafor", "Sato"]) + f" {number}",
            "premium": chance.random() < 0.25,
            "age": None if chance.random() < 0.05 else chance.randint(13, 64),
            "location": chance.choice(["Seoul", "Berlin", "São Paulo", "Lagos", "Osaka"]),
            "activity": chance.choice(["raid", "duel", "trade", "build", "explore"]),
            "playing_time": round(chance.expovariate(1 / 95), 1) if chance.random() < 0.3 else chance.randint(1, 600),
            "gold": chance.randint(0, 90000),
        }


def clickstream():
    """Clicks of a web shop's visitors, robots among them."""
    chance = random.Random(11)
    agents = ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone)", "Googlebot/2.1", "Some-Crawler 3"]
    for number in range(600):
        kind = chance.choices(["view", "search", "add_to_cart", "purchase"], [70, 15, 10, 5])[0]
        product = f"p{chance.randint(1, 40)}" if kind != "search" else None
        shop = chance.choice(["eu", "eu", "us"])
        path = f"/product/{product}" if product else "/search"
        yield {
            "event_id": f"c-{number:06}",
            "session": f"s-{chance.randint(1, 90):04}",
            "shop": shop,
            "time": ARRIVED_MS - 600000 + number * 1000 + chance.randint(0, 999),
            "type": kind,
            "url": f"https://{shop}.shop.example{path}?q={chance.choice(['mug', 'jane.doe@example.com', 'lamp'])}#top",
            "referrer": chance.choice([None, "https://news.example/a?b=c", "https://search.example/"]),
            "user_agent": chance.choices(agents, [60, 30, 7, 3])[0],
            "ip": f"203.0.113.{chance.randint(1, 254)}",
            "campaign": chance.choice([None, None, "autumn"]),
            "product": product,
            "amount": round(chance.uniform(5, 200), 2) if kind == "purchase" else None,
        }


def line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def odd(record, **fields):
    return line({**json.loads(record), **fields})


def zipped(data):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write(data)
    return out.getvalue()


def logs(messages, message_type="DATA_MESSAGE"):
    """What CloudWatch Logs puts: "Log group-level subscription filters", Amazon CloudWatch Logs User Guide."""
    events = [
        {"id": str(31953106606966983378809025079804211143289615424298221568 + place), "timestamp": ARRIVED_MS, "message": message.decode()}
        for place, message in enumerate(messages)
    ]
    return zipped(line({
        "owner": ACCOUNT, "logGroup": "/gateways/press-line", "logStream": "gateway-1", "subscriptionFilters": ["lake"],
        "messageType": message_type, "logEvents": events,
    }))


def control():
    return logs([b"CWL CONTROL MESSAGE: Checking health of destination Firehose."], "CONTROL_MESSAGE")


def findings(case):
    """The user records of a Kinesis event with quality events."""
    event = json.loads((EVENTS / "kinesis" / "quality-events" / f"{case}.json").read_text())
    for record in event["Records"]:
        data = base64.b64decode(record["kinesis"]["data"])
        yield from members(data) if data.startswith(b"\xf3\x89\x9a\xc2") else [data]


def members(aggregate):
    """The payloads in an aggregate: field 3 of the message, field 3 of each of those."""
    for number, message in fields(aggregate[4:-16]):
        if number == 3:
            yield from (data for number, data in fields(message) if number == 3)


def fields(message):
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            yield tag >> 3, message[place:place + length]
            place += length
        else:
            yield tag >> 3, varint()


def direct(payloads):
    return [{"recordId": f"{49546986683135544286507457936321625675700192471156785154 + place}", "approximateArrivalTimestamp": ARRIVED_MS + place,
             "data": base64.b64encode(data).decode()} for place, data in enumerate(payloads)]


def from_stream(payloads, aggregated=False):
    """Records of a stream; aggregated ones share their sequence number, and name their place as a number or as text."""
    records = direct(payloads)
    for place, record in enumerate(records):
        sub = place % 3 if aggregated else 0
        record["kinesisRecordMetadata"] = {
            "sequenceNumber": str(SEQUENCE_NUMBER + (place // 3 if aggregated else place)),
            "subsequenceNumber": sub if place % 2 else str(sub),
            "partitionKey": f"key-{place % 4}",
            "shardId": SHARD,
            "approximateArrivalTimestamp": ARRIVED_MS + place,
        }
    return records


def batch(program, case, records):
    event = {
        "invocationId": "5f1c0000-0000-4000-8000-000000000001",
        "deliveryStreamArn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{program}",
        "region": REGION,
        "records": records,
    }
    if any("kinesisRecordMetadata" in record for record in records):
        event["sourceKinesisStreamArn"] = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{program}"
    text(f"firehose/{program}/{case}.json", [json.dumps(event, indent=2).encode()])


def text(name, lines):
    path = EVENTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(one + b"\n" for one in lines))


if __name__ == "__main__":
    main()
