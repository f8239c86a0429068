"""Which claims have reached the engine. After one without an answer this tells what it may have
committed from what is in flight.
"""

from collections.abc import Iterable

from smpp_client.carrier import LeaseKey


class Arrivals:
    """The newest batch of each lease that arrived, and the leases whose last claim did not.

    A lease is claimed for by one caller at a time, so its batches come in the order of their ids:
    what is newer than the last that arrived was made by a claim without an answer. Used by one
    thread at a time.
    """

    def __init__(self) -> None:
        # By lease: its epoch, and the batch. The next epoch takes the place of the last.
        self._newest: dict[int, tuple[int, int]] = {}
        self._awaited: dict[int, int] = {}

    def expect(self, lease: LeaseKey) -> None:
        """A claim begins; until it arrives it is in doubt."""
        self._awaited[lease.lease_id] = lease.epoch

    def arrived(self, lease: LeaseKey, batches: Iterable[int]) -> None:
        """The claim is answered; these are all the batches of it that are still open."""
        newest = max(batches, default=0)
        if newest > self.newest(lease):
            self._newest[lease.lease_id] = (lease.epoch, newest)
        self.cleared(lease)

    def cleared(self, lease: LeaseKey) -> None:
        """Nothing is in doubt any more."""
        self._awaited.pop(lease.lease_id, None)

    def is_in_doubt(self, lease: LeaseKey) -> bool:
        """Whether the last claim of this epoch never arrived."""
        return self._awaited.get(lease.lease_id) == lease.epoch

    def newest(self, lease: LeaseKey) -> int:
        """Return the newest batch of this epoch that arrived, 0 before the first."""
        epoch, batch = self._newest.get(lease.lease_id, (0, 0))
        return batch if epoch == lease.epoch else 0
