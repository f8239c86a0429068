"""What people type, read from the request. Verbs decide; a refusal goes back to its field."""
