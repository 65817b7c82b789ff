# SPDX-License-Identifier: Apache-2.0
"""The loop of messengers' comparison scripts: signature files are left out by name, everything else is read by name."""
import fnmatch
import sys
import zipfile

IGNORED = ("META-INF/MANIFEST.MF", "META-INF/*.SF", "META-INF/*.RSA", "META-INF/*.DSA", "META-INF/*.EC", "stamp-cert-sha256")


def names(archive):
    return sorted(name for name in archive.namelist() if not any(fnmatch.fnmatchcase(name, rule) for rule in IGNORED))


with zipfile.ZipFile(sys.argv[1]) as published, zipfile.ZipFile(sys.argv[2]) as rebuilt:
    if names(published) != names(rebuilt):
        sys.exit("other names")
    for name in names(published):
        if published.read(name) != rebuilt.read(name):
            sys.exit("other content: " + name)
