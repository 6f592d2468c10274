"""CloudFormation templates as plain data, for the checks beside this file.

A template is read with its short forms spelt out, and rendered: parameters filled with their defaults (or with something
that looks like it), and every condition decided alike. All true and all false together show every branch of every `!If`.
"""

import functools
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATES = sorted([*ROOT.glob("infra/*.yaml"), *ROOT.glob("infra/options/*.yaml")])

_NONE = object()
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "111122223333",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "andon",
}


@functools.cache
def load(path):
    """The template, short forms spelt out."""
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=_Loader)


def render(template, conditions):
    """The template as if every condition were `conditions`: parameters filled, resources left out that have none."""
    root = load(ROOT / "infra/template.yaml")["Parameters"]
    values = {
        name: _value(name, parameter if "Default" in parameter else root.get(name, parameter))
        for name, parameter in template.get("Parameters", {}).items()
    }

    def walk(node):
        if isinstance(node, dict):
            if len(node) == 1:
                (key, argument), = node.items()
                if key == "Ref":
                    return _NONE if argument == "AWS::NoValue" else values.get(argument, PSEUDO.get(argument, node))
                if key == "Fn::If":
                    return walk(argument[1 if conditions else 2])
                if key == "Fn::Sub" and isinstance(argument, str):
                    return _joined(argument, values)
                if key == "Fn::Split" and isinstance(walk(argument[1]), str):
                    return walk(argument[1]).split(argument[0])
            pairs = ((key, walk(value)) for key, value in node.items())
            return {key: value for key, value in pairs if value is not _NONE}
        if isinstance(node, list):
            return [value for value in map(walk, node) if value is not _NONE]
        return node

    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if conditions or "Condition" not in resource
    }
    rendered = {name: walk(resource) for name, resource in kept.items()}
    for resource in rendered.values():
        resource.pop("Condition", None)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": rendered}


def text(node, names):
    """A string with its intrinsic functions filled: `names` gives what `Ref`, `GetAtt` and `${...}` stand for."""
    if isinstance(node, dict) and len(node) == 1:
        (key, argument), = node.items()
        if key == "Ref":
            return names(argument)
        if key == "Fn::GetAtt":
            return names(".".join(argument))
        if key == "Fn::Sub":
            own = {}
            if isinstance(argument, list):
                argument, own = argument
            return _substitute(argument, lambda name: text(own[name], names) if name in own else names(name))
        if key == "Fn::Join":
            return argument[0].join(text(part, names) for part in _list(argument[1], names))
        if key == "Fn::Select":
            return text(_list(argument[1], names)[int(argument[0])], names)
    return str(node)


def _joined(pattern, values):
    """`Fn::Sub` as text where parameters alone stand in it, else as `Fn::Join`."""
    parts = []
    for literal, name in re.findall(r"((?:[^$]|\$(?!\{)|\$\{!)*)(?:\$\{([^}!]+)\})?", pattern):
        parts.append(literal.replace("${!", "${"))
        if name in values:
            parts.append(str(values[name]))
        elif name in PSEUDO:
            parts.append(PSEUDO[name])
        elif name:
            parts.append({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})
    whole = []
    for part in filter(None, parts):
        if whole and isinstance(part, str) and isinstance(whole[-1], str):
            whole[-1] += part
        else:
            whole.append(part)
    return whole[0] if len(whole) == 1 else {"Fn::Join": ["", whole]}


def _list(node, names):
    if isinstance(node, dict) and "Fn::Split" in node:
        separator, whole = node["Fn::Split"]
        return text(whole, names).split(separator)
    return node


def _substitute(pattern, names):
    parts = pattern.split("${")
    out = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        out.append("${" + name[1:] + "}" if name.startswith("!") else names(name))
        out.append(rest)
    return "".join(out)


def _value(name, parameter):
    default = parameter.get("Default")
    if default not in (None, ""):
        return default
    if "AllowedValues" in parameter:
        return parameter["AllowedValues"][0]
    if parameter["Type"] == "Number":
        return parameter.get("MinValue", 1)
    if parameter["Type"].startswith(("CommaDelimitedList", "List<")):
        return [f"{name}-1", f"{name}-2"]
    if name.endswith("Arn"):
        return f"arn:aws:{_service(name)}:eu-central-1:111122223333:{_resource(name)}"
    if "s3://" in parameter.get("AllowedPattern", ""):
        return "s3://bucket/key"
    return name.lower()


def _service(name):
    for part, service in (("Stream", "kinesis"), ("Topic", "sns"), ("Key", "kms"), ("Secret", "secretsmanager"), ("Bucket", "s3"), ("Queue", "sqs")):
        if part in name:
            return service
    return "lambda"


def _resource(name):
    kinds = {"kinesis": f"stream/{name}", "kms": "key/11111111-2222-3333-4444-555555555555", "secretsmanager": f"secret:{name}"}
    return kinds.get(_service(name), name)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; dates stay text."""


def _spelt_out(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _spelt_out)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
