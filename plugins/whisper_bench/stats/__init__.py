"""Statistics, pure: Student's t, Welch's interval, quantiles, trimmed means."""
