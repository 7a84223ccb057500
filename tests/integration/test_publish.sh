#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Mapping tables published with the global configuration: signed by one silta, served by any web
# server, fetched, verified and put in place by another, and put in force by a running bridge.
# What is altered, older, missing or not to be trusted changes nothing. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
SILTA=$BUILD/silta
W=$(mktemp -d)
n=0 status=0
pids=()
stop() {
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[$i]}" 2>/dev/null
		wait "${pids[$i]}" 2>/dev/null
	done
	rm -rf "$W"
}
trap stop EXIT

check() { # TITLE COMMAND…: it succeeds
	local title=$1
	shift
	n=$((n + 1))
	if "$@" >"$W/said" 2>&1; then echo "ok $n - $title"; else
		status=1
		echo "not ok $n - $title"
		head -c 2000 "$W/said" | sed 's/^/# /'
	fi
}
ends() { # STATUS PATTERN COMMAND…: exit status, and what is printed
	local wanted=$1 pattern=$2 got
	shift 2
	"$@" >"$W/printed" 2>&1
	got=$?
	cat "$W/printed"
	[ $got -eq "$wanted" ] || { echo "exit status $got instead of $wanted"; return 1; }
	grep -qE "$pattern" "$W/printed" || { echo "nothing matches $pattern"; return 1; }
}
until_there() { # FILE PATTERN SECONDS
	local i
	for ((i = 0; i < $3 * 20; i++)); do
		grep -qE "$2" "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "$1 never said \"$2\":"
	tail -n 20 "$1"
	return 1
}

# --- a source, and a set to publish ---------------------------------------------------------------

new_key() { # FILE SUBJECT
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj "/CN=$2" -addext "keyUsage=critical,digitalSignature,nonRepudiation" \
		-keyout "$W/$1.key" -out "$W/$1.pem" 2>/dev/null
	chmod 600 "$W/$1.key"
}
new_key source "configuration source"
new_key author "Author"
mkdir -p "$W/www/V6" "$W/set"
cp -r mappings/countries mappings/flows mappings/pivot mappings/messages.tsv "$W/set/"
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$W/www" >"$W/www.log" 2>&1 </dev/null &
pids+=($!)
until_there "$W/www.log" 'port [0-9]+' 10 || { echo "Bail out! no web server"; exit 1; }
PORT=$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$W/www.log")
# clients take other addresses from shared parameters where the path ends in internalconf
ln -s internalconf "$W/www/V6/conf"
SHARED=tests/data/trust/directories/V6/V6/20261123/shared-params.xml
INSTANCE=FI

publish() { # SECONDS [ARGUMENT…]
	local seconds=$1
	shift
	"$SILTA" globalconf publish --key "$W/source.key" --cert "$W/source.pem" \
		--instance "$INSTANCE" --out "$W/www" --seconds "$seconds" --anchor "$W/anchor.xml" \
		--url "http://127.0.0.1:$PORT/V6/conf" "$@" "SHARED-PARAMETERS=$SHARED"
}
fetch() { # [ARGUMENT…]
	"$SILTA" globalconf fetch --anchor "$W/anchor.xml" --dir "$W/cache" "$@"
}
places() { find "$W/www/V6" -mindepth 1 -maxdepth 1 -type d | wc -l; }
digest() { # of every file of a set
	(cd "$1" && find countries flows pivot messages.tsv -type f -print0 | sort -z |
		xargs -0 sha256sum | sha256sum)
}
same_set() { [ "$(digest "$1")" = "$(digest "$2")" ] || { echo "$1 and $2 differ"; return 1; }; }
edit() { # WORDS: of one message
	sed -i -E "s/^(FED-MAP-001	en	).*/\\1$1/" "$W/set/messages.tsv"
}

check "a set that does not load is not published" \
	ends 1 'not a mapping set|messages.tsv' publish 600 --mappings "$W/www"
check "and leaves nothing behind" [ "$(places)" -eq 0 ]
check "a set is published" ends 0 '^OK .* parts=2 ' publish 600 --mappings "$W/set"
cp "$W/www/V6/internalconf" "$W/first"
check "the directory and its parts verify" ends 0 'parts=SHARED-PARAMETERS,MAPPING-TABLES$' \
	"$SILTA" globalconf verify --anchor "$W/anchor.xml" --root "$W/www" "$W/www/V6/internalconf"

# --- fetched --------------------------------------------------------------------------------------

check "who does not ask gets no tables" ends 0 '^OK FI .* downloaded=1 ' fetch
check "nor keeps any" [ ! -e "$W/cache/FI/mapping-tables.zip" ]
check "who asks does" ends 0 "^OK mapping tables of FI in $W/tables: new" fetch --mappings "$W/tables"
check "they are the set that was published" same_set "$W/set" "$W/tables"
check "silta map check finds no problem" "$SILTA" map check --mappings "$W/tables"
check "and they translate" "$SILTA" map apply --mappings "$W/tables" --from FI --to EE \
	--flow eprescription --message response --at 2026-11-23 examples/documents/fi-01-tablet.xml
check "nothing new, nothing done" ends 0 ': unchanged' fetch --mappings "$W/tables"
cp -r "$W/tables" "$W/before"

edit 'no counterpart of {code} in {field}, {table} {version}: second edition'
check "a changed set is published" ends 0 '^OK ' publish 700 --mappings "$W/set"
cp "$W/www/V6/internalconf" "$W/second"
part=$(ls -d "$W"/www/V6/[0-9]*/ | tail -n 1)mapping-tables.zip
cp "$part" "$W/part"
printf x | dd of="$part" bs=1 seek=1000 conv=notrunc 2>/dev/null
check "an altered part is refused" \
	ends 1 '^FAIL global_conf_part_downloaded_file_integrity_failure ' fetch --mappings "$W/tables"
check "and the tables are as they were" same_set "$W/before" "$W/tables"
rm "$part"
check "a part that is not there is no answer" ends 2 'HTTP status 404' fetch --mappings "$W/tables"
check "and the tables are as they were then too" same_set "$W/before" "$W/tables"
cp "$W/part" "$part"
check "the changed set arrives" ends 0 ': new' fetch --mappings "$W/tables"
check "whole" same_set "$W/set" "$W/tables"
check "with the mark of its part" grep -q "$(sha512sum "$part" | cut -d' ' -f1)" "$W/tables/.part"
check "and nothing lies beside it" [ -z "$(find "$W" -maxdepth 1 -name '.tables.*' ! -name '*.lock')" ]

cp "$W/first" "$W/www/V6/internalconf"
check "the older directory is refused" ends 1 '^FAIL global_conf_rollback ' fetch --mappings "$W/tables"
check "and the newer tables stay" same_set "$W/set" "$W/tables"
cp "$W/second" "$W/www/V6/internalconf"
sed -i 's/^Expire-date: 20/Expire-date: 21/' "$W/www/V6/internalconf"
check "an altered directory is refused" \
	ends 1 '^FAIL global_conf_signature_verification_failure ' fetch --mappings "$W/tables"
cp "$W/second" "$W/www/V6/internalconf"
check "the good one is taken again" ends 0 ': unchanged' fetch --mappings "$W/tables"

mkdir "$W/mine" && echo "my own" >"$W/mine/notes"
check "a directory of other things is left alone" \
	ends 1 '^FAIL configuration .*left alone' fetch --mappings "$W/mine"
check "with what is in it" grep -q "my own" "$W/mine/notes"

# --- signed by their owners -----------------------------------------------------------------------

check "unsigned tables are refused where a signature is demanded" \
	ends 1 '^FAIL ' fetch --mappings "$W/signed" --mappings-ca "$W/author.pem"
check "and are not unpacked" [ ! -e "$W/signed" ]
check "the set is signed" "$SILTA" map sign --mappings "$W/set" --key "$W/author.key" \
	--cert "$W/author.pem" --set eprescription --version 2 --effective-from 2020-01-01
check "and published with its signature" ends 0 '^OK ' publish 800 --mappings "$W/set"
check "signed tables are taken" \
	ends 0 ': new' fetch --mappings "$W/signed" --mappings-ca "$W/author.pem"
check "with the signature" [ -s "$W/signed/manifest.p7s" ]
check "a stranger's are not" \
	ends 1 '^FAIL ' fetch --mappings "$W/stranger" --mappings-ca "$W/source.pem"
check "nor those that want approval" ends 1 '^FAIL ' \
	fetch --mappings "$W/stranger" --mappings-ca "$W/author.pem" --approvals 1

# --- runs before ----------------------------------------------------------------------------------

cp -r "$W/tables" "$W/held"
check "a directory without tables is published" ends 0 'parts=1 ' publish 900
check "whoever asks is told that there are none" \
	ends 1 '^FAIL global_conf_header_field_missing .*MAPPING-TABLES' fetch --mappings "$W/tables"
check "and keeps what there was" same_set "$W/held" "$W/tables"
for seconds in 1000 1001 1002; do publish $seconds >"$W/said"; done
check "of earlier runs the last two are there" [ "$(places)" -eq 2 ]
publish 1003 --name externalconf >"$W/said"
for seconds in 1004 1005 1006; do publish $seconds >"$W/said"; done
check "and what the other directory names" [ "$(places)" -eq 3 ]
check "which still verifies" ends 0 '^OK ' \
	"$SILTA" globalconf verify --anchor "$W/anchor.xml" --root "$W/www" "$W/www/V6/externalconf"

# --- a bridge takes them while it runs ------------------------------------------------------------

instance() { # NAME OTHER
	mkdir -p "$W/$1"
	"$BUILD/silta-instance" "$W/$1" "$1" --documents examples/documents \
		--federate "$W/$2/external-anchor.xml" >"$W/$1/out.log" 2>"$W/$1/err.log" </dev/null &
	pids+=($!)
}
of() { jq -r "$2" "$W/$1/instance.json"; }
side() { # NAME ANCHOR TABLES
	cat <<END
	{ name = "$1"; anchor = "$2"; globalconf = "$W/bridge/globalconf/$1"; fetch_interval = 1;
	  subsystem = "$(of "$1" .members.bridge.subsystem)"; server = "$(of "$1" .bridge_server)";
	  sign_key = "$(of "$1" .keys.bridge.sign_key)"; sign_cert = "$(of "$1" .keys.bridge.sign_cert)";
	  auth_key = "$(of "$1" .keys.bridge.auth_key)"; auth_cert = "$(of "$1" .keys.bridge.auth_cert)";
	  listen = "$(of "$1" .bridge_address)"; port = $(of "$1" .transport_port);
	  ocsp_port = $(of "$1" .ocsp_port); mappings_part = $3; }
END
}
instance EE FI
instance FI EE
until_there "$W/EE/out.log" ready 20 && until_there "$W/FI/out.log" ready 20
mkdir -m 700 "$W/bridge"
"$SILTA" globalconf fetch --anchor "$(of EE .anchor)" --dir "$W/ee" >"$W/said" 2>&1
SHARED=$W/ee/EE/shared-params.xml
INSTANCE=EE
TABLES=$W/bridge/tables
LOG=$W/bridge/log
publish 2000 --mappings "$W/set" >"$W/said" 2>&1
check "the bridge's tables are fetched before it starts" ends 0 ': new' "$SILTA" globalconf fetch \
	--anchor "$W/anchor.xml" --dir "$W/bridge/globalconf/EE" --mappings "$TABLES"
cat >"$W/bridge/silta.conf" <<END
state = "state";
mappings = "$TABLES";
sides = ( $(side EE "$W/anchor.xml" true), $(side FI "$(of FI .anchor)" false) );
routes = ( { name = "r"; from = "EE"; to = "FI"; flow = "eprescription";
             target = "$(of FI .members.centre.subsystem)"; allow = ( "EE/GOV" ); } );
END
sed -i "s,\"EE/GOV\",\"EE/$(of EE .groups.pharmacies)\"," "$W/bridge/silta.conf"
sed 's/mappings_part = false/mappings_part = true/' "$W/bridge/silta.conf" >"$W/bridge/both.conf"
check "two sides cannot fill one directory" \
	ends 1 'mappings_part: the tables of side EE are taken already' "$SILTA" check -c "$W/bridge/both.conf"
check "one can" ends 0 'no problem found' "$SILTA" check -c "$W/bridge/silta.conf"
"$SILTA" serve -c "$W/bridge/silta.conf" 2>"$LOG" </dev/null &
pids+=($!)
check "it starts with them" until_there "$LOG" 'notice ready' 20
edit 'no counterpart of {code} in {field}, {table} {version}: third edition'
rm "$W/set/manifest.conf" "$W/set/manifest.p7s"
check "another edition is published" ends 0 '^OK ' publish 2100 --mappings "$W/set"
check "the bridge puts it in force" until_there "$LOG" 'mapping set in force' 20
check "and has it on the disk" same_set "$W/set" "$TABLES"
sed -i -e '/^effective_to/d' -e 's/^effective_from.*/&\neffective_to = "2021-01-01";/' \
	"$W/set/countries/FI/country.conf"
cp -r "$TABLES" "$W/third"
check "one that is no longer in force is published" ends 0 '^OK ' publish 2200 --mappings "$W/set"
check "the bridge says that it does not take it" \
	until_there "$LOG" 'renewal failed.*mapping tables|mapping tables.*not in force' 20
check "and stays with the one before" same_set "$W/third" "$TABLES"
check "which it still runs on" [ "$(grep -c 'mapping set in force' "$LOG")" -eq 1 ]
echo "1..$n"
exit $status
