"""What all pictures share: how they are written to files, and where labels stand."""
