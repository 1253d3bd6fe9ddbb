"""A gradient walks back through an unrolled net, shrinking or growing by a factor a step.

Left out: losses at every time step, and gated cells, which change the factors.
"""
