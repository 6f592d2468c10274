"""What .ci/infra runs: the state machine of infra/shards.yaml, run with streams and loads that are made up.

Its expressions are JSONata and are evaluated as such; what its tasks call is answered here, as Kinesis and CloudWatch would.

Usage: shards.py. The last line is `shards: N passed, N failed`; exits 1 if any check failed.
"""

import sys

import jsonata

from cloudformation import ROOT, load

LEAST, MOST = 2, 16
ENTERED = "2026-11-20T06:00:00.000Z"

# What -> shards, status, shards that each minute filled (newest first), and the shards that are asked for, if any.
CASES = {
    "an even load": (4, "ACTIVE", [2.0] * 360, None),
    "nothing at all": (4, "ACTIVE", [], 2),
    "a minute that nearly fills it": (4, "ACTIVE", [3.0, 3.3, 3.0] + [2.0] * 357, 8),
    "four fifths are not enough": (4, "ACTIVE", [3.2] * 10, None),
    "a peak that is over": (4, "ACTIVE", [2.0] * 10 + [3.9] + [2.0] * 349, None),
    "a peak that has just begun": (4, "ACTIVE", [9.0], 8),
    "as many as there may be": (16, "ACTIVE", [16.0] * 10, None),
    "the last step is shorter": (12, "ACTIVE", [12.0] * 10, 16),
    "being changed": (4, "UPDATING", [4.0] * 10, None),
    "six quiet hours": (8, "ACTIVE", [1.0] * 360, 4),
    "five quiet hours": (8, "ACTIVE", [1.0] * 300 + [3.0] * 60, None),
    "half of an odd number": (7, "ACTIVE", [1.0] * 360, 4),
    "no fewer than the least": (3, "ACTIVE", [0.1] * 360, 2),
    "already the least": (2, "ACTIVE", [0.1] * 360, None),
}


def evaluate(node, known):
    """A field of a state: a text between {% and %} is an expression."""
    if isinstance(node, dict):
        return {key: evaluate(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [evaluate(value, known) for value in node]
    if not (isinstance(node, str) and node.startswith("{%")):
        return node
    text = node.removeprefix("{%").removesuffix("%}").strip()
    expression = jsonata.Jsonata(text.replace("${LeastShards}", str(LEAST)).replace("${MostShards}", str(MOST)))
    frame = expression.create_frame()
    for name, value in known.items():
        frame.bind(name, value)
    return expression.evaluate({}, frame)


def run(machine, shards, status, filled):
    """The shards that a run asks for, and whether it looked at what it should."""
    asked, known = None, {"states": {"input": {"stream": "readings"}, "context": {"State": {"EnteredTime": ENTERED}}}}
    name = machine["StartAt"]
    for _ in range(10):
        state = machine["States"][name]
        if state["Type"] == "Succeed":
            return asked
        chosen = state
        if state["Type"] == "Choice":
            true = [choice for choice in state["Choices"] if evaluate(choice["Condition"], known) is True]
            chosen = true[0] if true else {"Next": state["Default"]}
        else:
            arguments = evaluate(state["Arguments"], known)
            call = state["Resource"]["Fn::Sub"].rpartition("aws-sdk:")[2]
            if call == "kinesis:describeStreamSummary":
                assert arguments == {"StreamName": "readings"}, arguments
                result = {"StreamDescriptionSummary": {"OpenShardCount": shards, "StreamStatus": status}}
            elif call == "cloudwatch:getMetricData":
                assert (arguments["StartTime"], arguments["EndTime"]) == ("2026-11-20T00:00:00.000Z", ENTERED), arguments
                streams = [query["MetricStat"]["Metric"]["Dimensions"] for query in arguments["MetricDataQueries"] if "MetricStat" in query]
                assert streams == [[{"Name": "StreamName", "Value": "readings"}]] * 2, streams
                result = {"MetricDataResults": [{"Id": "filled", "Values": filled}]}
            else:
                assert call == "kinesis:updateShardCount" and arguments["StreamName"] == "readings", (call, arguments)
                asked, result = arguments["TargetShardCount"], {}
            known["states"] = {**known["states"], "result": result}
        known.update(evaluate(chosen.get("Assign", {}), known))
        if state.get("End"):
            return asked
        name = chosen["Next"]
    raise AssertionError("it does not end")


def main():
    resources = load(ROOT / "infra/shards.yaml")["Resources"]
    machine = resources["Scaler"]["Properties"]["Definition"]
    failed = 0
    for what, (shards, status, filled, expected) in CASES.items():
        asked = run(machine, shards, status, filled)
        # Kinesis refuses more than twice and fewer than half as many.
        if asked != expected or (asked and not shards / 2 <= asked <= 2 * shards):
            failed += 1
            print(f"NOT SO: {what}: of {shards} shards, {asked} are asked for instead of {expected}")
    print(f"shards: {len(CASES) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
