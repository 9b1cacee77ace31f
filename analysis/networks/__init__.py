"""Kinetic transition networks: reading, exchange, lowest-barrier paths, basins."""
