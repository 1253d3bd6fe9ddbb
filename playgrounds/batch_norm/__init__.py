"""One small batch through batch norm, column by column, and through layer norm, row by row, in numbers.

Left out: convolutions, whose statistics run over all positions too, and the gradients through both layers.
"""
