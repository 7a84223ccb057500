#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `silta verify` and `silta globalconf verify` over X-Road's own containers and signed directories:
# what is printed and how they exit, one case a file. Files that are not there are not listed. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
SILTA=${BUILD:-build}/silta
V=${SLT_SHARED:-../shared}/vectors/xroad
if [ ! -d "$V" ]; then
	echo 1..1
	echo "ok 1 - containers and directories of X-Road # SKIP $V is not there"
	exit 0
fi
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
n=0 status=0

# TITLE EXIT-STATUS BEGINNING WORDS COMMAND…: the first line begins so and has the words; nothing
# else is a verdict
says() {
	local title=$1 wanted=$2 begins=$3 words=$4 rc line
	shift 4
	n=$((n + 1))
	"$@" >"$W/out" 2>"$W/err"
	rc=$?
	line=$(head -n 1 "$W/out")
	if [ $rc -eq "$wanted" ] && [ "${line#"$begins"}" != "$line" ] &&
		[[ $line == *"$words"* ]] && [ "$(grep -cE '^(OK|FAIL) ' "$W/out")" -eq 1 ]; then
		echo "ok $n - $title"
	else
		status=1
		echo "not ok $n - $title"
		printf '# not exit status %s, "%s" and "%s", but %s:\n' "$wanted" "$begins" "$words" $rc
		cat "$W/out" "$W/err" | head -c 2000 | sed 's/^/# /'
	fi
}

# --- containers -----------------------------------------------------------------------------------

CONF=$V/globalconf/globalconf_good2_v3

container() { # FILE CODE [WORDS]: the code, or OK
	[ -e "$V/asice/$1" ] || return 0
	if [ "$2" = OK ]; then
		says "$1 is good" 0 "OK $1 " "${3-}" "$SILTA" verify --conf "$CONF" "$V/asice/$1"
	else
		says "$1 is refused: $2" 1 "FAIL $1 $2 " "${3-}" "$SILTA" verify --conf "$CONF" "$V/asice/$1"
	fi
}

container valid-signed-message.asice OK 'signer="DEV/COM/4321" timestamp="2024-12-05T13:16:35Z"'
container valid-signed-hashchain.asice OK 'signer="DEV/COM/4321"'
container valid-batch-ts.asice OK 'signer="DEV/COM/4321" timestamp="2024-12-05T07:34:14Z"'
container valid-non-batch-rest.asice OK 'signer="DEV/COM/1234" timestamp="2024-07-11'
container valid-non-batch-soap-attachments.asice OK 'timestamp="2024-12-03'
# its hash chain is signed by nobody: X-Road passes over it
container invalid-not-signed-hashchain.asice OK 'warning="'
container wrong-message.asice invalid_signature_value
container invalid-digest.asice invalid_signature_value
container invalid-signed-hashchain.asice malformed_signature.invalid_hash_chain_ref
container invalid-hashchain-modified-message.asice malformed_signature.hashchain_unused_inputs
container invalid-incorrect-references.asice malformed_signature
container invalid-ts-hashchainresult.asice malformed_signature
container attachments.asice asic_message_not_found
container asic-core-valid-signed-message-with-attachments.asice OK 'timestamp="2024-11-27'
container asic-core-no-mimetype.asice asic_mime_type_not_found
container asic-core-not-asic.asice asic_mime_type_not_found
container asic-core-no-message.asice asic_message_not_found
container asic-core-no-signature.asice asic_signature_not_found
if [ -e "$V/asice/asic-core-valid-signed-message.asice" ]; then
	says "asic-core-valid-signed-message.asice, its structure" 0 "OK " "" \
		"$SILTA" verify --structure "$V/asice/asic-core-valid-signed-message.asice"
fi

# --- signed directories ---------------------------------------------------------------------------

SD=$V/signed-directories
ANCHOR=$V/anchors/configuration_anchor_CS_internal.xml

directory() { # TITLE CODE|"OK words" FILE [OPTION…]; without --anchor, that of the directories
	local title=$1 wanted=$2 file=$3
	shift 3
	[ -e "$file" ] || return 0
	case " $* " in *" --anchor "*) ;; *) set -- --anchor "$ANCHOR" "$@" ;; esac
	if [ "${wanted%% *}" = OK ]; then
		says "$title is good" 0 "OK $file " "${wanted#OK }" "$SILTA" globalconf verify "$@" "$file"
	else
		says "$title is refused: $wanted" 1 "FAIL $wanted " "" "$SILTA" globalconf verify "$@" "$file"
	fi
}
whole() { # VERSION LEAF CODE|"OK words" [OPTION…]: with its parts, and what earlier ones taught
	local shared
	shared=$(echo "$SD/$1"/*/shared-params.xml)
	directory "$1/$2" "$3" "$SD/$1/$2" --shared "$shared" --root "$SD"
}

for leaf in internalconf externalconf; do
	whole V3 $leaf "OK instance=CS version=3 expires=2034-04-09"
	whole V4 $leaf "OK instance=DEV version=4 expires=2034-05-30"
	whole V5 $leaf "OK instance=DEV version=5 expires=2035-03-01"
done
whole V6 internalconf "OK instance=DEV version=6 expires=2035-11-11"
# its shared parameters are not those that were signed
whole V6 externalconf global_conf_part_downloaded_file_integrity_failure
directory "V6/internalconf by its anchor alone" "OK instance=DEV" "$SD/V6/internalconf" --root "$SD"
for d in V3/internalconf V4/internalconf V5/internalconf V6/externalconf; do
	directory "$d by an anchor that does not name its key" global_conf_missing_verification_cert \
		"$SD/$d" --root "$SD"
done
directory "V6/internalconf after its day" global_conf_outdated "$SD/V6/internalconf" \
	--at 2035-11-11T03:07:41Z
directory "V6/internalconf without its parts" global_conf_part_download_failure \
	"$SD/V6/internalconf" --root "$W"
if [ -e "$SD/V6/internalconf" ]; then
	sed 's/^Expire-date: 2035/Expire-date: 2036/' "$SD/V6/internalconf" >"$W/altered"
	directory "V6/internalconf, altered" global_conf_signature_verification_failure "$W/altered"
fi

# those of the configuration client's tests: an anchor with the certificate that signed them
CC=$V/configuration-client
if [ -e "$CC/consumer.pem" ]; then
	cert=$(openssl x509 -in "$CC/consumer.pem" -outform DER | base64 -w 0)
	cat >"$W/anchor.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<ns:configurationAnchor xmlns:ns="http://x-road.eu/xsd/xroad.xsd"><instanceIdentifier>EE</instanceIdentifier><source><downloadURL>http://cs.example/internalconf</downloadURL><verificationCert>$cert</verificationCert></source></ns:configurationAnchor>
END
fi
client() { directory "$1" "$2" "$CC/$1" --anchor "$W/anchor.xml" --at 2026-01-01T00:00:00Z; }
client test-conf-simple.txt "OK instance=EE"
client test-conf-detached.txt "OK instance=EE"
client test-conf-invalid-signature.txt global_conf_signature_verification_failure
client test-conf-missing-signature.txt global_conf_signature_verification_failure
client test-conf-missing-date.txt global_conf_header_field_missing
client test-conf-malformed.txt global_conf_missing_signed_data_expiration_date
directory "test-conf-simple.txt today" global_conf_outdated "$CC/test-conf-simple.txt" \
	--anchor "$W/anchor.xml"
directory "test-conf-simple.txt by another anchor" global_conf_missing_verification_cert \
	"$CC/test-conf-simple.txt" --anchor "$CC/configuration-anchor1.xml"
if [ $n -eq 0 ]; then
	n=1
	echo "ok 1 - containers and directories of X-Road # SKIP none of them is in $V"
fi
echo "1..$n"
exit $status
