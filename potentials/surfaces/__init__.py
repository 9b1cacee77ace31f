"""Analytic surfaces with known minima and transition states."""
