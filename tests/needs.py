"""Run by `make test`: makes sure that Chromium and two programs of every system are there, or says
in one line how to get them.

`openssl` is the regulator's second opinion and the time stamp authority of the tests; `jq` is in
the steps that audit/verifier/VERIFY.txt gives for a check by hand.
"""

import os
import shutil
import subprocess
import sys

from tests.browsing import find_chromium

PROGRAMS = ("openssl", "jq")
INSTALLERS = {
    "apt-get": (
        ("apt-get", "-qq", "update"),
        ("apt-get", "-qq", "-y", "--no-install-recommends", "install"),
    ),
    "dnf": (("dnf", "-q", "-y", "install"),),
    "apk": (("apk", "add", "--quiet"),),
}


def missing() -> list[str]:
    """Return the packages that are still needed."""
    browser = [] if find_chromium() else ["chromium"]
    return browser + [name for name in PROGRAMS if shutil.which(name) is None]


def main() -> int:
    """Return 0 when all are there at the end."""
    needed = missing()
    name = next((name for name in INSTALLERS if shutil.which(name)), None)
    if needed and name is not None and os.geteuid() == 0:
        print(f"Installing {', '.join(needed)} with {name}", flush=True)
        _install(name, needed)
        needed = missing()
    if not needed:
        return 0
    line = " && ".join(f"sudo {' '.join(words)}" for words in _words(name or "apt-get", needed))
    print(f"The tests need {', '.join(needed)}: {line}   (a browser elsewhere: CHROMIUM=/path)")
    return 1


def _words(name: str, needed: list[str]) -> list[tuple[str, ...]]:
    *before, last = INSTALLERS[name]
    return [*before, (*last, *needed)]


def _install(name: str, needed: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in _words(name, needed):
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return


if __name__ == "__main__":
    sys.exit(main())
