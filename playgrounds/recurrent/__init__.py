"""The net unrolled, handing on its state as it reads, or one gated unit with its gates as valves; what it would answer.

Left out: several layers, real text, truncated backpropagation, and attention, which looks back instead of keeping.
"""
