"""Write an evidence bundle: a folder that a reader verifies without us."""
