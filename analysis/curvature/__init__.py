"""Curvature of a landscape: the spectrum of its Hessians, and how sharp its minima are."""
