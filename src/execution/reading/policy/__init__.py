"""What user code may do: modules, names, attributes, syntax and sizes. Data only: the analysis beside it applies it.

The analysis gives honest authors early feedback and stops lazy attacks. It is not a security boundary; the box is.
So every list errs on the side of ordinary strategies, and each group says why it exists.
"""

# The files divide the tables by subject; the analysis reads them all as policy.NAME.
from src.execution.reading.policy.bounds import *  # noqa: F403 - re-exports every table
from src.execution.reading.policy.imports import *  # noqa: F403 - re-exports every table
from src.execution.reading.policy.members import *  # noqa: F403 - re-exports every table
from src.execution.reading.policy.names import *  # noqa: F403 - re-exports every table
