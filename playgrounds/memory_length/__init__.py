"""A recurrent net is trained at several lengths: how far the gradient reaches back, and up to where it remembers.

Left out: several layers, real text, and a net that is trained on short sequences first and on longer ones later.
"""
