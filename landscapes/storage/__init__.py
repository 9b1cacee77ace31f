"""Store of a landscape: arrays, commits, locks, and the kinds of place where files lie."""
