"""Starts the emulator, and adds the part of Lambda's Extensions API that an internal extension needs.

An extension registers and then asks for events. As in Lambda, an environment takes its next invocation only when the
runtime and the extension have both asked for it, and is ended at the invocation's deadline. The answer does not wait for
the extension. What a function logs after its answer goes to its log group.

Not as in Lambda: reserved concurrency counts an invocation until its answer, not until the extension is done.
"""

import contextvars
import json
import queue
import threading
import time
import uuid

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

PATH = "/2020-01-01/extension/"
POLL_SECONDS = 0.05


class Extension:
    """The one extension of an environment, and what it has been told."""

    def __init__(self):
        self.identifier = None
        self.events = queue.Queue()
        self.is_idle = threading.Event()
        self.deadline = None

    def register(self):
        self.identifier = str(uuid.uuid4())
        return self.identifier

    def invoked(self, request_id, deadline_ms, arn):
        if self.identifier is None:
            return
        self.deadline = deadline_ms / 1000
        self.is_idle.clear()
        self.events.put(
            {"eventType": "INVOKE", "deadlineMs": deadline_ms, "requestId": request_id, "invokedFunctionArn": arn}
        )


class AnnouncedInvocations:
    """The queue that the runtime's next invocation comes from; the extension hears of each one that is taken."""

    def __init__(self, invocations, extension):
        self.invocations, self.extension = invocations, extension

    def get(self, timeout):
        invocation = self.invocations.get(timeout=timeout)
        request_id, _, deadline_ms, _, arn = invocation
        self.extension.invoked(request_id, deadline_ms, arn)
        return invocation


build_handler_class = lambda_runtime.ProvidedWorker._build_handler_class


def build_handler_class_with_extensions(worker, generation, pending):
    extension = worker.extension = Extension()

    class Handler(build_handler_class(worker, generation, AnnouncedInvocations(pending, extension))):
        def do_POST(self):
            if self.path != PATH + "register":
                super().do_POST()
                return
            self._read_body()
            body = json.dumps({"functionName": worker.func_name, "handler": "bootstrap"}).encode()
            self.send_response(200)
            self.send_header("Lambda-Extension-Identifier", extension.register())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path != PATH + "event/next":
                super().do_GET()
                return
            if self.headers.get("Lambda-Extension-Identifier") != extension.identifier:
                self._respond(403)
                return
            if extension.events.empty():
                extension.is_idle.set()
            while generation == worker._generation and not worker._stopping:
                try:
                    self._respond(200, json.dumps(extension.events.get(timeout=POLL_SECONDS)).encode())
                    return
                except queue.Empty:
                    pass
            self._stopped()

    return Handler


def write_log(worker, lines):
    """Writes what was logged after an answer where the rest of the function's log is."""
    from ministack.services import cloudwatch_logs

    config = worker.config
    group = cloudwatch_logs._log_groups[(config.get("LoggingConfig") or {}).get("LogGroup")]
    # The invocation's own lines have made a stream.
    stream = next(reversed(group["streams"].values()))
    now = int(time.time() * 1000)
    cloudwatch_logs._append_log_events(
        stream, [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    )


release_worker = lambda_svc.release_worker


def release_worker_when_done(worker):
    extension = getattr(worker, "extension", None)
    if extension is None or extension.identifier is None:
        release_worker(worker)
        return

    def wait():
        try:
            while not extension.is_idle.wait(POLL_SECONDS):
                process = worker._proc
                if process is None or process.poll() is not None:
                    break
                if time.time() > extension.deadline:
                    worker._teardown()
                    break
            lines = worker._drain_stderr_bounded(first_line_wait=0.005).splitlines()
            if lines:
                write_log(worker, lines)
        finally:
            release_worker(worker)

    # Logs belong to an account and a region, which the context knows.
    context = contextvars.copy_context()
    threading.Thread(target=lambda: context.run(wait), daemon=True).start()


lambda_runtime.ProvidedWorker._build_handler_class = build_handler_class_with_extensions
lambda_svc.release_worker = release_worker_when_done

main()
