"""A block with its shortcut, and rows of them: what each changes, how the gradient comes back, what depth does.

Above a plain net, below the same net with shortcuts; they learn one task. Left out: convolutions, normalization,
projections in the shortcut, biases in the blocks, and training to the very end.
"""
