"""A net is pre-trained on one task; nets for a second task with few labels take its layers over, or start from scratch.

Left out: self-supervised source tasks, convolutions, schedules of the learning rate, and target nets of another shape.
"""
