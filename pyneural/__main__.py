"""__main__.py -- python -m pyneural runs the command line."""

import sys

from pyneural.commands.command_line import main

if __name__ == "__main__":
    sys.exit(main())
