"""Pages of sign-in, the own account, members, keys, settings and the platform team."""
