"""How good a trained run is and where it fails: its answers, scores, curves, rules for what to do next, reports."""
