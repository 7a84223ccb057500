#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Dependencies point one way: base <- federation, base <- mappings, all three <- bridge; and each
# large library is known to one file. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
n=0 status=0

report() { # TITLE OFFENDERS
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2"
		status=1
	fi
}

includes() { # PATTERN FOLDER…
	local pattern=$1
	shift
	grep -rnE "^ *# *include *[<\"]$pattern" --include='*.[ch]' "$@" 2>/dev/null
}

ours='[a-z0-9_]+\.h"' # a header of bridge/ itself has no folder
report "base knows only itself" "$(includes "((federation|mappings|tests)/|$ours)" bridge/base)"
report "federation knows only base and itself" \
	"$(includes "((mappings|tests)/|$ours)" federation)"
report "mappings know only base and themselves" \
	"$(includes "((federation|tests)/|$ours)" mappings)"
report "the programs do not know the tests" "$(includes 'tests/' bridge federation mappings)"
report "federation and mappings make no threads and open no sockets" \
	"$(includes '(pthread|sys/socket|netinet/[a-z]+|curl/curl|microhttpd|sqlite3)\.h' federation mappings)"
report "federation and mappings do not log or ask the time" \
	"$(includes 'base/(log|queue)\.h' federation mappings
	grep -rnE '\bslt_now_ms *\(|\bslt_mono_us *\(' --include='*.c' federation mappings)"

only() { # LIBRARY PATTERN FILE
	report "only $3 knows $1" "$(includes "$2" bridge federation mappings tests |
		grep -vE "^($3):")"
}
only libmicrohttpd 'microhttpd\.h' bridge/server.c
only GnuTLS 'gnutls/' bridge/server.c
only libcurl 'curl/' bridge/client.c
only libzip 'zip\.h' bridge/base/zip.c
only libconfig 'libconfig' bridge/base/conf.c
only SQLite 'sqlite3\.h' 'bridge/msglog_sql[a-z_]*\.[ch]|bridge/sql.h|tests/unit/test_msglog[a-z_]*\.c'
report "xmlsec is only a judge of the tests" "$(includes 'xmlsec/' bridge federation mappings tests)"
echo "1..$n"
exit $status
