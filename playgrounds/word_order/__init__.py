"""A Transformer block learns which of two words comes first, with an encoding of positions and without one.

Left out: several heads and layers, layer normalization, and encodings that act inside attention, as rotary ones do.
"""
