"""The pytest side: options, cases, one session's state. Only it and plugin.py know pytest."""
