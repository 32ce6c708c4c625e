class Stack:
    """A list of items; the last one in is the first one out."""

    def __init__(self):
