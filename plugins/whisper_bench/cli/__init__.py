"""The command line `whisper-bench`: thin, exits 0 for yes, 1 for a no, 2 for misuse."""

_ctrl_c = None
try:
    # Ctrl-C during the imports, which take a moment, must not print a traceback either
    from whisper_bench.interrupt import CtrlC

    with CtrlC() as _ctrl_c:
        _ctrl_c.arm()
        from whisper_bench.cli.main import main

        _ctrl_c.disarm()
except (Exception, KeyboardInterrupt) as error:
    # an import may have turned it into another error
    if isinstance(error, KeyboardInterrupt) or (_ctrl_c is not None and _ctrl_c.came):
        raise SystemExit(130) from None
    raise
if _ctrl_c.came:
    raise SystemExit(130)

__all__ = ["main"]
