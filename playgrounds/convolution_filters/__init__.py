"""Several filters read all channels of a picture, and each writes one map.

Left out: filters of other sizes than 3 × 3, biases other than 0, depthwise convolutions, and an activation afterwards.
"""
