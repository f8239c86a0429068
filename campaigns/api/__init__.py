"""The REST API below /api/v1/: views that translate, and nothing else."""
