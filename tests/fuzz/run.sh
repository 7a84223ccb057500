#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS [NAME…]: fuzzes each target (all without names) with libFuzzer, ASan and UBSan,
# starting from its corpus. TAP; what a target found is left under $BUILD/findings.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build-fuzz}
MAKE=${MAKE:-make}
seconds=$1
shift
if [ $# -eq 0 ] || [ "$1" = all ]; then
	set --
	for f in tests/fuzz/fuzz_*.c; do
		name=$(basename "$f" .c)
		set -- "$@" "${name#fuzz_}"
	done
fi
mkdir -p "$BUILD/findings"
targets=()
for name in "$@"; do
	targets+=("$BUILD/fuzz_$name")
done
$MAKE --no-print-directory -s -j"$(nproc)" CC=clang-14 BUILD="$BUILD" OPT=-O1 \
	FUZZ_BUILD="$BUILD" SANITIZE=address,undefined,fuzzer-no-link "${targets[@]}" || exit 2
n=0 status=0
for name in "$@"; do
	n=$((n + 1))
	work=$BUILD/corpus/$name
	mkdir -p "$work"
	if "$BUILD/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-max_len=65536 -artifact_prefix="$BUILD/findings/$name-" -print_final_stats=1 \
		"$work" "tests/fuzz/corpus/$name" >"$BUILD/$name.log" 2>&1; then
		echo "ok $n - fuzz $name, $seconds s," \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$BUILD/$name.log") runs"
	else
		echo "not ok $n - fuzz $name"
		tail -n 30 "$BUILD/$name.log"
		status=1
	fi
done
echo "1..$n"
exit $status
