"""One training over several processes, which ``torchrun`` starts; on one process all of it does nothing."""
