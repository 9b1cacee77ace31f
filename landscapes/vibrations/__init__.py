"""Vibrations of stored minima and transition states of atoms."""
