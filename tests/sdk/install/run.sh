#!/bin/sh
# The installed SDK, moved elsewhere, builds plugins outside the tree: with find_package and with pkg-config.
# usage: run.sh SOURCE_DIR BUILD_DIR WORK_DIR
set -eu
source=$1
build=$2
work=$3
rm -rf "$work"
mkdir -p "$work"

cmake --install "$build" --component sdk --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/moved"
if grep -rl "$work/first\|$source" "$work/moved"; then
  echo "FAILED: these files know where they were installed" >&2
  exit 1
fi

exports_only_the_entry() {
  symbols=$(nm -D --defined-only "$1" | awk '{print $NF}')
  [ "$symbols" = collet_plugin_entry_v1 ] || { echo "FAILED: $1 exports: $symbols" >&2; exit 1; }
}

cmake -S "$source/tests/sdk/install" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/moved" > "$work/configure.log"
cmake --build "$work/build" > "$work/build.log" || { cat "$work/build.log" >&2; exit 1; }
exports_only_the_entry "$work/build/plugins/outside.so"
exports_only_the_entry "$work/build/plugins/outside_c.so"

export PKG_CONFIG_PATH="$work/moved/share/pkgconfig"
cc $(pkg-config --cflags collet) "$source/plugins/echo/echo.c" $(pkg-config --libs collet) -o "$work/echo.so"
c++ -std=c++20 $(pkg-config --cflags collet) "$source/tests/sdk/install/outside.cc" $(pkg-config --libs collet) -o "$work/outside.so"
exports_only_the_entry "$work/echo.so"
exports_only_the_entry "$work/outside.so"

# A version of another major is not taken.
mkdir -p "$work/other"
printf 'cmake_minimum_required(VERSION 3.22)\nproject(other C CXX)\nfind_package(Collet 99 CONFIG QUIET)\nif(Collet_FOUND)\n  message(FATAL_ERROR "took it")\nendif()\n' > "$work/other/CMakeLists.txt"
cmake -S "$work/other" -B "$work/other/build" -DCMAKE_PREFIX_PATH="$work/moved" > "$work/other.log"
