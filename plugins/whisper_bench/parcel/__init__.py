"""A saved run as lines of a log, and out of a log again."""
