"""Run inside a throw-away sandbox (and once outside, as the control): tries to get out, prints what answered.

Standard library only: it is handed into the sandbox as one file. Each attempt is bounded in time.
Input: one JSON line on stdin, ``{"targets": [[host, port]], "paths": []}``; output: one JSON line.
"""

import ctypes
import errno
import json
import os
import socket
import sys

SECONDS = 1.0
SYSCALLS = {
    "x86_64": {"keyctl": 250, "io_uring": 425, "ptrace": 101, "bpf": 321, "unshare": 272, "userfaultfd": 323},
    "aarch64": {"keyctl": 219, "io_uring": 425, "ptrace": 117, "bpf": 280, "unshare": 97, "userfaultfd": 282},
}
CALLS = {  # arguments with which the call succeeds, or fails otherwise than by being forbidden
    "keyctl": (0, -3, 0),
    "io_uring": (1, 0),
    "ptrace": (0, 0, 0, 0),
    "bpf": (99, 0, 0),
    "unshare": (0x10000000,),
    "userfaultfd": (1,),
}


def tcp(host, port):
    with socket.create_connection((host, port), timeout=SECONDS):
        return True


def udp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.settimeout(SECONDS)
        end.sendto(b"gongshu", (host, port))
        return True


def name_lookup(name):
    return bool(socket.getaddrinfo(name, 80))


def family(number, kind):
    with socket.socket(number, kind):
        return True


def abstract_socket(name):
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(SECONDS)
        end.connect("\0" + name)
        return True


def forbidden_call(name):
    """True when the kernel would do it; a filter answers EPERM, its absence anything else."""
    number = SYSCALLS.get(os.uname().machine, {}).get(name)
    if number is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return call_in_child(number, CALLS[name], libc)


def call_in_child(number, arguments, libc):
    pid = os.fork()
    if pid == 0:
        answer = libc.syscall(number, *[ctypes.c_long(value) for value in arguments])
        failed = answer == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS)
        os._exit(1 if failed else 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def readable(path):
    os.stat(path)
    return True


def other_processes():
    """Processes of anybody else that can be seen: inside, only our own namespace's."""
    mine = os.getuid()
    for name in os.listdir("/proc"):
        if name.isdigit() and os.stat("/proc/" + name).st_uid != mine:
            return True
    return False


def network_devices():
    return [name for name in os.listdir("/sys/class/net") if name != "lo"] if os.path.isdir("/sys/class/net") else False


def attempts(question):
    yield "udp 192.0.2.1:53", lambda: udp("192.0.2.1", 53)
    yield "tcp 192.0.2.1:80", lambda: tcp("192.0.2.1", 80)
    yield "dns example.com", lambda: name_lookup("example.com")
    yield "vsock", lambda: family(getattr(socket, "AF_VSOCK", 40), socket.SOCK_STREAM)
    yield "netlink", lambda: family(16, socket.SOCK_RAW)
    yield "raw socket", lambda: family(socket.AF_INET, socket.SOCK_RAW)
    yield "packet socket", lambda: family(17, socket.SOCK_RAW)
    for host, port in question["targets"]:
        yield "tcp %s:%s" % (host, port), lambda host=host, port=port: tcp(host, port)
    for name in question.get("abstract", []):
        yield "abstract socket " + name, lambda name=name: abstract_socket(name)
    for path in question["paths"]:
        yield "path " + path, lambda path=path: readable(path)
    for name in CALLS:
        yield "call " + name, lambda name=name: forbidden_call(name)
    yield "processes of others", other_processes
    yield "network devices", network_devices


def main():
    question = json.loads(sys.stdin.readline())
    rows = []
    for name, attempt in attempts(question):
        try:
            answered = bool(attempt())
            detail = ""
        except Exception as error:  # every failure to get out is the wanted answer; the class is shown
            answered, detail = False, type(error).__name__ + ": " + str(error)[:80]
        rows.append({"attempt": name, "answered": answered, "detail": detail})
    print(json.dumps({"rows": rows, "uid": os.getuid()}))


if __name__ == "__main__":
    main()
