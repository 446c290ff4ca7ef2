"""Limits on a source's size and complexity. Each keeps one known slow input below a second."""

MAX_SOURCE_BYTES = 100_000
"""In UTF-8: about 2,500 long lines. A request may be larger, up to 1 MB, because it carries parameters too."""

MAX_NODES = 20_000
"""Syntax nodes. 100 kB of ordinary code has about 14,000."""

MAX_DEPTH = 100
"""Nested syntax nodes. Ordinary code stays below 30."""

MAX_OPENING_BRACES = 5_000
"""Python 3.11 starts a parser for every replacement field of an f-string: 33,000 of them take a second."""

MAX_CODE_BLOCKS = 1_000
"""Functions, classes, lambdas and comprehensions. Each is compiled separately; 6,000 take a second."""

MAX_KEYWORDS = 500
"""Keyword arguments of one call or class pattern: the compiler compares them pairwise."""

MAX_UNCOMMON_NUMBERS = 500
"""Integers above 64 bits and imaginary numbers. An attacker can choose them to collide in the compiler's tables."""

MAX_COMBINING_MARKS = 30
"""In a row, as in Unicode's Stream-Safe Text Format. Python sorts a name's marks; 40,000 of them take a minute."""

MAX_VISIBLE_NAMES = 200_000
"""Names visible from enclosing functions, summed over all blocks. The compiler copies that set for every block."""

MAX_WORK = 1_000_000
"""Characters of computed strings, queries and templates that are read. A short source can produce millions."""

MAX_FOLDED_CHARACTERS = 2_000
"""A longer string built from literals counts as unknown."""

MAX_CHOICES = 200
"""Literal strings in a loop whose variable may be used as an attribute name."""

MAX_PATH_CHARACTERS = 100
"""Dotted path of an imported object. Every path in these tables is shorter, so a longer one matches nothing."""

MAX_CAPTURES = 50
"""Names bound by one match case. 10,000 of them take the compiler half a minute."""

MAX_COMPILED_NODES = 60_000
"""Nodes, once `finally` blocks are copied for each exit from their `try`, as the compiler does."""

MAX_LINEAGE = 10
"""The author's own classes in a strategy's ancestry. Looking up universe and on_data walks every path through them."""

MAX_CLASS_NAME_CHARACTERS = 100
"""The host stores the name and displays it."""

MAX_MEANINGS = 8
"""Objects that one name may be imported as. Every use of the name is checked against each of them."""

MAX_VIOLATIONS = 50
"""More than a person reads at once. One more entry gives the number left out."""
