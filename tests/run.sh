#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests: run.sh [unit|interop|fuzz|integration|checks|NAME]…; all without arguments.
# One line a case ("ok", "FAIL" or "skipped" with the reason); the last line is
# "N passed, N failed, N skipped". Exit status 1 when anything failed.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build}
LOGS=$BUILD/test-logs
export BUILD SLT_SHARED=${SLT_SHARED:-../shared}
mkdir -p "$LOGS"
passed=0 failed=0 skipped=0 absent=0
wanted=("$@")

want() { # GROUP NAME
	[ ${#wanted[@]} -eq 0 ] && return 0
	local w
	for w in "${wanted[@]}"; do
		[ "$w" = "$1" ] || [ "$w" = "$2" ] && return 0
	done
	return 1
}

# Reads TAP from a log: counts, prints a line a case. A program that ends badly without having said
# which case failed is a failure of its own. A case whose own vector file is not among those of
# $SLT_SHARED is no case here: it is counted apart.
tally() { # NAME LOG STATUS
	local line what why='' bad=0 any=0
	while IFS= read -r line; do
		case $line in
		*"# SKIP"*)
			any=1
			what=${line#*# SKIP}
			case $why in
			"skipped: $SLT_SHARED/"*" is not there")
				if [ -d "$SLT_SHARED" ]; then
					absent=$((absent + 1))
					continue
				fi
				;;
			esac
			printf 'skipped %s:%s%s\n' "$1" "$what" "${why:+ (${why#skipped: })}"
			skipped=$((skipped + 1))
			;;
		"ok "*)
			what=${line#ok } what=${what#* - }
			printf 'ok      %s: %s\n' "$1" "$what"
			passed=$((passed + 1)) any=1
			;;
		"not ok "*)
			what=${line#not ok } what=${what#* - }
			printf 'FAIL    %s: %s\n' "$1" "$what"
			failed=$((failed + 1)) any=1 bad=1
			;;
		esac
		why=$line
	done <"$2"
	if { [ "$3" -ne 0 ] && [ $bad -eq 0 ]; } || [ $any -eq 0 ]; then
		printf 'FAIL    %s: ended with status %s; its output:\n' "$1" "$3"
		tail -n 20 "$2" | sed 's/^/        /'
		failed=$((failed + 1))
	elif [ $bad -ne 0 ]; then
		grep -vE '^(ok |1\.\.)' "$2" | tail -n 40 | sed 's/^/        /'
	fi
}

run() { # NAME TIMEOUT COMMAND…
	local name=$1 limit=$2 status
	shift 2
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$@" >"$LOGS/$name.log" 2>&1 </dev/null
	status=$?
	tally "$name" "$LOGS/$name.log" $status
}

wrap=()
if [ -n "${VALGRIND:-}" ]; then
	wrap=(valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
		--num-callers=25 --suppressions=tests/valgrind.supp)
fi

for group in unit interop; do
	for src in tests/"$group"/test_*.c; do
		[ -e "$src" ] || continue
		name=$(basename "$src" .c)
		want $group "$name" && run "$name" 600 "${wrap[@]}" "$BUILD/tests/$group/$name"
	done
done
for src in tests/fuzz/fuzz_*.c; do
	[ -e "$src" ] || continue
	name=$(basename "$src" .c)
	want fuzz "$name" && run "$name" 120 "$BUILD/tests/fuzz/$name" "tests/fuzz/corpus/${name#fuzz_}"
done
for script in tests/integration/test_*.sh; do
	[ -e "$script" ] || continue
	name=$(basename "$script" .sh)
	want integration "$name" && run "$name" 900 "$script"
done
for script in tests/check_layers.sh tests/simple_mistakes.sh tests/check_options.sh tests/check_codes.sh \
	tests/check_manual.sh; do
	name=$(basename "$script" .sh)
	want checks "$name" && run "$name" 300 "$script"
done
[ $absent -eq 0 ] || echo "(cases for $absent further vectors wait for their files in $SLT_SHARED)"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
