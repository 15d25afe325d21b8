"""The machine: its identity, the CPU limit in force, what the kernel counts, a quota of our own."""
