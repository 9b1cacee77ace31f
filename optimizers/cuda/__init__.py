"""Minimisation and transition-state searches on a GPU; nothing here is imported unless a GPU is asked for."""
