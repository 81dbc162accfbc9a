"""The system calls a sandbox is refused, and the filter built from that one list.

A deny list, on purpose small: namespaces, mounts, other processes' memory, kernel keys, io_uring, bpf,
sockets other than unix and (cut off) internet ones. Any foreign calling convention (ia32, x32) ends the
process, so that no number can be smuggled past. The same list can be written as Docker/Kubernetes JSON.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

# name: (x86_64, aarch64); None where the architecture has no such call.
DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # kernel keys, rings, programs
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # the machine
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "syslog": (103, 116),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "sysfs": (139, None),
    "nfsservctl": (180, 42),
}
SOCKET = (41, 198)
IOCTL = (16, 29)
CLONE = (56, 220)
CLONE3 = (435, 435)
SOCKET_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: no vsock, netlink, packet, bluetooth, alg …
TERMINAL_REQUESTS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into a terminal
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
X32_BIT = 0x40000000

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16


@dataclass(frozen=True)
class Machine:
    column: int
    audit_arch: int


MACHINES = {"x86_64": Machine(0, 0xC000003E), "aarch64": Machine(1, 0xC00000B7)}


class UnknownMachine(Exception):
    """No filter for this processor: no sandbox starts on it."""


def filter_program(machine: str | None = None) -> bytes:
    """Return the classic BPF program for ``bwrap --seccomp``. Raises UnknownMachine."""
    name = machine or platform.machine()
    if name not in MACHINES:
        raise UnknownMachine(f"没有 {name} 处理器的系统调用过滤表。No system-call filter for {name}.")
    this = MACHINES[name]
    steps: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, this.audit_arch),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if name == "x86_64":
        steps += [(AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL)]
    for numbers in DENIED.values():
        number = numbers[this.column]
        if number is not None:
            steps += [(EQUAL, 0, 1, number), _fail(errno.EPERM)]
    # clone3 hides its flags behind a pointer: ENOSYS makes libc fall back to clone.
    steps += [(EQUAL, 0, 1, CLONE3[this.column]), _fail(errno.ENOSYS)]
    steps += _clone(CLONE[this.column]) + _socket(SOCKET[this.column]) + _ioctl(IOCTL[this.column])
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _fail(number: int) -> tuple[int, int, int, int]:
    return (RETURN, 0, 0, ERRNO | number)


def _clone(number: int) -> list[tuple[int, int, int, int]]:
    return [
        (EQUAL, 0, 4, number),
        (LOAD, 0, 0, ARGUMENTS),
        (ANY_BIT, 0, 1, NEW_NAMESPACES),
        _fail(errno.EPERM),
        (LOAD, 0, 0, NUMBER),
    ]


def _socket(number: int) -> list[tuple[int, int, int, int]]:
    tests = len(SOCKET_FAMILIES)
    jumps = [(EQUAL, tests - index, 0, family) for index, family in enumerate(SOCKET_FAMILIES)]
    return [
        (EQUAL, 0, tests + 3, number),
        (LOAD, 0, 0, ARGUMENTS),
        *jumps,
        # EOPNOTSUPP and not EAFNOSUPPORT: ZeroMQ ends the process on the latter when it lists interfaces.
        _fail(errno.EOPNOTSUPP),
        (LOAD, 0, 0, NUMBER),
    ]


def _ioctl(number: int) -> list[tuple[int, int, int, int]]:
    tests: list[tuple[int, int, int, int]] = []
    for request in TERMINAL_REQUESTS:
        tests += [(EQUAL, 0, 1, request), _fail(errno.EPERM)]
    return [(EQUAL, 0, len(tests) + 2, number), (LOAD, 0, 0, ARGUMENTS + 8), *tests, (LOAD, 0, 0, NUMBER)]


def as_container_profile() -> dict[str, object]:
    """The same list as Docker and Kubernetes read it."""
    calls: list[dict[str, object]] = [
        {"names": sorted(DENIED), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EPERM},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
    ]
    flags = [1 << bit for bit in range(32) if NEW_NAMESPACES >> bit & 1]
    calls += [_unless("clone", 0, flag, errno.EPERM, "SCMP_CMP_MASKED_EQ") for flag in flags]
    calls += [_unless("ioctl", 1, request, errno.EPERM, "SCMP_CMP_EQ") for request in TERMINAL_REQUESTS]
    # Families are a deny list here: several tests on one argument cannot be joined by "and".
    families = [family for family in range(46) if family not in SOCKET_FAMILIES]
    calls += [_unless("socket", 0, family, errno.EOPNOTSUPP, "SCMP_CMP_EQ") for family in families]
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": calls,
    }


def _unless(name: str, index: int, value: int, number: int, operator: str) -> dict[str, object]:
    test = {"index": index, "value": value, "valueTwo": value, "op": operator}
    return {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": number, "args": [test]}
