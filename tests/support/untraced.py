"""What need not be watched line by line: coverage makes a loop of 300,000 requests six times slower."""

import sys
from functools import wraps


def untraced(function):
    """Call it without coverage's tracer; whatever it runs must be covered by other tests."""

    @wraps(function)
    def quietly(*arguments, **settings):
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return function(*arguments, **settings)
        finally:
            sys.settrace(tracer)

    return quietly
