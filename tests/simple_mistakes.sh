#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calls that the house style forbids, found by name. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
n=0 status=0

forbid() { # TITLE PATTERN [EXCEPT]
	local found
	found=$(grep -rnE "$2" --include='*.[ch]' bridge federation mappings tests/instance |
		grep -vE "${3:-^$}")
	n=$((n + 1))
	if [ -z "$found" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$found"
		status=1
	fi
}

forbid "no unbounded string functions" '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|stpcpy)\('
forbid "no atoi" '\b(atoi|atol|atof)\('
forbid "no alloca" '\balloca\('
forbid "one source of time" '[^_a-z](time|gettimeofday)\((NULL|0|&)' '^tests/'
forbid "no raw memory functions of the C library" '[^_a-z.>](malloc|calloc|realloc|strdup|strndup|asprintf)\(' \
	'^bridge/base/mem\.c'
forbid "no system() and popen()" '[^_a-z](system|popen)\('
forbid "no open ends in comments" '(\bTODO\b|\bFIXME\b|\bXXX\b)'
forbid "secrets are not compared with memcmp" 'memcmp\([^)]*(pin|secret|token|hmac)'
echo "1..$n"
exit $status
