"""The product side of sending: claims, outcomes, receipts."""
