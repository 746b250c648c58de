# SPDX-License-Identifier: GPL-2.0-or-later
"""Test Anything Protocol, one line a case."""

import sys
import traceback


class Tap:
    def __init__(self):
        self.n = 0
        self.failed = 0

    def ok(self, good, name, why=''):
        self.n += 1
        name = name.replace('#', '\\#')
        if not good:
            self.failed += 1
            for line in str(why).splitlines():
                print('# ' + line[:2000])
        print(('ok' if good else 'not ok') + f' {self.n} - {name}', flush=True)
        return good

    def case(self, name, function, *args):
        """A case fails when the function raises, and goes on with the next."""
        try:
            function(*args)
        except Exception:  # noqa: BLE001 - whatever it is, it is this case's failure
            return self.ok(False, name, traceback.format_exc(limit=-4))
        return self.ok(True, name)

    def end(self):
        print(f'1..{self.n}')
        sys.exit(1 if self.failed else 0)
