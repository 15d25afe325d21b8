"""The measured process: fresh for each case and process index, spoken to over pipes."""
