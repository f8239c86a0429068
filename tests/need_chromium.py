"""Run by `make test`: makes sure that there is a Chromium, or says in one line how to get it."""

import os
import shutil
import subprocess
import sys

from tests.browsing import find_chromium

INSTALLERS = {
    "apt-get": (
        ("apt-get", "-qq", "update"),
        ("apt-get", "-qq", "-y", "--no-install-recommends", "install", "chromium"),
    ),
    "dnf": (("dnf", "-q", "-y", "install", "chromium"),),
    "apk": (("apk", "add", "--quiet", "chromium"),),
}


def main() -> int:
    """Return 0 when a browser is there at the end."""
    if find_chromium():
        return 0
    name = next((name for name in INSTALLERS if shutil.which(name)), None)
    if name is not None and os.geteuid() == 0:
        print(f"Installing Chromium with {name}", flush=True)
        _install(name)
        if find_chromium():
            return 0
    line = " && ".join(f"sudo {' '.join(words)}" for words in INSTALLERS[name or "apt-get"])
    print(f"The browser tests need Chromium: {line}   (or name one with CHROMIUM=/path)")
    return 1


def _install(name: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in INSTALLERS[name]:
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return


if __name__ == "__main__":
    sys.exit(main())
