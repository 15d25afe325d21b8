"""How many Pods of what size a load needs, by simulation over measured service times."""
