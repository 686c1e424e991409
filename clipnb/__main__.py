"""`python -m clipnb` is the command `clipnb`."""

import sys

from clipnb.cli import main

sys.exit(main())
