"""Rates, passage times, thermodynamics."""
