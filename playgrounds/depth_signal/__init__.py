"""A signal goes up through a deep random net, a gradient comes back down: what is left of both, layer by layer.

Left out: biases, normalization and skip connections; the training is plain gradient descent on one batch.
"""
