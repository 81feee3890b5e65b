"""What is raised where images cannot be had."""


class DatasetError(Exception):
    """A dataset that cannot be had; the message says what is missing and what to do."""
