"""Running searches in sequence on threads, processes or a cluster."""
