"""Several losses pull at one start: errors, drawn as squares or distances, shrink until each has the answer it likes.

Left out: mini-batches, and the weights of a net, of which the constant or the logits are the last stage.
"""
