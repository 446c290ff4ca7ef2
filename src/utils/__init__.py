"""Small, pure functions over plain arrays, useful in any project; imports none of our packages."""
