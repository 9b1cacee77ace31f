"""What is explored."""
