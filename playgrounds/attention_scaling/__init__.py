"""What happens without √d_k: as queries and keys get wider their products spread, and one weight takes everything.

Left out: training, and real queries and keys. These are drawn from independent normal distributions, as a layer's are
when its weights are fresh.
"""
