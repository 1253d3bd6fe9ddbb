"""Sinusoids are clock hands: a walk along the positions turns each pair of dimensions at a speed of its own.

Left out: a net that learns with them, and encodings that act inside attention, as rotary ones do.
"""
