"""The pytest side: options, cases, and one session's state. Only this room and plugin.py know pytest."""
