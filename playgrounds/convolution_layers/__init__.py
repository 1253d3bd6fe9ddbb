"""The same kernel is applied layer after layer: how the map shrinks, and how far the zeros of a padding creep in.

Left out: several channels, a kernel of its own for every layer, activations between them, and padding other than by
zeros.
"""
