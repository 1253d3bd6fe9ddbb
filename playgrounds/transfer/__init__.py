"""A net is pre-trained on one task; a second task with few labels then starts from scratch or from those weights.

Left out: self-supervised source tasks, convolutions, schedules of the learning rate, and target nets of another shape.
"""
