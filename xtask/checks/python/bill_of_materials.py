"""Checks a bill of materials against the schema of CycloneDX 1.6.

Usage: bill_of_materials.py FILE
"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
if error is not None:
    # The rest is the schema, for thousands of lines.
    sys.exit(f"{sys.argv[1]}: {str(error.data).splitlines()[0]}")
