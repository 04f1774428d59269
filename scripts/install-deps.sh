#!/usr/bin/env bash
# Installs the Debian 12 packages that swinzoo is built and run with; --test adds what its tests need,
# --fuzz what scripts/fuzz.sh does.
# Nothing else is downloaded, here or when building.
set -euo pipefail

packages=(
  build-essential ca-certificates ccache cmake git ninja-build pkg-config
  catch2 libboost-json1.81-dev libboost1.81-dev libcli11-dev libcurl4-openssl-dev libeigen3-dev libfmt-dev
  libjpeg62-turbo-dev libpng-dev libsqlite3-dev libssl-dev libtbb-dev libwebp-dev zlib1g-dev
  libarchive-dev libavcodec-dev libavformat-dev libavutil-dev libhdf5-dev libhwy-dev libjs-chart.js libprotobuf-dev
  libswscale-dev libtomlplusplus-dev protobuf-compiler
)
case "${1:-}" in
  "") ;;
  --test) packages+=(chromium ffmpeg fish libbenchmark-tools python3 python3-venv sqlite3 zsh) ;;
  --fuzz) packages+=(clang libclang-rt-14-dev llvm) ;;
  *) echo "usage: $0 [--test | --fuzz]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "All ${#packages[@]} packages are installed."
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "$0: run it as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
