"""``python -m cnnlab …``: see :mod:`cnnlab.cli`."""

import sys

from cnnlab.stopping import INTERRUPTED, imports_uninterrupted

if __name__ == "__main__":
    with imports_uninterrupted():
        try:
            from cnnlab.cli import main

            status = main()
        except KeyboardInterrupt:  # before there was a command that says so
            status = INTERRUPTED
    sys.exit(status)
