"""A signal goes up through the layers of a deep random net, a gradient comes back down, and each layer shows what is left.

Left out: biases, normalization and skip connections; the training is plain gradient descent on one batch.
"""
