"""The page ``thalweg view``: a landscape in the browser, from a server on this machine or in one file."""
