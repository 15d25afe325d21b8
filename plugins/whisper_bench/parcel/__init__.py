"""A saved run as lines of a log, and a saved run read from a log."""
