"""What tests compute, here and in the processes that they start, is little: of two threads each would wait."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported
