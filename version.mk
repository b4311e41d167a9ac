# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The one place with the version: the module, the loader and the man pages read it.
VERSION := 0.1.0
