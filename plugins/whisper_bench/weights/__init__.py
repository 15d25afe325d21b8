"""Where a model's weights come from, and the proof that they are the ones meant."""
