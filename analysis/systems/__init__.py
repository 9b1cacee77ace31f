"""Systems by name or file, and summaries of their stores."""
