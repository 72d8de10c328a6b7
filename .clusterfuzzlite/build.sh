#!/usr/bin/env bash
set -eu
. "$SRC/why520/contrib/oss-fuzz/build.sh"
