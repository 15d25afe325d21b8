"""What is measured: a model on threads with a clip, its rounds, and all that is recorded of it."""
