#!/usr/bin/env bash
set -eu
# Proves without a container that the targets build for libFuzzer and run: each
# for SECONDS_EACH (3), from its seeds, and its corpus is merged. It needs clang
# and the network; it works on a copy of the tree.
clang=$(command -v clang || command -v clang-14) || { echo "no clang here: install clang-14 libclang-rt-14-dev"; exit 1; }
seconds=${SECONDS_EACH:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/../.."
git ls-files -z | xargs -0 cp --parents -t "$work"
cd "$work/contrib/oss-fuzz"
export GOWORK=off GOBIN="$work/bin" GOFLAGS=-mod=mod OUT="$work/out"
version=v0.0.0-20250520111509-a70c2aa677fa
mkdir -p "$OUT"
for wait in 5 20 0; do # it is downloaded
  if go install github.com/AdamKorcz/go-118-fuzz-build@$version; then break; fi
  sleep $wait
done
# What build.sh calls in the builder image.
compile_native_go_fuzzer_v2() {
  "$GOBIN/go-118-fuzz-build" -o "$OUT/$3.a" -func "$2" "$1"
  "$clang" -fsanitize=fuzzer "$OUT/$3.a" -o "$OUT/$3"
}
. ./build.sh
for binary in "$OUT"/Fuzz*.dict; do
  target=$(basename "$binary" .dict)
  mkdir "$work/$target" "$work/$target.merged"
  (cd "$work/$target" && unzip -q "$OUT/${target}_seed_corpus.zip")
  before=$(ls "$work/$target" | wc -l)
  for run in "-max_total_time=$seconds -dict=$OUT/$target.dict $work/$target" "-merge=1 -max_total_time=$seconds $work/$target.merged $work/$target"; do
    "$OUT/$target" $run >"$work/log" 2>&1 || { echo "$target failed:"; tail -n 30 "$work/log"; exit 1; }
  done
  echo "$target: $before seeds, $(ls "$work/$target" | wc -l) inputs after $seconds s, $(ls "$work/$target.merged" | wc -l) of them merged"
done
