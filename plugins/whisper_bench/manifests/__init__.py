"""Kubernetes manifests edited in place: only what the sizing owns changes, byte for byte."""
