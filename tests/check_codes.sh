#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The fault codes of mapping are the same in bridge/base/errors.def, in the table of
# mappings/README.md and in messages.tsv, where each has a sentence in Estonian, Finnish and English;
# and no source or rule names another. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
export LC_ALL=C
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
pattern='FED-[A-Z]+-[0-9]{3}'
n=0 status=0

same() { # NAME LEFT RIGHT: files with a sorted list each
	n=$((n + 1))
	if [ -s "$2" ] && diff "$2" "$3" >"$W/diff"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$W/diff"
		status=1
	fi
}

grep -oE "\"$pattern\"" bridge/base/errors.def | tr -d '"' | sort -u >"$W/codes"
sed -n '/^## Fault codes$/,/^## Signed sets$/p' mappings/README.md |
	sed -nE "s/^\| ($pattern) \| .*/\1/p" | sort >"$W/documented"
same "every code is documented, once" "$W/codes" "$W/documented"
for lang in en et "fi"; do
	awk -F '\t' -v l=$lang '$2 == l && $3 != "" { print $1 }' mappings/messages.tsv |
		grep -xE "$pattern" | sort >"$W/said"
	same "every code has a sentence: $lang" "$W/codes" "$W/said"
done
{
	grep -rhoE "SLT_FED_[A-Z]+_[0-9]{3}" mappings/*.[ch] bridge/*.[ch] federation/*.[ch] |
		sed 's/^SLT_//; y/_/-/'
	grep -hoE "\"$pattern" mappings/*.c bridge/*.c mappings/flows/*/*.conf \
		examples/documents/index.tsv | tr -d '"'
	grep -oE "^$pattern" mappings/messages.tsv
	cat "$W/codes"
} | sort -u >"$W/named"
same "no other code is named" "$W/codes" "$W/named"
echo "1..$n"
exit $status
