"""Two deep nets train from the same first weights, without and with batch norm: a rate that one stands, the other not.

Left out: mini-batches (every step sees all points, so both kinds of statistics are nearly the same), and layer norm.
"""
