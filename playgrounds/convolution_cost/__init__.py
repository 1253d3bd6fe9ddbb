"""The image grows, and with it the work of a convolution, but not its parameters; those of a dense layer do.

Left out: padding, stride, and the memory for the maps.
"""
