"""One line is fitted by SGD with several batch sizes at once: small batches jitter, large ones cost more.

Left out: losses with more than one minimum, where noise can shake the weights out of a poor one, and momentum or Adam.
"""
