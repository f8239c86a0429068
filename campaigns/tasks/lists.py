"""Tasks: lists. Each carries ids and has one line of body; running one twice changes nothing."""
