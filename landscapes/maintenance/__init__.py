"""Care of a store: verify, merge, import, fill properties."""
