"""The paper's claims and the cases that decide them."""
