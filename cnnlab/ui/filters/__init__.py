"""What the Filters page is made of."""
