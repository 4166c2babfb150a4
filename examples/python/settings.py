"""What the application is told by its environment. The AWS SDK reads AWS_REGION and credentials."""

import os
import sys


def required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set; see README.md")
    return value


PORT = int(os.environ.get("PORT", "8000"))
REGION = required("AWS_REGION")
# The stack's output ApiUrl.
API_URL = required("API_URL").rstrip("/")
# The output QueueUrl of ../outcome-queue.yaml.
QUEUE_URL = required("QUEUE_URL")
# Where customers reach this application.
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://localhost:{PORT}")
CUSTOMERS_FILE = os.environ.get("CUSTOMERS_FILE", "customers.sqlite")
