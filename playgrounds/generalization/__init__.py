"""A large net bends its boundary around few noisy points; regularizers hold it back, at a price in training loss.

Left out: mini-batches, whose noise regularizes too, and a third set of points on which to report the error, since the
second has chosen the checkpoint. Losses are measured in evaluation mode, on unmoved points, without the L2 penalty.
"""
