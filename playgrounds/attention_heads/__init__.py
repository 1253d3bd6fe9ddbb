"""Attention heads learn to divide a task: which of them looks at the token that has to be read.

Left out: self-attention in every place (one learned query asks here), residual connections and normalization, several
layers, dropout.
"""
