#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every bench; each measures its floor in the same run and prints ratios. KEY=rsa3072 changes
# the members' keys, COUNT the number of exchanges.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
export BUILD
for program in "$BUILD"/tests/bench/bench_*; do
	case $program in *.o | */bench_floor) continue ;; esac
	echo "== $(basename "$program")"
	"$program"
	echo
done
echo "== the whole bridge"
/usr/bin/python3 tests/bench/bench_flow.py
echo
echo "== rising concurrency"
/usr/bin/python3 tests/bench/bench_load.py
echo
echo "== idle connections and strangers (CONNECTIONS=5000)"
/usr/bin/python3 tests/bench/bench_connections.py
