"""The plain result file: one a saved run and model."""
