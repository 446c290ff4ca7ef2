"""The composition root: from settings to services, built and closed in one place."""
