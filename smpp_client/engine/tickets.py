"""Numbers for what peers deliver, over all sessions of this process.

What is stored after its session ended must never be taken for the answer to a delivery of the next
one, which may not be durable yet.
"""

from itertools import count

TICKETS = count(1)
