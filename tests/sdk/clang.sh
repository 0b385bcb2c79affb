#!/bin/sh
# COLLET_FIELDS and COLLET_ENUM with clang, the oldest that is promised.
# usage: clang.sh SOURCE_DIR WORK_DIR; exit code 77: no clang 14 here
set -eu
source=$1
work=$2
command -v clang++-14 > /dev/null || { echo "skipped: clang++-14 is not installed"; exit 77; }
mkdir -p "$work"
clang++-14 -std=c++20 -Wall -Wextra -pedantic -Werror -O1 -I "$source/sdk/include" "$source/tests/sdk/clang_fields.cc" -o "$work/clang_fields"
"$work/clang_fields"
