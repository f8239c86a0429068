"""The clock that leases are kept by on this machine."""

import time

# Unlike the monotonic clock it goes on while the machine is suspended, as the lease does in the
# database. Systems without it have the other one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_read = time.clock_gettime


def lease_now() -> float:
    """Return seconds since the machine started; deadlines of leases are compared with it only."""
    return _read(_CLOCK)
