"""Searches over hyperparameters: what is varied, and the trials, each an ordinary run."""
