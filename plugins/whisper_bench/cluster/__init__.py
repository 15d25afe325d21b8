"""A Kubernetes cluster: a Pod created, followed and deleted, and logs of Pods fetched."""
