"""CNN Lab's core: see, train, question and understand convolutional networks.

The same code stands behind the dashboard's pages and the command line::

    python -m cnnlab train --recipe quick_digits
"""

import os

__version__ = "0.1.0"

SPIN_WHEN_NICE = "1000"
"""How long threads of a process with niceness spin while they wait for each other, before they sleep.

PyTorch's threads on Linux spin 300,000 times, which pays on equal terms with other programs; but where a program that
comes first holds the core that is waited for, a training took over twenty times as long (benchmarks/README.md).
"""

if hasattr(os, "nice") and os.nice(0) > 0:
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_WHEN_NICE)  # read when torch is imported
