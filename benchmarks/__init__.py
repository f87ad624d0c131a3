"""What the product does in a second, beside what else does it and what could."""
