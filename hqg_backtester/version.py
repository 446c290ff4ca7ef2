"""The one place that holds the version: the distribution's, and what the service of the same checkout reports."""

__version__ = "0.1.0"
