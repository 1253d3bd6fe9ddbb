"""Plain and residual nets of growing depth learn one task: deep plain ones are worse even on the points they train on.

Left out: convolutions, normalization, projections in the shortcut, biases in the blocks, and training to the very end.
"""
