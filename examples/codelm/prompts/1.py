def read_file(path):
    """Return the text of the file at path."""
