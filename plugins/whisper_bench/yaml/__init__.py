"""YAML as Kubernetes reads it: documents, nodes with their place in the text, what they mean."""
