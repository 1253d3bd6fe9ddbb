"""A recurrent net learns what to keep of a sequence: its state and gates over time, and how far back gradients reach.

Left out: several layers, real text, truncated backpropagation, and attention, which looks back instead of keeping.
"""
