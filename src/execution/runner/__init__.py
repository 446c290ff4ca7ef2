"""The program inside the box: the runner with prices and books, and the strategy process without either."""
