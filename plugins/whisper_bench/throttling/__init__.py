"""Throttling: a case's verdict and its evidence, a run's report, their text."""
