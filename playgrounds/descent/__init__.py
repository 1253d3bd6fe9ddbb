"""Optimizers walk down one loss surface from one start, a bead per step; a sweep shows what other learning rates reach.

Left out: more than two weights, and real mini-batches, whose noise is imitated by normal noise on the gradient.
"""
