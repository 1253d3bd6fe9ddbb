"""A neuron learns by gradient descent through its activation; its inputs move on the curve and on the curve's slope.

Left out: everything but the activation, such as losses made for one (cross-entropy), momentum, and the training of
the ten-layer net, whose weights stay random.
"""
