"""The one writer: checks what arrives, recognises duplicates, commits."""
