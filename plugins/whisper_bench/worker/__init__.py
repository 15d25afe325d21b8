"""The measured process: a new one for each case and process index, controlled over pipes."""
