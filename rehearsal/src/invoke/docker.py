"""Runs a Docker daemon of its own, and leaves nothing of it behind.

It shares nothing with a daemon that may be running: its files and its socket are below two directories, it changes no firewall rule
and no forwarding, and its containers are on a bridge that this script makes and removes. They reach this machine at the bridge's
address and nothing beyond it.

Usage: docker.py DIRECTORY DATA BRIDGE ADDRESS
DIRECTORY is removed at the end; DATA, which is large, belongs to the caller.
Ends when it gets SIGTERM or the daemon ends. The daemon's log is on standard error.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys

# linux/sockios.h, linux/if.h, sys/mount.h, linux/prctl.h
SIOCBRADDBR, SIOCBRDELBR = 0x89A0, 0x89A1
SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFFLAGS = 0x8916, 0x891C, 0x8914
IFF_UP = 0x1
MNT_DETACH = 0x2
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None)


class Bridge:
    def __init__(self, name, address):
        self.name = name.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fcntl.ioctl(self.socket, SIOCBRADDBR, self.name + b"\0")
        try:
            self.set(SIOCSIFADDR, self.internet_address(address))
            self.set(SIOCSIFNETMASK, self.internet_address("255.255.255.240"))
            self.set(SIOCSIFFLAGS, struct.pack("=h", IFF_UP))
        except OSError:
            self.remove()
            raise

    @staticmethod
    def internet_address(address):
        return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))

    def set(self, what, value):
        fcntl.ioctl(self.socket, what, self.name.ljust(16, b"\0") + value.ljust(24, b"\0"))

    def remove(self):
        self.set(SIOCSIFFLAGS, struct.pack("=h", 0))
        fcntl.ioctl(self.socket, SIOCBRDELBR, self.name + b"\0")


def unmount_below(directory):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        points = [line.split()[4] for line in mounts]
    # What was mounted last lies on top.
    for point in reversed(points):
        if point.startswith(directory + "/"):
            LIBC.umount2(os.fsencode(point), MNT_DETACH)


def main(directory, data, bridge_name, address):
    directory = os.path.realpath(directory)
    os.makedirs(directory, mode=0o700)
    settings = f"{directory}/daemon.json"
    with open(settings, "w", encoding="utf-8") as file:
        # Instead of those of the machine's own daemon.
        file.write("{}")
    bridge = Bridge(bridge_name, address)
    # With SIGTERM the kernel tells the daemon, too, when this script is killed before it could.
    daemon = subprocess.Popen(
        [
            "dockerd",
            "--host", f"unix://{directory}/docker.sock",
            "--data-root", data,
            "--exec-root", f"{directory}/exec",
            "--pidfile", f"{directory}/docker.pid",
            "--config-file", settings,
            # The one that works on every file system. What it holds is small and short-lived.
            "--storage-driver", "vfs",
            "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false",
            "--bridge", bridge_name,
            "--shutdown-timeout", "2",
        ],
        preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )
    signal.signal(signal.SIGTERM, lambda *_: daemon.send_signal(signal.SIGTERM))
    status = daemon.wait()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    bridge.remove()
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
