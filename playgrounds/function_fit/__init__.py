"""One hidden layer learns a curve; beside it stand a net of the same width built by hand, and nets of other widths.

Left out: more than one input, more than one hidden layer, optimizers other than full-batch Adam, and test points.
"""
