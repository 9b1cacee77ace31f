"""Systems by name or file, and reports on their stores."""
