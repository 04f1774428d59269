#!/bin/sh
# run.sh PYTHON FILE: one file of tests, with the Python environment that scripts/test.sh makes.
if [ ! -x "$1" ]; then
  echo "$1 is missing, so $2 can't be run. scripts/test.sh makes it; or, from the top folder:"
  echo "  python3 -m venv build/venv && build/venv/bin/pip install -r tests/peers/requirements.txt"
  exit 1
fi
exec "$1" -m pytest -q -rP -p no:cacheprovider "$2"
