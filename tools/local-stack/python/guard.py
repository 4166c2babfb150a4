"""Runs one command and guarantees that nothing of it outlives whoever started this script.

Standard input is the lifeline. The starter holds its other end and never writes to it. When it closes, because the starter
stopped, crashed or was killed with SIGKILL, the command and everything that it started in its process group are ended:
SIGTERM first, SIGKILL after a moment. Then the directory that belonged to the run is removed.

Usage: guard.py [--remove DIRECTORY] [--grace SECONDS] -- COMMAND [ARGUMENT]...
Exit status: the command's, or 128 + n if signal n ended it.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 2.0


def die_with_this_process():
    """On Linux the kernel ends the command even if this script is killed. Elsewhere the lifeline alone decides."""
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def signal_group(leader, number):
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # Nobody is left; macOS says so with the second error.
        pass


def end_when_lifeline_closes(leader, ended, grace):
    while os.read(0, 1024):
        pass
    signal_group(leader, signal.SIGTERM)
    if not ended.wait(grace):
        signal_group(leader, signal.SIGKILL)


def main(arguments):
    directory = None
    if arguments[:1] == ["--remove"]:
        directory, arguments = arguments[1], arguments[2:]
    grace = GRACE_SECONDS
    if arguments[:1] == ["--grace"]:
        grace, arguments = float(arguments[1]), arguments[2:]
    command = arguments[1:]

    # Only the lifeline may end the guard, or it would leave the command behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def before_command():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        die_with_this_process()

    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=before_command
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127

    ended = threading.Event()
    threading.Thread(target=end_when_lifeline_closes, args=(child.pid, ended, grace), daemon=True).start()
    # Seen, but not yet collected: until then its number, which is also the group's, cannot go to another process.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    ended.set()
    signal_group(child.pid, signal.SIGKILL)
    status = child.wait()
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
