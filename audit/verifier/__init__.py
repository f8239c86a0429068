"""What a reader of evidence runs without this product; it shares no code with the product."""
