"""Stands in front of the API as Lambda does: a request that is not signed well gets 403.

The emulator takes any signature. Here botocore, AWS's own signer, signs each request once more and
compares. Key and secret are "test".

Usage: proxy.py API_URL REGION. Prints its own address.
"""

import re
import sys
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

API_URL, REGION = sys.argv[1].rstrip("/"), sys.argv[2]
AUTHORIZATION = re.compile(
    rf"AWS4-HMAC-SHA256 Credential=test/\d{{8}}/{REGION}/lambda/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
# Source: "Create a signed AWS API request", IAM User Guide.
LONGEST_DIFFERENCE = timedelta(minutes=5)

api = urllib3.PoolManager(maxsize=10, retries=False)


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.is_signed(body):
            return self.answer(403, {"Content-Type": "application/json"}, b'{"Message":null}')
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = api.request("POST", API_URL + self.path, body=body, headers=headers)
        self.answer(answer.status, answer.headers, answer.data)

    def is_signed(self, body):
        given = AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        timestamp = self.headers.get("X-Amz-Date", "")
        if given is None or not re.fullmatch(r"\d{8}T\d{6}Z", timestamp):
            return False
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        names = given[1].split(";")
        if "host" not in names or abs(datetime.now(timezone.utc) - signed_at) > LONGEST_DIFFERENCE:
            return False
        url = f"http://{self.headers['Host']}{self.path}"
        headers = {name: self.headers.get(name, "") for name in names}
        request = AWSRequest("POST", url, data=body, headers=headers)
        request.context["timestamp"] = timestamp
        signer = SigV4Auth(Credentials("test", "test"), "lambda", REGION)
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        return signer.signature(to_sign, request) == given[2]

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
