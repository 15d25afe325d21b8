"""Files: written completely or not at all, named safely, and foreign JSON checked by type."""
