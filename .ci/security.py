"""What .ci/infra runs: the templates held against checkov, the Control Tower rules (by guard) and parliament.

A finding is cured, or excepted where it arises: `Metadata: {exceptions: {<check>: <reason>}}` of the resource, and in the table
of exceptions in infra/README.md, which says the same. An exception that excepts nothing fails too.

Usage: security.py GUARD RULES, guard's binary and its folder of rules. The last line is `security: N passed, N failed`; exits 1 if
any check failed.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import parliament

from cloudformation import PSEUDO, ROOT, TEMPLATES, load, render, text

MOST_EXCEPTIONS = 24


def checkov(found):
    """By its own reading of the templates."""
    command = [pathlib.Path(sys.executable).with_name("checkov"), "--skip-download", "--framework", "cloudformation"]
    for path in TEMPLATES:
        command += ["--file", path]
    answer = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)
    report = json.loads(answer.stdout)
    for failed in report["results"]["failed_checks"]:
        resource = failed["resource"].rpartition(".")[2]
        found.add((str(pathlib.Path(failed["file_abs_path"]).relative_to(ROOT)), resource, failed["check_id"], failed["check_name"]))
    if report["results"]["parsing_errors"] or not report["summary"]["passed"]:
        sys.exit(f"checkov read nothing of {report['results']['parsing_errors']}")


def guard(found, binary, rules):
    """Of each template with every condition true, and with every condition false."""
    with tempfile.TemporaryDirectory() as folder:
        for path in TEMPLATES:
            for conditions in (True, False):
                data = pathlib.Path(folder, f"{path.stem}.json")
                data.write_text(json.dumps(render(load(path), conditions)), encoding="utf-8")
                command = [binary, "validate", "--rules", rules, "--data", data]
                command += ["--output-format", "json", "--show-summary", "none", "--structured"]
                answer = subprocess.run(command, capture_output=True, text=True, check=False)
                if answer.returncode not in (0, 19): # 19: rules are violated
                    sys.exit(f"guard: {answer.stderr}")
                for report in json.loads(answer.stdout):
                    for violated in report["not_compliant"]:
                        whole = json.dumps(violated)
                        check, says = re.search(r"\[(CT\.[\w.]+)\]: ([^\\\"]*)", whole).groups()
                        for resource in set(re.findall(r'"/Resources/(\w+)', whole)):
                            found.add((str(path.relative_to(ROOT)), resource, check, says))


# What `Arn` (or `Ref`, for a topic) of a resource looks like.
ARNS = {
    "AWS::KMS::Key": "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    "AWS::Kinesis::Stream": "arn:aws:kinesis:eu-central-1:111122223333:stream/{}",
    "AWS::Kinesis::StreamConsumer": "arn:aws:kinesis:eu-central-1:111122223333:stream/s/consumer/{}:1",
    "AWS::Lambda::Function": "arn:aws:lambda:eu-central-1:111122223333:function:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-central-1:111122223333:log-group:{}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": "arn:aws:sns:eu-central-1:111122223333:{}",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-central-1:111122223333:{}",
    "AWS::SageMaker::Endpoint": "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/{}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:{}",
}


def least_privilege(found):
    """Every statement of every role and policy, by parliament. Returns how many there are."""
    statements = 0
    for path in TEMPLATES:
        resources = render(load(path), True)["Resources"]

        def names(name):
            if name in PSEUDO:
                return PSEUDO[name]
            logical, _, attribute = name.partition(".")
            if attribute.lower().endswith("arn"):
                return ARNS.get(resources[logical]["Type"], "arn:aws:{}").format(logical.lower())
            return logical.lower()

        for logical, resource in resources.items():
            properties = resource.get("Properties", {})
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", []) if isinstance(policy, dict)]
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                documents = [properties["PolicyDocument"]]
            if not resource["Type"].startswith("AWS::IAM::"):
                continue
            for document in documents:
                for statement in document["Statement"]:
                    statements += 1
                    policy = {"Version": document["Version"], "Statement": [_plain(statement, names)]}
                    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
                        says = f"{statement.get('Sid')}: {finding.detail}"
                        found.add((str(path.relative_to(ROOT)), logical, finding.issue, says))
    return statements


def _plain(node, names):
    if isinstance(node, dict):
        if len(node) == 1 and next(iter(node)).startswith(("Ref", "Fn::")):
            return text(node, names)
        return {key: _plain(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, names) for value in node]
    return node


def tabled():
    """The table of exceptions: (resource, check) -> reason."""
    page = (ROOT / "infra/README.md").read_text(encoding="utf-8")
    section = re.search(r"^### Exceptions$(.*?)^##", page, re.M | re.S)
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \|$", section[1] if section else "", re.M)
    return {(resource, check): reason for check, resources, reason in rows for resource in re.findall(r"`([\w./:-]+)`", resources)}


def main():
    found, resources, excepted = set(), 0, {}
    checkov(found)
    guard(found, *sys.argv[1:3])
    statements = least_privilege(found)
    for path in TEMPLATES:
        for logical, resource in load(path)["Resources"].items():
            resources += 1
            for check, reason in resource.get("Metadata", {}).get("exceptions", {}).items():
                excepted[(f"{path.relative_to(ROOT / 'infra')}:{logical}", check)] = reason
    located = collections.defaultdict(set)
    for path, resource, check, says in found:
        located[(f"{path.removeprefix('infra/')}:{resource}", check)].add(says)

    failures = []
    for place, says in sorted(located.items()):
        if place not in excepted:
            failures.append(f"{place[0]}: {place[1]}: {'; '.join(sorted(says))}")
    failures += [f"{place}: {check} is excepted and not found" for place, check in sorted(excepted.keys() - located.keys())]
    table = tabled()
    failures += [f"{place}: {check} is excepted, but infra/README.md does not say so, or not why" for (place, check), reason in sorted(excepted.items()) if table.get((place, check)) != reason]
    failures += [f"infra/README.md excepts {check} of {place}, the template does not" for place, check in sorted(table.keys() - excepted.keys())]
    rows = {(check, reason) for (_, check), reason in excepted.items()}
    if len(rows) > MOST_EXCEPTIONS:
        failures.append(f"{len(rows)} kinds of exceptions; {MOST_EXCEPTIONS} are the most")
    if not statements:
        failures.append("no policy was read")
    stated = f"Before exceptions {len(located)} findings in {resources} resources, {len(located) / resources:.2f} each."
    if stated not in (ROOT / "infra/README.md").read_text(encoding="utf-8"):
        failures.append(f"infra/README.md does not say: {stated}")
    for failure in failures:
        print(f"NOT SO: {failure}")
    by_tool = collections.Counter("checkov" if check.startswith("CKV") else "guard" if check.startswith("CT.") else "parliament" for _, check in located)
    print(f"{len(located)} findings in {resources} resources before exceptions ({len(located) / resources:.2f} each): {dict(by_tool)}; {len(excepted)} excepted for {len(rows)} reasons, {statements} policy statements")
    passed = len(located) + statements - len(failures)
    print(f"security: {max(passed, 0)} passed, {len(failures)} failed")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
