"""From one output unit the gradient goes back layer by layer and lights up the input region that the unit can see.

Left out: activations, which let only a part of the paths through, max pooling, which passes the gradient to one unit of
four, training, which changes the effective field, and padding, which cuts the field of units near the border.
"""
