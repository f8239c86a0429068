"""Become another program, in the right clothes. Run as a script in a fresh process.

    python -I -S launch.py PARENT DEATH_SIGNAL CLOTHES PROGRAM ARGUMENT...

PARENT is the process id that started this one; when that process dies, the kernel sends
DEATH_SIGNAL (a number) here, so that nothing outlives a kill -9 of its supervisor. CLOTHES:

  as_is      keep the credentials
  namespace  root becomes `nobody` in a user namespace of its own; files of root then look like its
             own, so that PostgreSQL, which refuses to run as root, needs no account and no chown
  setuid     root becomes `nobody` for good, for machines that forbid user namespaces

`unshare` demands a process with a single thread. The death signal is set last, because the kernel
forgets it on every change of credentials.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
CANNOT_DRESS = 71

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_namespace() -> None:
    """Map this user (and group) to `nobody` in a new user namespace."""
    user, group = os.geteuid(), os.getegid()
    _checked(_libc.unshare(CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")


def give_up_root() -> None:
    """Become `nobody`."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def die_with(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent goes; leave at once when it is gone already."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        sys.exit(0)


def main(words: list[str]) -> None:
    parent, number, clothes, program = int(words[0]), int(words[1]), words[2], words[3]
    try:
        if clothes == "namespace":
            enter_namespace()
        elif clothes == "setuid":
            give_up_root()
    except OSError as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(CANNOT_DRESS)
    die_with(parent, number)
    # Ignored signals are inherited; a shell that started us in the background ignores SIGINT.
    for name in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(name, signal.SIG_DFL)
    os.execvp(program, words[3:])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
