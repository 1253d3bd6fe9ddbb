"""An untrained Transformer shows which inputs reach which outputs, by gradients and by an edit of one input.

Left out: the training of any of these nets, and how large an influence becomes by it.
"""
