"""CNN Lab's core: see, train, question and understand convolutional networks.

The same code stands behind the dashboard's pages and the command line::

    python -m cnnlab train --recipe quick_digits
"""

__version__ = "0.1.0"
