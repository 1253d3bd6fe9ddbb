"""Optimizers go down one loss surface from one start; a sweep shows where every other learning rate would have ended.

Left out: more than two weights, and real mini-batches, whose noise is imitated by normal noise on the gradient.
"""
