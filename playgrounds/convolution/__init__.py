"""A kernel slides over a picture, every product written out: their sum is one value of the map.

Left out: several channels and filters, which have a playground of their own, transposed, grouped and depthwise
convolutions, padding other than by zeros, and an activation afterwards.
"""
