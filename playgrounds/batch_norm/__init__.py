"""The samples of a small batch along each feature, before and after batch norm; layer norm is compared with it.

Left out: convolutions, whose statistics run over all positions too, and the gradients through both layers.
"""
