"""Recording of points: acceptance, recognition of duplicates, and the one writer."""
