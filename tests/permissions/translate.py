"""Prints the CloudFormation template that SAM makes of template.yaml, in JSON.

With the translator of the pinned SAM CLI: as in AWS, whose transform is the same code.
"""

import json
import logging
import os
import sys

# The translator asks for a region and calls nothing.
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
# It warns of switches of AWS's own that are not set.
logging.disable(logging.CRITICAL)

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """No role of the template has a managed policy."""

    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
for name, resource in template["Resources"].items():
    if resource["Type"] == "AWS::Serverless::Function":
        # As after `sam package`.
        resource["Properties"]["CodeUri"] = f"s3://artifacts/{name}"
json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)
