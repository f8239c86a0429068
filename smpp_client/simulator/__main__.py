"""`python -m smpp_client.simulator`: the simulator without Django's start-up."""

import sys

from smpp_client.simulator.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
