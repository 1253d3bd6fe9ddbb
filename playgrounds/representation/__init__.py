"""A hidden layer moves two classes apart while the net trains, and linear probes say what each representation is worth.

Left out: more than two inputs and one hidden layer, and probes that are not linear.
"""
