"""A Pod as Kubernetes reads it: containers, totals, class; is it fit to measure in."""
