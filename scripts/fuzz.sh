#!/usr/bin/env bash
# scripts/fuzz.sh [SECONDS] [ENTRY...]: builds the fuzz preset and runs each entry of tests/fuzz (or those named) for that
# long, 600 s unless told. It starts from the seeds of tests/fuzz/corpus and from what it learnt before, which is kept in
# build/fuzz-corpus/ENTRY; inputs with a fault go to build/fuzz-faults, and it fails if there was one. One allocation of
# 256 MB, 1 GB in all, 10 s over an input and a leak count as faults too.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift || true
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: $0 [SECONDS] [ENTRY...]" >&2; exit 2; }
entries=("$@")
if ((${#entries[@]} == 0)); then
  for file in tests/fuzz/*_fuzz.cc; do entries+=("$(basename "${file%_fuzz.cc}")"); done
fi
for entry in "${entries[@]}"; do
  [[ -f tests/fuzz/${entry}_fuzz.cc ]] || { echo "$0: there is no tests/fuzz/${entry}_fuzz.cc" >&2; exit 2; }
done

cmake --preset fuzz >/dev/null && cmake --build --preset fuzz >/dev/null || { echo "$0: it does not build" >&2; exit 1; }

faults=build/fuzz-faults
mkdir -p "$faults"
failed=0
format='%-18s %12s %8s %8s %7s  %s\n'
# shellcheck disable=SC2059
printf "$format" entry executions exec/s coverage MB found
for entry in "${entries[@]}"; do
  corpus=build/fuzz-corpus/$entry log=build/fuzz-corpus/$entry.log
  mkdir -p "$corpus"
  found=clean
  ASAN_OPTIONS=quarantine_size_mb=16 build/fuzz/tests/fuzz/"fuzz_$entry" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=8192 -print_final_stats=1 \
    -artifact_prefix="$faults/$entry-" "$corpus" "tests/fuzz/corpus/$entry" >"$log" 2>&1 ||
    { found="FAULT: see $log"; failed=1; }
  stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
  # shellcheck disable=SC2059
  printf "$format" "$entry" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
    "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)" "$(stat peak_rss_mb)" "$found"
done
exit $failed
