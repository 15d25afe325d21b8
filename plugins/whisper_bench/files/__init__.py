"""Files: written whole or not at all, named safely, and JSON of others held to its form."""
