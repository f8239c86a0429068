"""What happened in one campaign of faults, and the table that is printed at its end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.invariants import Broken
from tests.poll import TooLate

# I8: after kill -9 segments flow again within so many seconds. That is the median: on a machine
# that others use as well some take longer, which the table tells. A few kills have no median.
KILLED, FEWEST_KILLS = "sender kill -9", 10
MEDIAN_SECONDS = 5.0


@dataclass(frozen=True)
class Entry:
    """One fault: how many seconds until segments flowed again, how many messages it left unknown,
    and how many it might.
    """

    group: str
    name: str
    resumed: float
    unknown: int
    allowed: float
    limit: float | None


@dataclass
class Journal:
    """Every fault in its order, lines said at the end, and what did not hold."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: list[AssertionError] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Say this at the end."""
        self.notes.append(sentence)

    def broke(self, where: str, error: AssertionError) -> None:
        """Note what did not hold, and go on."""
        told = type(error)(f"{where}: {error}")
        told.__cause__ = error
        self.broken.append(told)

    def judge(self) -> None:
        """Raise what did not hold, first what is no matter of time; Broken where after kill -9
        segments flowed again too late as a rule.
        """
        for error in sorted(self.broken, key=lambda error: isinstance(error, TooLate)):
            raise error
        kills = len(self.groups().get(KILLED, ()))
        if kills >= FEWEST_KILLS and self.median_of(KILLED) > MEDIAN_SECONDS:
            raise Broken(
                f"I8: after {kills} times kill -9 segments flowed after"
                f" {self.median_of(KILLED):.1f} s in the median, not within {MEDIAN_SECONDS:g}"
            )

    def groups(self) -> Mapping[str, list[Entry]]:
        """Return the entries by group, in the order in which groups came first."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.group, []).append(entry)
        return found

    def median_of(self, group: str) -> float:
        """Return the median of a group's times to flow again."""
        return median(entry.resumed for entry in self.groups()[group])

    def table(self) -> Iterator[str]:
        """Yield the lines of the table."""
        yield (
            f"{'fault':38} {'n':>4} {'median s':>9} {'max s':>7} {'I8 s':>5} {'later':>5}"
            f" {'unknown: most':>14} {'allowed':>8}"
        )
        for group, entries in sorted(self.groups().items()):
            times = [entry.resumed for entry in entries]
            limit = entries[0].limit
            later = "" if limit is None else sum(time > limit for time in times)
            yield (
                f"{group:38} {len(entries):>4} {median(times):>9.2f} {max(times):>7.2f}"
                f" {'' if limit is None else f'{limit:g}':>5} {later:>5}"
                f" {max(0, *(entry.unknown for entry in entries)):>14}"
                f" {max(entry.allowed for entry in entries):>8g}"
            )
        yield from self.notes
        yield from (f"BROKEN: {error}" for error in self.broken)
