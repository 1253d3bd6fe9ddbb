"""A ball rolls down a bowl, step by step, or jumps out of it.

Left out: more than one weight, noise in the gradient, momentum.
"""
