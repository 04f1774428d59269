#!/usr/bin/env bash
# Installs what is needed, builds swinzoo, and takes a small bundled Swin through it: fetched over http from a hub on
# this machine, converted, run, counted, evaluated, timed and reported. Everything it makes lies under build/.
set -euo pipefail
cd "$(dirname "$0")/.."

explain() { printf '\n== %s\n' "$1"; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}

explain "Installing Debian's packages"
run scripts/install-deps.sh

explain "Building; the first time takes some minutes"
run cmake --preset release
run cmake --build --preset release --target swinzoo hub_server

work=build/quickstart
rm -rf "$work"
mkdir -p "$work/hub/demo"
cp -r tests/data/golden/swin_mini_224 "$work/hub/demo/swin_mini"

explain "Starting a hub on this machine, which serves a small Swin with random weights as demo/swin_mini"
build/release/tests/hub_server --root "$work/hub" --port-file "$work/port" >"$work/hub.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for ((tries = 0; tries < 100; ++tries)); do
  [[ -s $work/port ]] && break
  kill -0 "$server" || { cat "$work/hub.log"; exit 1; }
  sleep 0.1
done
read -r port <"$work/port"
run export HF_ENDPOINT="http://127.0.0.1:$port" HF_HOME="$PWD/$work/huggingface" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
unset HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_HUB_OFFLINE HF_TOKEN HF_TOKEN_PATH
unset "${!SWINZOO_HF_@}"

swinzoo=build/release/swinzoo
images=tests/data/imagenet_mini

explain "Fetching it into a Hugging Face cache, with every byte's digest checked"
run $swinzoo fetch hf:demo/swin_mini
explain "Converting it into one file in the common format"
run $swinzoo convert hf:demo/swin_mini -o "$work/swin_mini.safetensors"
explain "Asking it what one image shows"
run $swinzoo predict "$work/swin_mini.safetensors" $images/5_star/0.jpg
explain "Counting its parameters and multiply-accumulates"
run $swinzoo count "$work/swin_mini.safetensors" --by-op
explain "Measuring its accuracy on 20 images in 10 classes (its weights are random, so expect about 10%)"
run $swinzoo eval "$work/swin_mini.safetensors" --data $images -o "$work/eval.json"
explain "Measuring its latency at two batch sizes"
run $swinzoo bench "$work/swin_mini.safetensors" --batch 1,8 --seconds 2 -o "$work/bench.json"
explain "Writing a report of both"
run $swinzoo report "$work/eval.json" "$work/bench.json" -o "$PWD/$work/report.md"
