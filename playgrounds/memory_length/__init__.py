"""A recurrent net is trained at several lengths: up to where it remembers, and how far back its gradient reaches.

Left out: several layers, real text, and a net that is trained on short sequences first and on longer ones later.
"""
