"""A window walks over an 8×8 picture: its maximum and its average, and how far a shift of the picture changes both.

Left out: global pooling, padding, several channels, vertical shifts, and the way back of the gradient. The picture is
shifted round: what leaves it on the right comes back on the left, so that nothing is lost by the shift itself.
"""
