"""Searches of several molecules: each turns as a whole, and each is as stiff as it is measured to be."""
