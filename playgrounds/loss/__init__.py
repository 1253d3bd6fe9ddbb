"""Several losses train the same start side by side: each walks to the answer that it prefers, as fast as it can.

Left out: mini-batches, and the weights of a net, of which the constant or the logits are the last stage.
"""
