"""Text for people: tables, and foreign text escaped where it is shown."""
