"""The weights of a line walk down a loss with several batch sizes at once: small ones jitter, large ones cost more.

Left out: losses with more than one minimum, where noise can shake the weights out of a poor one, and momentum or Adam.
"""
