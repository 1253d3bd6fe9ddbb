"""Descent on the loss of an unrolled net meets a cliff: a plain step is thrown off, a clipped one walks down.

Left out: other optimizers than gradient descent, and gated cells, which make cliffs rarer.
"""
