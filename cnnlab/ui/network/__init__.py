"""What the Network page is made of."""
