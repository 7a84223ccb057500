#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages of the commands name the options that the programs know, and no others. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
SILTA=${BUILD:-build}/silta
n=0 status=0

report() { # TITLE PROBLEMS
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		status=1
	fi
}
page() { # PAGE COMMAND…: the commands whose options it describes
	local page=bridge/man/$1 command
	shift
	for command in "$@"; do
		# shellcheck disable=SC2086
		"$SILTA" $command --help
	done | grep -oE -- '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u >"$W/known"
	grep -E '^\.It (Fl|Cm)' "$page" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl /-/' | sort -u >"$W/described"
	report "$page describes every option" \
		"$(comm -23 "$W/known" "$W/described" | grep -vx -- --help)"
	report "$page describes no others" \
		"$(comm -13 "$W/known" "$W/described" | grep -vx -- --help)"
	[ -s "$W/known" ] || report "$* has options" "none"
}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
page silta-globalconf.8 "globalconf fetch" "globalconf verify" "globalconf show" "globalconf publish"
page silta-verify.8 verify
page silta-log.8 "log list" "log show" "log export" "log verify" "log archive" "log cut"
echo "1..$n"
exit $status
