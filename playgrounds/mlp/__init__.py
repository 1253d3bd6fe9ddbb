"""A small net learns to separate two classes in the plane; every hidden unit shows what it has learned to see.

Left out: anything that needs more than two inputs, and layers of more than eight units, which no picture could show.
"""
