"""What searches found so far, and what probably remains."""
