"""Results out of a cluster: framed into a Pod's log, and home again."""
