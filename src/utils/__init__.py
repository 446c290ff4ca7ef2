"""Small, pure tools over plain arrays, useful to a stranger; nothing of ours is imported here."""
