"""What .ci/infra runs: alarms and dashboard held against the code, against what AWS's services report, and against the runbooks.

- A metric of the functions that an alarm or the dashboard names is one that this function counts, under these dimensions; and
  what a function counts is on one of them.
- A metric of AWS is watched under the dimensions that it is reported under: with others nothing would ever arrive.
- Every alarm tells somebody, says what missing data means, and names a section of infra/README.md that exists.

Usage: observability.py. The last line is `observability: N passed, N failed`; exits 1 if any check failed.
"""

import json
import re
import sys

from cloudformation import ROOT, TEMPLATES, load, render, text

NAMESPACE = "Andon"

# Dimensions under which AWS reports what is used here.
REPORTED = {
    "AWS/Lambda": {
        **dict.fromkeys(["IteratorAge", "Errors", "Throttles", "Duration", "DestinationDeliveryFailures"], {"FunctionName"}),
        **dict.fromkeys(["OnFailureDestinationDeliveredEventCount", "DroppedEventCount"], {"EventSourceMappingUUID"}),
    },
    "AWS/Kinesis": {
        **dict.fromkeys(
            ["IncomingRecords", "IncomingBytes", "WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded"],
            {"StreamName"},
        ),
        "SubscribeToShardEvent.MillisBehindLatest": {"StreamName", "ConsumerName"},
    },
    "AWS/DynamoDB": dict.fromkeys(["WriteThrottleEvents", "ConsumedWriteCapacityUnits"], {"TableName"}),
    # An index is reported apart from its table.
    "AWS/DynamoDB index": {"WriteThrottleEvents": {"TableName", "GlobalSecondaryIndexName"}},
    "AWS/SNS": {"NumberOfNotificationsFailed": {"TopicName"}},
    "AWS/SQS": dict.fromkeys(
        [
            "ApproximateNumberOfMessagesVisible",
            "ApproximateAgeOfOldestMessage",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesReceived",
            "NumberOfEmptyReceives",
        ],
        {"QueueName"},
    ),
    "AWS/Firehose": dict.fromkeys(
        [
            "DeliveryToHttpEndpoint.DataFreshness",
            "DeliveryToS3.DataFreshness",
            "DeliveryToS3.Success",
            "DeliveryToS3.Records",
            "ExecuteProcessing.Success",
            "FailedConversion.Records",
            "PartitionCountExceeded",
            "DataReadFromKinesisStream.Bytes",
            "ThrottledGetRecords",
            "KinesisMillisBehindLatest",
        ],
        {"DeliveryStreamName"},
    ),
    "AWS/SageMaker": dict.fromkeys(
        ["Invocations", "ModelLatency", "OverheadLatency", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors"],
        {"EndpointName", "VariantName"},
    ),
    "/aws/sagemaker/Endpoints": {"CPUUtilization": {"EndpointName", "VariantName"}},
    "AWS/Logs": {"IncomingBytes": {"LogGroupName"}},
    "AWS/ApiGateway": dict.fromkeys(["5XXError", "4XXError", "Count", "Latency", "IntegrationLatency"], {"ApiName", "Stage"}),
    "AWS/States": dict.fromkeys(["ExecutionsFailed", "ExecutionsTimedOut"], {"StateMachineArn"}),
}

failures = []
passed = 0


def check(what, holds):
    global passed
    if holds:
        passed += 1
    else:
        failures.append(what)


def counted():
    """Of each function what it counts: name -> dimensions beside `function`."""
    declared = {}
    declaration = re.compile(r'^pub(?:\(crate\))? const (\w+): Metric\s*=\s*Metric::\w+\(\s*"(\w+)",\s*&\[([^\]]*)\]', re.M)
    for source in ROOT.glob("crates/*/src/**/*.rs"):
        declared.update(_declarations(declaration, source))
    functions = {}
    for source in ROOT.glob("functions/*/src/metric.rs"):
        own = declared | _declarations(declaration, source)
        names = re.search(r"METRICS: &\[Metric\] = &\[(.*?)\];", source.read_text(encoding="utf-8"), re.S)[1]
        functions[source.parts[-3]] = dict(own[name] for name in re.findall(r"\w+", names))
    return functions


def _declarations(declaration, source):
    found = declaration.findall(source.read_text(encoding="utf-8"))
    return {constant: (name, set(re.findall(r"\w+", dimensions))) for constant, name, dimensions in found}


def stand_in(name):
    return f"<{name}>"


def packages(templates):
    """What stands for a function in a template (its resource, its name, the output that gives its name) -> its package."""
    found = {}
    for template in templates.values():
        for logical, resource in template["Resources"].items():
            code = re.fullmatch(r"\.\./(?:\.\./)?target/lambda/([\w-]+)/bootstrap\.zip", str(resource.get("Properties", {}).get("Code")))
            if code:
                found[stand_in(logical)] = code[1]
                found[text(resource["Properties"].get("FunctionName", logical), stand_in)] = code[1]
        for output, value in template.get("Outputs", {}).items():
            named = text(value["Value"], stand_in)
            if named in found:
                found[stand_in(output)] = found[named]
    return found


def watched(where, namespace, name, dimensions, functions, package_of, seen):
    """Holds one metric, `dimensions` name -> value, against who reports it."""
    if namespace != NAMESPACE:
        apart = f"{namespace} index" if "GlobalSecondaryIndexName" in dimensions else namespace
        check(f"{where}: {namespace} reports {name} by {sorted(dimensions)}", REPORTED.get(apart, {}).get(name) == set(dimensions))
        return
    package = package_of.get(dimensions.get("function", ""))
    metrics = functions.get(package, {})
    own = set(dimensions) - {"function"}
    check(f"{where}: {package or dimensions.get('function')} counts {name} by {sorted(own) or 'itself'}", name in metrics and (not own or own == metrics[name]))
    seen.add((package, name))


def dashboard_metrics(body):
    """(title, namespace, name, dimensions) of every metric of a dashboard, `...` and searches spelt out."""
    for widget in json.loads(body)["widgets"]:
        title = widget["properties"].get("title")
        before = []
        for row in widget["properties"].get("metrics", []):
            if isinstance(row[0], dict):
                search = re.fullmatch(r"SEARCH\('\{([^}]*)\} MetricName=\"([^\"]+)\"(.*)', '\w+', \d+\)", row[0]["expression"])
                if not search:
                    yield title, "?", row[0]["expression"], {}
                    continue
                namespace, *names = search[1].split(",")
                given = dict(re.findall(r'(\w+)="([^"]*)"', search[3]))
                yield title, namespace, search[2], {name: given.get(name, "") for name in names}
                continue
            words = [word for word in row if isinstance(word, str)]
            if words[0] == "...":
                words = before[: len(before) - len(words) + 1] + words[1:]
            before = words
            yield title, words[0], words[1], dict(zip(words[2::2], words[3::2]))


def sections():
    """The anchors of infra/README.md, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "infra/README.md").read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main():
    templates = {path.relative_to(ROOT): load(path) for path in TEMPLATES}
    functions, package_of, anchors, seen = counted(), packages(templates), sections(), set()
    runbooks = set()
    for path, template in templates.items():
        for silent in (True, False):
            resources = render(template, not silent)["Resources"]
            for logical, resource in resources.items():
                if resource["Type"] == "AWS::CloudWatch::Alarm":
                    check(f"{path}: {logical} tells somebody, whatever the conditions", resource["Properties"].get("AlarmActions"))
        for logical, resource in template["Resources"].items():
            where, properties = f"{path}: {logical}", resource.get("Properties", {})
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                # One metric, or an expression over several.
                within = [it["MetricStat"]["Metric"] for it in properties.get("Metrics", []) if "MetricStat" in it]
                for metric in within or [properties]:
                    dimensions = {one["Name"]: text(one["Value"], stand_in) for one in metric.get("Dimensions", [])}
                    watched(where, metric["Namespace"], metric["MetricName"], dimensions, functions, package_of, seen)
                check(f"{where} says what missing data means", "TreatMissingData" in properties)
                _, _, anchor = text(properties.get("AlarmDescription", ""), stand_in).partition("<RunbookUrl>#")
                check(f"{where} leads to a section of infra/README.md ({anchor or 'none'})", anchor in anchors)
                runbooks.add(anchor)
            elif resource["Type"] == "AWS::CloudWatch::Dashboard":
                for title, *metric in dashboard_metrics(text(properties["DashboardBody"], stand_in)):
                    watched(f"{where}: {title}", *metric, functions, package_of, seen)
    for function, metrics in functions.items():
        for name in metrics:
            check(f"{name} of {function} is in an alarm or on the dashboard", (function, name) in seen)
    alarms_of_durations(templates)
    for failure in failures:
        print(f"NOT SO: {failure}")
    print(f"observability: {passed} passed, {len(failures)} failed")
    return bool(failures) or passed == 0


def alarms_of_durations(templates):
    """The alarm on a duration is set to four fifths of the function's time-out, which CloudFormation cannot compute."""
    functions = {}
    for template in templates.values():
        for logical, resource in template["Resources"].items():
            timeout = resource.get("Properties", {}).get("Timeout")
            if resource["Type"] == "AWS::Lambda::Function" and timeout is not None:
                functions[logical] = template["Parameters"][timeout["Ref"]]["Default"] if isinstance(timeout, dict) else timeout
        for output, value in template.get("Outputs", {}).items():
            if isinstance(value["Value"], dict) and value["Value"].get("Ref") in functions:
                functions[output] = functions[value["Value"]["Ref"]]
    for path, template in templates.items():
        for logical, resource in template["Resources"].items():
            given = resource.get("Properties", {}).get("Parameters", {})
            if "DurationAlarmMilliseconds" in given:
                seconds = functions[given["FunctionName"]["Ref"]]
                check(f"{path}: {logical}: the duration alarms at four fifths of {seconds} s", int(given["DurationAlarmMilliseconds"]) == 800 * int(seconds))


if __name__ == "__main__":
    sys.exit(main())
