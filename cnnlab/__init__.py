"""CNN Lab's core: see, train, question and understand convolutional networks.

The same code stands behind the dashboard's pages and the command line::

    python -m cnnlab train --recipe quick_digits
"""

import os

__version__ = "0.1.0"

# How long PyTorch's threads on Linux spin while they wait for each other, before they sleep. Its default spins on while
# another program holds the core that is waited for: a training beside one busy program then takes four times as long
# and more, with this about twice as long (benchmarks/README.md). It is read when torch is imported, so it stands here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
