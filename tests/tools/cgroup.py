# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
"""A cgroup of a test's own, below the root of the cgroup2 tree."""
import errno
import os
import time


class Cgroup:
    """Made at once. Its processes are the caller's to end before remove()."""

    def __init__(self, name):
        with open('/proc/mounts') as mounts:
            root = next(words[1] for words in map(str.split, mounts) if words[2] == 'cgroup2')
        self.path = '%s/smcu-%s-%d' % (root, name, os.getpid())
        os.mkdir(self.path)

    def enter(self):
        with open(self.path + '/cgroup.procs', 'w') as procs:
            procs.write('0')

    def memory(self):
        """Bytes that are charged to it."""
        with open(self.path + '/memory.current') as current:
            return int(current.read())

    def remove(self, limit=30):
        """A process that was waited for may still be on its way out."""
        end = time.monotonic() + limit
        while True:
            try:
                return os.rmdir(self.path)
            except OSError as err:
                if err.errno != errno.EBUSY or time.monotonic() > end:
                    raise
                time.sleep(0.05)        # a poll with a deadline
