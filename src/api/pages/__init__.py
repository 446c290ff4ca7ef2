"""Pages for people: the studio, the plain form, the documentation."""
