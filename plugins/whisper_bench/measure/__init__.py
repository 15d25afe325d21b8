"""One run's measuring: rounds over fresh processes, the journal, the progress, the record."""
