"""What was taken when, looked at second by second."""

from collections.abc import Sequence


def most_in_a_second(log: Sequence[tuple[float, int]]) -> int:
    """Return the most that was taken within a second, wherever it begins; (seconds, count) in the
    order of time.
    """
    most = within = first = 0
    for at, taken in log:
        within += taken
        while log[first][0] <= at - 1.0:
            within -= log[first][1]
            first += 1
        most = max(most, within)
    return most
