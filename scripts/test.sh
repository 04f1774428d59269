#!/usr/bin/env bash
# Installs what is needed, builds swinzoo, and passes its tests: core and peers in release; then, under AddressSanitizer
# and UBSan, the core tests of formats and zoo, and the fuzz corpora. The last line counts them all. Fails if any test does, or is not run.
set -uo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS

step() {
  printf '\n== %s\n' "$1"
  shift
  printf '$ %s\n' "$*"
  "$@" || { echo "$0: this step failed: $*" >&2; exit 1; }
}

passed=0
failed=0
# test_with PRESET CTEST_OPTIONS...: adds ctest's own counts to the sums.
test_with() {
  local preset=$1 log=build/ctest-$1.log junit=$PWD/build/ctest-$1.xml
  shift
  printf '\n== Testing (%s)\n$ ctest --preset %s %s\n' "$preset" "$preset" "$*"
  rm -f "$junit"
  ctest --preset "$preset" -j "$(nproc)" --no-tests=error --output-junit "$junit" "$@" 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]}
  local suite total bad
  suite=$(grep -A 8 -m 1 '<testsuite ' "$junit") || { echo "$0: ctest ran no test" >&2; exit 1; }
  count() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" <<<"$suite" | head -n 1; }
  total=$(count tests)
  bad=$(($(count failures) + $(count disabled) + $(count skipped)))
  ((status != 0 && bad == 0)) && bad=1
  passed=$((passed + total - bad))
  failed=$((failed + bad))
}

step "Installing Debian's packages" scripts/install-deps.sh --test
step "Making a Python environment, for the tests against timm and huggingface_hub" python3 -m venv build/venv
step "Filling it" build/venv/bin/pip install --disable-pip-version-check --progress-bar off \
  -r tests/peers/requirements.txt

step "Configuring (release)" cmake --preset release
step "Building (release)" cmake --build --preset release
test_with release -L '^(core|peers)$'

step "Configuring (asan)" cmake --preset asan
step "Building (asan)" cmake --build --preset asan --target formats_tests zoo_tests fuzz
test_with asan -L '^core$' -R '^(formats|zoo|fuzz):'

printf '\n%d minutes\n%d passed, %d failed\n' $(((SECONDS - started) / 60)) "$passed" "$failed"
((failed == 0))
