"""Taking money and giving it back: a port, the providers behind it, the cashier who uses it."""
