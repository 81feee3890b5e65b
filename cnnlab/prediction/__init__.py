"""What a trained run says about pictures that it has not seen: one at a time, or a folder full."""
