"""Writes the template that each set of parameters makes.

    resolve.py TEMPLATE SETS DIRECTORY

TEMPLATE is what SAM makes, in JSON. Conditions are decided, parameters are filled in, and what a
condition leaves out is gone: what CloudFormation would create. It is an error if a set breaks a
parameter's own bounds or a rule, if something that is left out is still referred to, or if a
parameter is at its default in all sets, or a condition never has one of its outcomes.
"""

import json
import pathlib
import re
import sys

ACCOUNT = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "dual-verification",
}
NOTHING = {"Ref": "AWS::NoValue"}


class Set:
    """One set of parameters, and what follows from it."""

    def __init__(self, template, values):
        self.template = template
        defaults = {name: one.get("Default") for name, one in template["Parameters"].items()}
        # A set may be for another account.
        self.values = {**ACCOUNT, **defaults, **values}
        self.conditions = {name: self.decide(c) for name, c in template["Conditions"].items()}

    def decide(self, term):
        """The outcome of a condition."""
        ((function, argument),) = term.items()
        match function:
            case "Condition":
                return self.decide(self.template["Conditions"][argument])
            case "Fn::Not":
                return not self.decide(argument[0])
            case "Fn::And":
                return all(map(self.decide, argument))
            case "Fn::Or":
                return any(map(self.decide, argument))
            case "Fn::Equals":
                one, other = (str(self.fill(value)) for value in argument)
                return one == other
            case "Fn::Contains":
                return self.fill(argument[1]) in argument[0]
        raise SystemExit(f"{function} is not known here")

    def fill(self, value):
        """The value without parameters and conditions. Other functions stay."""
        if isinstance(value, list):
            return [item for item in map(self.fill, value) if item != NOTHING]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            name = value["Ref"]
            return self.values.get(name, value)
        if set(value) == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            return self.fill(yes if self.conditions[condition] else no)
        if set(value) == {"Fn::Sub"}:
            return self.substitute(value["Fn::Sub"])
        filled = {key: self.fill(item) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item != NOTHING}

    def substitute(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = self.fill(own)
        known = {**self.values, **own}

        def one(match):
            value = known.get(match[1])
            return match[0] if value is None or isinstance(value, dict) else str(value)

        text = re.sub(r"\$\{([^!}]+)\}", one, text)
        own = {name: value for name, value in own.items() if f"${{{name}}}" in text}
        if "${" not in text:
            return text
        return {"Fn::Sub": [text, own] if own else text}

    def complaints(self):
        """What CloudFormation would say before it begins."""
        for name, parameter in self.template["Parameters"].items():
            value = self.values[name]
            if value is None:
                yield f"{name} has no value"
                continue
            pattern = parameter.get("AllowedPattern")
            if pattern and not re.fullmatch(pattern, str(value)):
                yield f"{name}={value} does not match"
            if value not in parameter.get("AllowedValues", [value]):
                yield f"{name}={value} is not allowed"
            if parameter["Type"] == "Number":
                low = float(parameter.get("MinValue", value))
                if not low <= float(value) <= float(parameter.get("MaxValue", value)):
                    yield f"{name}={value} is out of bounds"
        for rule in self.template.get("Rules", {}).values():
            if "RuleCondition" not in rule or self.decide(rule["RuleCondition"]):
                for assertion in rule["Assertions"]:
                    if not self.decide(assertion["Assert"]):
                        yield assertion["AssertDescription"]

    def resolved(self):
        """The template that CloudFormation would create."""
        kept = {}
        for part in ("Resources", "Outputs"):
            kept[part] = {
                name: self.fill({key: value for key, value in item.items() if key != "Condition"})
                for name, item in self.template[part].items()
                if self.conditions.get(item.get("Condition"), True)
            }
        same = {key: self.template[key] for key in ("AWSTemplateFormatVersion", "Description")}
        return {**same, "Metadata": {}, **kept}


def references(value):
    """The names that a resolved template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.split(".")[0]
            elif key == "DependsOn":
                yield from [item] if isinstance(item, str) else item
            elif key == "Fn::Sub":
                text, own = item if isinstance(item, list) else (item, {})
                names = re.findall(r"\$\{([^!}]+)\}", text)
                yield from (name.split(".")[0] for name in names if name not in own)
                yield from references(own)
            else:
                yield from references(item)


def main(template, sets, directory):
    template = json.loads(pathlib.Path(template).read_text(encoding="utf-8"))
    sets = json.loads(pathlib.Path(sets).read_text(encoding="utf-8"))
    faults, outcomes = [], set()
    for name, values in sets.items():
        one = Set(template, values)
        outcomes |= {(condition, is_met) for condition, is_met in one.conditions.items()}
        unknown = set(values) - set(template["Parameters"]) - set(ACCOUNT)
        faults += [f"{name}: {unknown} is no parameter"] if unknown else []
        faults += [f"{name}: {complaint}" for complaint in one.complaints()]
        resolved = one.resolved()
        dangling = set(references([resolved["Resources"], resolved["Outputs"]]))
        dangling = {one for one in dangling - set(resolved["Resources"]) if "::" not in one}
        faults += [f"{name}: {one} is referred to, and is not there" for one in dangling]
        text = json.dumps(resolved, indent=1)
        pathlib.Path(directory, f"{name}.json").write_text(text, encoding="utf-8")
    changed = {
        name
        for values in sets.values()
        for name, value in values.items()
        if name not in ACCOUNT and value != template["Parameters"].get(name, {}).get("Default")
    }
    unchanged = set(template["Parameters"]) - changed
    faults += [f"{name} is at its default in all sets" for name in unchanged]
    both = {(name, is_met) for name in template["Conditions"] for is_met in (True, False)}
    faults += [f"{name} is never {is_met}" for name, is_met in both - outcomes]
    for fault in sorted(faults):
        print(fault)
    print(f"parameter sets: {len(sets)}, parameters: {len(changed)}, faults: {len(faults)}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
