#!/usr/bin/env python3
"""Packs ndjson lines into Kinesis aggregated records, with AWS's own library (aws-kinesis-agg).

Reads payloads from standard input, one JSON object a line, and packs each line's bytes as one user record. Without
--stream it prints each aggregate as base64, one a line; with --stream it puts each to the stream and prints the
answer as JSON. An aggregate is closed when the next user record would take it over --max-bytes or --max-records.

    aggregate.py --key /machine < readings.ndjson
    aggregate.py --key /machine --stream readings --endpoint-url http://127.0.0.1:4566 < readings.ndjson
"""

import argparse
import base64
import json
import sys

from aws_kinesis_agg.aggregator import RecordAggregator

MAX_BYTES = 1024 * 1024


def main():
    args = arguments()
    put = putter(args) if args.stream else show
    try:
        for aggregate in aggregates(user_records(sys.stdin.buffer, args), args):
            put(*aggregate)
    except BadLine as fault:
        sys.exit(f"aggregate.py: {fault}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", default="/machine", metavar="POINTER",
                        help="JSON pointer, or name, of the partition key (default: /machine)")
    parser.add_argument("--default-key", metavar="KEY",
                        help="partition key of lines that have none or are not JSON (default: such a line is an error)")
    parser.add_argument("--hash-key", metavar="POINTER", help="JSON pointer, or name, of the explicit hash key")
    parser.add_argument("--max-records", type=int, metavar="N", help="user records in one aggregate")
    parser.add_argument("--max-bytes", type=int, default=MAX_BYTES, metavar="N",
                        help="bytes of one aggregate (default and most: 1 MiB)")
    parser.add_argument("--stream", metavar="NAME", help="put the aggregates to this stream")
    parser.add_argument("--endpoint-url", metavar="URL", help="of Kinesis, where it is not AWS")
    parser.add_argument("--region", metavar="NAME", help="of the stream")
    args = parser.parse_args()
    if not 0 < args.max_bytes <= MAX_BYTES:
        parser.error(f"--max-bytes is between 1 and {MAX_BYTES}")
    if args.max_records is not None and args.max_records < 1:
        parser.error("--max-records is at least 1")
    return args


class BadLine(Exception):
    """A line without the key that it needs."""


def user_records(lines, args):
    """(partition key, explicit hash key or None, bytes) of each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        data = line.rstrip(b"\r\n")
        if not data.strip():
            continue
        try:
            payload = json.loads(data)
        except ValueError:
            payload = None
        key = text_at(payload, args.key) or args.default_key
        if not key:
            raise BadLine(f"line {number} has no partition key at {args.key}")
        yield key, text_at(payload, args.hash_key) if args.hash_key else None, data


def text_at(payload, pointer):
    """The value at a JSON pointer (RFC 6901), or of a field by its name, as text; None if there is none."""
    for token in pointer.split("/")[1:] if pointer.startswith("/") else [pointer]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(payload, list) and token.isdigit() and int(token) < len(payload):
            payload = payload[int(token)]
        elif isinstance(payload, dict) and token in payload:
            payload = payload[token]
        else:
            return None
    return payload if isinstance(payload, str) else json.dumps(payload) if isinstance(payload, int) else None


def aggregates(records, args):
    """(partition key, explicit hash key or None, bytes) of each aggregate; its keys are its first user record's."""
    aggregator = RecordAggregator(args.max_bytes)
    for key, hash_key, data in records:
        if args.max_records and aggregator.get_num_user_records() >= args.max_records:
            yield aggregator.clear_and_get().get_contents()
        full = aggregator.add_user_record(key, data, hash_key)
        if full:
            yield full.get_contents()
    rest = aggregator.clear_and_get()
    if rest:
        yield rest.get_contents()


def show(_key, _hash_key, data):
    print(base64.b64encode(data).decode())


def putter(args):
    import boto3

    client = boto3.client("kinesis", endpoint_url=args.endpoint_url, region_name=args.region)

    def put(key, hash_key, data):
        hash_key = {"ExplicitHashKey": hash_key} if hash_key else {}
        answer = client.put_record(StreamName=args.stream, PartitionKey=key, Data=data, **hash_key)
        print(json.dumps({"shard": answer["ShardId"], "sequence_number": answer["SequenceNumber"]}))

    return put


if __name__ == "__main__":
    main()
