"""Disconnectivity graphs: superbasin tree, layout, colours, drawing."""
