"""A small SMSC for the demo and the tests: it judges our client and shares no code with it.

Its hot path is parsed by hand; smpplib's codec decodes a sample of the same bytes and the two
must agree. What it accepted stands in a ledger on disk before the response leaves.
"""
