"""Kubernetes manifests edited in place: only the fields that a sizing sets change."""
