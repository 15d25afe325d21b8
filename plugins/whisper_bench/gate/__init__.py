"""Two builds measured in alternation, and whether the second is slower than it may be."""
