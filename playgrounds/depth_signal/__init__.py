"""A signal goes up through a deep random net and a gradient comes back down, layer by layer, from different weights.

Left out: biases, normalization and skip connections; the training is plain gradient descent on one batch.
"""
