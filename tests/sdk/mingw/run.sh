#!/bin/sh
# The C and the C++ template become a .dll each, which exports the entry function.
# usage: run.sh SOURCE_DIR WORK_DIR; exit code 77: no compiler for Windows here
set -eu
source=$1
work=$2
cc=x86_64-w64-mingw32-gcc
cxx=x86_64-w64-mingw32-g++-posix
for tool in $cc $cxx; do
  command -v $tool > /dev/null || { echo "skipped: $tool is not installed (Debian: g++-mingw-w64-x86-64-posix)"; exit 77; }
done
mkdir -p "$work"
warnings="-Wall -Wextra -pedantic -Werror"
$cc -std=c99 $warnings -O1 -shared -I "$source/sdk/include" "$source/plugins/echo/echo.c" -o "$work/echo.dll"
$cxx -std=c++20 $warnings -O1 -shared -I "$source/sdk/include" "$source/tests/sdk/mingw/template.cc" -o "$work/template.dll"
for dll in echo template; do
  exports=$(x86_64-w64-mingw32-objdump -p "$work/$dll.dll" | sed -n '/\[Ordinal\/Name Pointer\]/,/^$/p' | awk '/\[ *[0-9]+\]/ {print $NF}')
  [ "$exports" = collet_plugin_entry_v1 ] || { echo "FAILED: $dll.dll exports: $exports" >&2; exit 1; }
done
