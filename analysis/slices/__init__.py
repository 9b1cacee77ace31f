"""Slices of a landscape: losses along lines and on planes, barriers of straight paths, and trees of what merges."""
