"""Descriptions of systems in a store: values, atoms and calculators, and what is built without the user's word."""
