"""Runs a command where nothing but this machine can be reached and the checkout cannot be written.

Called in fresh network and mount namespaces: offline.py REPORT CHECKOUT WRITABLE... -- COMMAND...
Writes to REPORT how often a way to another machine was asked for in the network namespace: by the
command, and by one attempt of this program afterwards, which shows that the kernel counts.
"""

import errno
import fcntl
import json
import socket
import struct
import subprocess
import sys

SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41
# Kept for documentation (RFC 5737, RFC 3849): nobody has them.
ELSEWHERE = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")]


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def denied():
    """How often the kernel of this namespace found no route."""
    count = 0
    with open("/proc/net/snmp") as table:
        names, values = [line.split() for line in table if line.startswith("Ip:")]
        count += int(values[names.index("OutNoRoutes")])
    with open("/proc/net/snmp6") as table:
        fields = dict(line.split() for line in table)
        count += int(fields["Ip6OutNoRoutes"])
    return count


def attempt(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as somebody:
        try:
            somebody.connect((address, 9))
        except OSError as error:
            if error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
                return
            raise
    raise SystemExit(f"{address} was reached: this namespace is not cut off")


divide = sys.argv.index("--")
report, checkout, *writable = sys.argv[1:divide]
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP_AND_RUNNING))
mount("--bind", checkout, checkout)
for folder in writable:
    mount("--bind", folder, folder)
mount("-o", "remount,bind,ro", checkout)
try:
    open(f"{checkout}/written-by-nobody", "w")
except OSError as error:
    assert error.errno == errno.EROFS, error
else:
    raise SystemExit(f"{checkout} can be written")

before = denied()
code = subprocess.call(sys.argv[divide + 1 :])
by_command = denied() - before
for family, address in ELSEWHERE:
    attempt(family, address)
with open(report, "w") as file:
    json.dump({"by_command": by_command, "by_control": denied() - before - by_command}, file)
sys.exit(code)
