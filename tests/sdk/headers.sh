#!/bin/sh
# The headers stand alone, twice over, in every language they promise, without a warning.
# usage: headers.sh INCLUDE_DIR WORK_DIR
set -eu
include=$1
work=$2
rm -rf "$work"  # with what was there of headers that are no more
mkdir -p "$work"
warnings="-Wall -Wextra -pedantic -Wpadded -Wshadow -Wconversion -Werror"

compile() { # COMPILER STANDARD SOURCE [FLAG…]
  compiler=$1 standard=$2 source=$3
  shift 3
  "$compiler" -std="$standard" "$@" -fsyntax-only -I "$include" "$source" || {
    echo "FAILED: $compiler -std=$standard $* $source" >&2
    exit 1
  }
}

extensions=$(cd "$include/collet" && ls ext/*.h ext/draft/*.h | sed 's/\.h$//')
for header in plugin json $extensions; do
  name=$(basename $header)
  printf '#include <collet/%s.h>\n#include <collet/%s.h>\nint header_is_used(void);\nint header_is_used(void) { return COLLET_OK; }\n' \
    $header $header > "$work/$name.c"
  cp "$work/$name.c" "$work/$name.cc"
done
kit=$(cd "$include/collet" && ls kit/*.hpp | sed 's/\.hpp$//')
for header in json reflect fields schema runtime call offered registry plugin answering peers loops http store events fetch $kit; do
  printf '#include <collet/%s.hpp>\n#include <collet/%s.hpp>\n' $header $header > "$work/$(echo $header | tr / _).cc20.cc"
done

compilers=0
for c in gcc clang-14; do
  command -v $c > /dev/null || continue
  compilers=$((compilers + 1))
  for standard in c99 c11 c17; do
    for header in plugin json $extensions; do compile $c $standard "$work/$(basename $header).c" $warnings; done
  done
done
for cxx in g++ clang++-14; do
  command -v $cxx > /dev/null || continue
  compilers=$((compilers + 1))
  for standard in c++11 c++14 c++17 c++20; do
    for header in plugin $extensions; do compile $cxx $standard "$work/$(basename $header).cc" $warnings; done
  done
  compile $cxx c++20 "$work/json.cc" -Wall -Wextra -pedantic -Werror
  for source in "$work"/*.cc20.cc; do compile $cxx c++20 "$source" -Wall -Wextra -pedantic -Wshadow -Werror; done
done
[ $compilers -ge 2 ] || { echo "no compiler was found" >&2; exit 1; }
