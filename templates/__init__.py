"""What `make new` copies, and what copies it."""
