#!/usr/bin/env bash
set -eu
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite want them: run in their
# builder image, in this folder.
export GOWORK=off
go get github.com/AdamKorcz/go-118-fuzz-build/testing@v0.0.0-20250520111509-a70c2aa677fa
go run ./seeds "$OUT"
for target in $(grep -o '^func Fuzz[A-Za-z]*' targets_test.go | cut -d' ' -f2); do
  cp http.dict "$OUT/$target.dict"
  compile_native_go_fuzzer_v2 why520/contrib/oss-fuzz "$target" "$target"
done
