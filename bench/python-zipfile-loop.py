# SPDX-License-Identifier: Apache-2.0
"""The loop that comparison scripts of messenger projects are made of: names, then the content of every entry."""
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as published, zipfile.ZipFile(sys.argv[2]) as rebuilt:
    names = sorted(published.namelist())
    if names != sorted(rebuilt.namelist()):
        sys.exit("other names")
    for name in names:
        if published.read(name) != rebuilt.read(name):
            sys.exit("other content: " + name)
