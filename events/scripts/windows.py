#!/usr/bin/env python3
"""Writes events/clickstream/windows.ndjson: what the web servers of a shop counted in ten-second windows, two hours of five
sections, as infra/plans/clickstream.yaml reads them.

The first hour is an ordinary one. Then come the incidents of TROUBLE, lines that are no windows, and windows that were sent
twice. Drawn from a seeded generator, so that two runs write the same bytes. Needs Python alone:

    windows.py
"""

import json
import pathlib
import random
from datetime import datetime, timedelta, timezone

EVENTS = pathlib.Path(__file__).resolve().parent.parent
START = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
WINDOWS = 720
# Of each section: its kind, requests in ten seconds, share of visits, orders per visit, latency in ms (median, p95).
SECTIONS = {
    "home": ("page", 900, 0.5, 0.0, 40, 120),
    "search": ("search", 600, 0.4, 0.0, 90, 280),
    "product": ("page", 1200, 0.4, 0.0, 55, 150),
    "cart": ("page", 300, 0.5, 0.0, 70, 220),
    "checkout": ("transaction", 200, 0.4, 0.25, 110, 380),
}
# Section, first and last window, and what is done to it.
TROUBLE = [
    ("checkout", 400, 405, lambda one: one.update(errors=int(one["requests"] * 0.35))),
    ("search", 430, 470, lambda one: one["latency_ms"].update(median=round(one["latency_ms"]["median"] * 1.3, 1))),
    ("cart", 480, 484, lambda one: one["latency_ms"].update(p95=1250.0)),
    ("product", 500, 535, lambda one: one.update(requests=1200)),
    ("checkout", 560, 580, lambda one: one.update(orders=0)),
    ("home", 600, 600, lambda one: one.update(visits=one["visits"] // 5)),
    ("search", 620, 626, lambda one: one["latency_ms"].pop("p95")),
    ("cart", 650, 659, lambda one: one.clear()),  # a silence
]
NO_WINDOWS = {300: b"<html>502 Bad Gateway</html>", 340: b'{"section":"cart","shop":"eu"}', 610: b""}


def main():
    chance = random.Random(20261120)
    lines = []
    for number in range(WINDOWS):
        for section in SECTIONS:
            one = window(chance, section, number)
            for name, first, last, change in TROUBLE:
                if name == section and first <= number <= last:
                    change(one)
            if one:
                line = json.dumps(one, separators=(",", ":")).encode()
                lines += [line] * (2 if section == "home" and number % 240 == 200 else 1)
        if number in NO_WINDOWS:
            lines.append(NO_WINDOWS[number])
    (EVENTS / "clickstream" / "windows.ndjson").write_bytes(b"\n".join(lines) + b"\n")


def window(chance, section, number):
    kind, load, share, ordering, median, p95 = SECTIONS[section]
    end = START + timedelta(seconds=10 * (number + 1))
    requests = max(1, round(chance.gauss(load, load**0.5)))
    visits = max(1, round(chance.gauss(requests * share, (requests * share) ** 0.5)))
    return {
        "section": section,
        "shop": "eu",
        "window": {"id": f"eu-{section}-{int(end.timestamp()) // 10}", "end": end.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "release": "2026.47.1",
        "kind": kind,
        "requests": requests,
        "errors": sum(chance.random() < 0.004 for _ in range(requests)),
        "visits": visits,
        "orders": sum(chance.random() < ordering for _ in range(visits)) if ordering else 0,
        "latency_ms": {
            "median": round(chance.gauss(median, median * 0.02), 1),
            "p95": round(chance.gauss(p95, p95 * 0.04), 1),
        },
    }


if __name__ == "__main__":
    main()
