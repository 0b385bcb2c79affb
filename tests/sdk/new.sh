#!/bin/sh
# What `collet new` makes, with a Collet that is installed and not in the tree: it is built, its tests pass, its tool is called.
# usage: new.sh BUILD_DIR WORK_DIR
set -eu
build=$1
work=$2
rm -rf "$work"
mkdir -p "$work"
cd "$work"

cmake --install "$build" --prefix "$work/prefix" > install.log
collet=$work/prefix/bin/collet
fail() { echo "FAILED: $1" >&2; exit 1; }

for language in c cpp; do
  name=greet-$language
  "$collet" new "$name" --lang "$language" > "$name.log"
  grep -q -- "-DCMAKE_PREFIX_PATH=$work/prefix" "$name.log" || fail "it does not say where the SDK is: $(cat "$name.log")"
  cmake -S "$name" -B "$name/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS=-Werror -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" \
    > "$name.configure.log"
  cmake --build "$name/build" > "$name.build.log" || fail "$(cat "$name.build.log")"
  ctest --test-dir "$name/build" --output-on-failure > "$name.test.log" || fail "$(cat "$name.test.log")"
  grep -q "out of 2" "$name.test.log" || fail "it has not two tests: $(cat "$name.test.log")"
  said=$("$collet" call "$name" name=Ada -c "$name/build/collet.toml" 2> "$name.call.log")
  [ "$said" = "Hello, Ada!" ] || fail "it says $said: $(cat "$name.call.log")"
  readelf -S "$name/build/plugins/$name.so" | grep -q debug_info || fail "it has no symbols for a debugger"
  cmake --install "$name/build" --prefix "$work/$name-prefix" > /dev/null
  find "$work/$name-prefix" -path "*/collet/plugins/$name.so" | grep -q . || fail "it is not installed among plugins"
  (cd "$name" && cmake --preset release -DCMAKE_PREFIX_PATH="$work/prefix" > /dev/null) || fail "its presets are no good"
  python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$name/.vscode/launch.json"
done

"$collet" new greet-c > again.log 2>&1 && fail "it has written into a folder that is not empty"
grep -q "greet-c/ is there already" again.log || fail "$(cat again.log)"
"$collet" new Greet > wrong.log 2>&1 && fail "it has taken a name that is none"
[ ! -e Greet ] || fail "it has made a folder of a name that is none"
mkdir empty
"$collet" new empty > empty.log || fail "an empty folder is not taken"
