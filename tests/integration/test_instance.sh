#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The national instance in a box, judged by other people's tools: an Estonian instance whose
# pharmacy calls its own prescription centre through the whole transport; every fault that it can
# be asked for; a Finnish one with EC keys that is federated with it. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
SLT_SHARED=${SLT_SHARED:-../shared}
BOX=$BUILD/silta-instance
CHECKER=$SLT_SHARED/tools/xroad_check.py
PYTHON=/usr/bin/python3
W=$(mktemp -d)
n=0 status=0 pids=()

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { # TITLE DETAIL
	n=$((n + 1)) status=1
	echo "not ok $n - $1"
	printf '%s\n' "$2" | head -c 2000 | sed 's/^/# /'
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
is() { # TITLE WANTED GOT
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2
got: $3"; fi
}
like() { # TITLE PATTERN GOT
	# shellcheck disable=SC2053 # a pattern
	if [[ $3 == $2 ]]; then ok "$1"; else not_ok "$1" "wanted: $2
got: $3"; fi
}
has() { # TITLE WANTED TEXT
	if [[ $3 == *"$2"* ]]; then ok "$1"; else not_ok "$1" "wanted in it: $2
got: $3"; fi
}

# shellcheck disable=SC2317 # called by the trap
finish() {
	local p
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	if [ $status -ne 0 ]; then tail -n 20 "$W"/*.err | sed 's/^/# /'; fi
	rm -rf "$W"
}
trap finish EXIT

start() { # DIR NAME OPTION… ; sets PID
	local dir=$1
	"$BOX" "$@" >"$dir.out" 2>"$dir.err" </dev/null &
	PID=$!
	pids+=("$PID")
	for _ in $(seq 100); do
		grep -q '^ready$' "$dir.out" 2>/dev/null && return 0
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.1
	done
	cat "$dir.err"
	return 1
}
info() { jq -r "$2" "$W/$1/instance.json"; }
admin() { curl -s -m 20 -X POST "$(info "$1" .admin)/$2"; }
get() { curl -s -m 20 "$@"; }
http_status() { curl -s -m 20 -o /dev/null -w '%{http_code}' "$@"; }

# --- messages ---------------------------------------------------------------------------------

envelope() { # INSTANCE CLIENT-CLASS/CODE/SUBSYSTEM CENTRE-CODE/SUBSYSTEM NS OPERATION CONTENT
	local class code sub
	IFS=/ read -r class code sub <<<"$2"
	cat <<-XML
	<?xml version="1.0" encoding="UTF-8"?>
	<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers" xmlns:s="$4"><e:Header>
	<x:client i:objectType="SUBSYSTEM"><i:xRoadInstance>$1</i:xRoadInstance><i:memberClass>$class</i:memberClass><i:memberCode>$code</i:memberCode><i:subsystemCode>$sub</i:subsystemCode></x:client>
	<x:service i:objectType="SERVICE"><i:xRoadInstance>$1</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>${3%/*}</i:memberCode><i:subsystemCode>${3#*/}</i:subsystemCode><i:serviceCode>$5</i:serviceCode><i:serviceVersion>v1</i:serviceVersion></x:service>
	<x:userId>${1:0:2}1</x:userId><x:id>m-$RANDOM-$RANDOM</x:id><x:protocolVersion>4.0</x:protocolVersion>
	</e:Header><e:Body><s:$5>$6</s:$5></e:Body></e:Envelope>
	XML
}
EE_NS=http://digiretsept.example.ee/piiriylene/1
FI_NS=http://reseptikeskus.example.fi/rajat-ylittava/1
EE_CLIENT=COM/10000123/apteek
PERSON='<s:isik oid="1.3.6.1.4.1.28284.6.2.2.1" kood="36802279845"/>'
RX='<s:retseptiTunnus oid="1.3.6.1.4.1.28284.6.2.4.4" nr="9990000202.1"/>'

ee() { # OPERATION CONTENT CURL-OPTION…
	local op=$1 content=$2
	shift 2
	envelope EE "$EE_CLIENT" 70000444/retseptikeskus "$EE_NS" "$op" "$content" |
		curl -s -m 30 -H 'Content-Type: text/xml; charset=UTF-8' "$@" --data-binary @- \
			"$(info ee .client)"
}
code_of() { # the fault code of an answer, or "none"
	local c
	c=$(sed -n 's/.*<faultcode>\([^<]*\)<.*/\1/p')
	echo "${c:-none}"
}
list() { ee valisretseptideLoetelu "$PERSON" "$@"; }

# --- start ------------------------------------------------------------------------------------

"$BOX" --help >"$W/help" && has "--help names every option" "--conf-version" "$(cat "$W/help")"
for bad in "" "$W/x" "$W/x XX" "$W/x EE --key dsa" "$W/x EE --conf-version 7" "$W/x EE --nonsense" \
	"$W/x E/E --country EE" "$W/x EE --address-base 10.0.0"; do
	# shellcheck disable=SC2086
	if timeout 20 "$BOX" $bad >/dev/null 2>&1 </dev/null; then
		not_ok "refuses the arguments '${bad#"$W"/}'" "it started"
	else
		ok "refuses the arguments '${bad#"$W"/}'"
	fi
done

# not the tables' examples: the test must not change with them
mkdir "$W/docs"
document() { # KIND-CODE ID PERSON-ROOT PERSON RX-ATTRIBUTES FORM-SYSTEM FORM QUANTITY
	local product="<manufacturedProduct><manufacturedMaterial><name>Proov 16 mg</name><p:desc>16 mg</p:desc><p:formCode code=\"$7\" codeSystem=\"$6\" displayName=\"f\"/><p:asSpecializedKind><p:generalizedMaterialKind><p:code code=\"C09CA06\" displayName=\"candesartan\"/></p:generalizedMaterialKind></p:asSpecializedKind></manufacturedMaterial></manufacturedProduct>"
	local entry order=
	if [ "$1" = 57833-6 ]; then
		entry="<substanceAdministration><id $5/><effectiveTime xsi:type=\"IVL_TS\"><high value=\"20301231\"/></effectiveTime><consumable>$product</consumable><entryRelationship typeCode=\"COMP\"><supply><quantity value=\"$8\"/></supply></entryRelationship></substanceAdministration>"
	else
		order="<inFulfillmentOf><order><id $5/></order></inFulfillmentOf>"
		entry="<supply><quantity value=\"$8\"/><product>$product</product></supply>"
	fi
	echo "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:p=\"urn:hl7-org:pharm\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><id root=\"$2\"/><code code=\"$1\"/><effectiveTime value=\"20261022\"/><recordTarget><patientRole><id root=\"$3\" extension=\"$4\"/></patientRole></recordTarget>$order<component><structuredBody><component><section><entry>$entry</entry></section></component></structuredBody></component></ClinicalDocument>"
}
EE_RX='root="1.3.6.1.4.1.28284.6.2.4.4" extension="9990000202.1"'
EE_FORMS=1.3.6.1.4.1.28284.6.2.1.12
EE_PERSONS=1.3.6.1.4.1.28284.6.2.2.1
document 57833-6 1.2.3 $EE_PERSONS 36802279845 "$EE_RX" $EE_FORMS 738 3 >"$W/docs/a.xml"
document 57833-6 1.2.4 $EE_PERSONS 49008039720 'root="1.2.3.9"' $EE_FORMS 10003 1 >"$W/docs/b.xml"
document 57833-6 1.2.5 1.2.246.21 120354-914K 'root="1.2.246.1"' 1.2.246.537.6.852 173 1 >"$W/docs/c.xml"
printf 'file\tstate\nb.xml\t20\n' >"$W/docs/index.tsv"

began=$(date +%s%N)
if ! start "$W/ee" EE --documents "$W/docs" --verbose; then
	not_ok "starts" "see above"
	exit 1
fi
EE_PID=$PID
ok "is ready"
echo "# after $((($(date +%s%N) - began) / 1000000)) ms"
is "private keys are the owner's alone" "" "$(find "$W/ee/keys" -name '*.key.pem' -perm /077)"
for key in sign_key sign_cert auth_key auth_cert; do
	is "the bridge's $key is there" yes "$([ -s "$(info ee ".keys.bridge.$key")" ] && echo yes)"
done

# --- configuration ----------------------------------------------------------------------------

conf=$(info ee .configuration)
for v in 2 3 4 5 6; do
	for kind in internal external; do
		url=${conf%/*}/${kind}conf
		root=$W/conf-$v-$kind
		mkdir "$root"
		get "$url?version=$v" -o "$root/dir"
		parts=$(tr -d '\r' <"$root/dir" | sed -n 's/^Content-location: //Ip')
		for part in $parts; do
			mkdir -p "$root$(dirname "$part")"
			get "${conf%/internalconf}$part" -o "$root$part"
		done
		anchor=$(info ee "$([ $kind = internal ] && echo .anchor || echo .external_anchor)")
		if [ ! -e "$CHECKER" ]; then
			skip "version $v, $kind: verified by the other implementation" "no $CHECKER"
		else
			has "version $v, $kind: verified by the other implementation" "OK " \
				"$("$PYTHON" "$CHECKER" conf "$anchor" "$root/dir" "$root" 2>&1)"
		fi
	done
done
if [ -e "$CHECKER" ]; then
	has "a directory is refused under the other key's anchor" FAIL \
		"$("$PYTHON" "$CHECKER" conf "$(info ee .external_anchor)" "$W/conf-6-internal/dir" 2>&1)"
fi
is "no version means 2" "Version: 2" "$(get "$conf" | tr -d '\r' | grep -i '^Version:')"
is "an unknown version is not found" 404 "$(http_status "$conf?version=7")"
is "a part that never was is not found" 404 "$(http_status "${conf%/internalconf}/V6/20000101/shared-params.xml")"
is "the external directory has no private parameters" 0 "$(grep -c PRIVATE "$W/conf-6-external/dir")"
shared=$(cat "$W"/conf-6-internal/V6/*/shared-params.xml)
for want in "<address>$(info ee .server_address)<" "<address>$(info ee .bridge_address)<" \
	'>apteegid<' '>piiriylesed<' SkKlass3 '<ocspFreshnessSeconds>3600<' '<source>'; do
	has "shared parameters have ${want//[0-9.]/}" "$want" "$shared"
done

# --- authority and time-stamps ----------------------------------------------------------------

keys=$W/ee/keys
openssl x509 -in "$keys/pharmacy-sign.cert.pem" -out "$W/leaf.pem"
ocsp_status() { # CERT
	openssl ocsp -issuer "$keys/issuing-ca.cert.pem" -cert "$1" -url "$(info ee .ocsp)" \
		-CAfile "$(info ee .ca)" -no_nonce 2>&1
}
good=$(ocsp_status "$W/leaf.pem")
has "openssl finds the OCSP response good" "leaf.pem: good" "$good"
has "openssl accepts its signature" "Response verify OK" "$good"
has "it has a nextUpdate" "Next Update" "$good"
admin ee 'certificate?name=pharmacy-sign&status=revoked' >/dev/null
has "a revoked certificate is revoked" "leaf.pem: revoked" "$(ocsp_status "$W/leaf.pem")"
admin ee 'certificate?name=pharmacy-sign&status=unknown' >/dev/null
has "an unknown one is unknown" "leaf.pem: unknown" "$(ocsp_status "$W/leaf.pem")"
admin ee reset >/dev/null
has "the issuing authority is answered for by the root's responder" ": good" "$(openssl ocsp \
	-issuer "$keys/root-ca.cert.pem" -cert "$keys/issuing-ca.cert.pem" -url "$(info ee .ocsp)" \
	-CAfile "$keys/root-ca.cert.pem" -no_nonce 2>&1)"
for role in pharmacy centre bridge; do
	openssl x509 -in "$keys/$role-sign.cert.pem" -out "$W/one.pem"
	has "the $role's signing certificate chains to the root" OK \
		"$(openssl verify -CAfile "$(info ee .ca)" "$W/one.pem" 2>&1)"
	has "the $role's signing certificate is for non-repudiation" "Non Repudiation" \
		"$(openssl x509 -in "$W/one.pem" -noout -ext keyUsage)"
done
has "authentication certificates are for TLS clients" "TLS Web Client Authentication" \
	"$(openssl x509 -in "$keys/bridge-auth.cert.pem" -noout -ext extendedKeyUsage)"

echo data >"$W/data"
openssl ts -query -data "$W/data" -sha512 -no_nonce -out "$W/q.tsq" 2>/dev/null
get -H 'Content-Type: application/timestamp-query' --data-binary "@$W/q.tsq" "$(info ee .tsa)" -o "$W/r.tsr"
has "openssl accepts the time-stamp" "Verification: OK" "$(openssl ts -verify -data "$W/data" \
	-in "$W/r.tsr" -CAfile "$(info ee .ca)" -untrusted "$(info ee .tsa_cert)" 2>&1)"
echo other >"$W/data2"
has "but not for other data" FAILED "$(openssl ts -verify -data "$W/data2" -in "$W/r.tsr" \
	-CAfile "$(info ee .ca)" -untrusted "$(info ee .tsa_cert)" 2>&1)"

# --- the security server's ports --------------------------------------------------------------

peer=$(info ee .server_address):$(info ee .transport_port)
relay=http://$(info ee .server_address):$(info ee .ocsp_port)
sha1=$(openssl x509 -in "$keys/server-auth.cert.pem" -outform DER | sha1sum | cut -c1-40)
is "the relay answers for its own certificate" 1 \
	"$(get "$relay/?cert=$sha1" | grep -ac 'application/ocsp-response')"
is "the relay refuses what is not its own" 500 "$(http_status "$relay/?cert=${sha1/[0-9]/f}")"
is "the relay refuses a request without certificates" 500 "$(http_status "$relay/")"
is "the relay lives" 200 "$(http_status -I "$relay/")"
for suite in ECDHE-RSA-AES256-SHA384 DHE-RSA-AES256-SHA256; do
	has "X-Road's suite $suite is accepted" "Cipher is $suite" "$(openssl s_client -connect "$peer" \
		-tls1_2 -cipher "$suite@SECLEVEL=0" -cert "$keys/bridge-auth.cert.pem" \
		-key "$keys/bridge-auth.key.pem" </dev/null 2>&1)"
done
tls=(-k --cert "$keys/bridge-auth.cert.pem" --key "$keys/bridge-auth.key.pem")
is "nobody gets in without a certificate" 000 "$(http_status -k "https://$peer/")"
has "only POST" server.serverproxy.invalid_http_method "$(get "${tls[@]}" "https://$peer/")"
has "only messages" server.serverproxy. "$(get "${tls[@]}" -H 'x-proxy-version: 7.8.0' \
	-H 'x-hash-algorithm: SHA-512' -d '<a/>' -H 'Content-Type: text/xml' "https://$peer/")"

# --- exchanges --------------------------------------------------------------------------------

answer=$(list)
has "the pharmacy lists prescriptions through the transport" '<dr:olek kood="00"/>' "$answer"
has "with the hash of its request" "<xroad:requestHash " "$answer"
has "of the person" 'nr="9990000202.1"' "$answer"
is "of that person only" 1 "$(grep -o '<dr:retsept>' <<<"$answer" | wc -l)"
has "fetches one inside the message" '<ClinicalDocument' \
	"$(ee valisretseptiParing "$PERSON$RX<s:kuju>sees</s:kuju>")"
has "fetches one as an attachment" 'Content-ID: <' \
	"$(ee valisretseptiParing "$PERSON$RX<s:kuju>lisana</s:kuju>")"
is "not in another form" dr:VIGANE "$(ee valisretseptiParing "$PERSON$RX<s:kuju>x</s:kuju>" | code_of)"
is "not another person's" dr:EI_LEITUD "$(ee valisretseptiParing \
	"${PERSON/36802279845/49008039720}$RX<s:kuju>sees</s:kuju>" | code_of)"
is "not one that is not there" dr:EI_LEITUD "$(ee valisretseptiParing \
	"$PERSON${RX/202/303}<s:kuju>sees</s:kuju>" | code_of)"
is "a foreign personal code is refused" dr:VIGANE \
	"$(ee valisretseptideLoetelu '<s:isik oid="1.2.246.21" kood="120354-914K"/>' | code_of)"
is "a request without a person is refused" dr:VIGANE "$(ee valisretseptideLoetelu '' | code_of)"
is "a service that is not there" server.serverproxy.unknown_service "$(ee muuTeenus '' | code_of)"
EE_CLIENT=COM/10000123/ladu
is "a client that is in no group" server.serverproxy.access_denied "$(list | code_of)"
EE_CLIENT=COM/10000999/apteek
is "a client of another security server" server.clientproxy.unknown_member "$(list | code_of)"
EE_CLIENT=COM/10000123/apteek

sale() { document 60593-1 1.2.7 $EE_PERSONS "${1:-36802279845}" "${2:-$EE_RX}" "${3:-$EE_FORMS}" "${4:-738}" "${5:-2}"; }
sell() { ee valisretseptiMyyk "$PERSON$RX<s:dokument>$1</s:dokument>"; }
is "a dispensation for another person" dr:VIGANE "$(sell "$(sale 49008039720)" | code_of)"
is "of another prescription" dr:VIGANE "$(sell "$(sale '' 'root="1.2.3.9"')" | code_of)"
is "in another form" dr:VIGANE "$(sell "$(sale '' '' '' 746)" | code_of)"
is "in another country's form" dr:VIGANE "$(sell "$(sale '' '' 1.2.246.537.6.852 173)" | code_of)"
is "of more than was prescribed" dr:VIGANE "$(sell "$(sale '' '' '' '' 4)" | code_of)"
is "of nothing" dr:VIGANE "$(sell "$(sale '' '' '' '' 0)" | code_of)"
is "that is a prescription" dr:VIGANE "$(sell "$(cat "$W/docs/a.xml")" | code_of)"
is "that is no document" dr:VIGANE "$(sell "<a/>" | code_of)"
is "that is not there" dr:VIGANE "$(ee valisretseptiMyyk "$PERSON$RX" | code_of)"
is "none of these was kept" 0 "$(get "$(info ee .admin)/report" | jq '.dispensations | length')"
has "a good one is accepted" '<dr:olek kood="10"/>' "$(sell "$(sale)")"
is "a second one is not" dr:EI_OLE_VALJASTATAV "$(sell "$(sale)" | code_of)"
is "a reserved prescription cannot be dispensed" dr:EI_OLE_VALJASTATAV \
	"$(ee valisretseptiMyyk '<s:isik oid="1.3.6.1.4.1.28284.6.2.2.1" kood="49008039720"/><s:retseptiTunnus oid="1.2.3.9"/>' | code_of)"
is "one dispensation was kept" 1 "$(get "$(info ee .admin)/report" | jq '.dispensations | length')"
id=$(get "$(info ee .admin)/report" | jq -r '.dispensations[0].id')
cancel() { ee valisretseptiMyygiTyhistamine "$PERSON$RX<s:myygiTunnus oid=\"${id%^*}\" nr=\"$1\"/><s:pohjus kood=\"AN01\">viga</s:pohjus>"; }
is "another dispensation cannot be cancelled" dr:MYYKI_EI_LEITUD "$(cancel x | code_of)"
has "it can be cancelled" '<dr:olek kood="00"/>' "$(cancel "${id#*^}")"
is "but once" dr:MYYKI_EI_LEITUD "$(cancel "${id#*^}" | code_of)"
multipart() {
	printf -- '--B\r\nContent-Type: text/xml; charset=UTF-8\r\n\r\n'
	envelope EE $EE_CLIENT 70000444/retseptikeskus $EE_NS valisretseptiMyyk \
		"$PERSON$RX<s:dokumendiLisa href=\"cid:d\"/>"
	printf -- '\r\n--B\r\nContent-Type: text/xml\r\nContent-ID: <d>\r\n\r\n%s\r\n--B--\r\n' "$(sale)"
}
attached() { multipart | curl -s -m 30 -H 'Content-Type: multipart/related; boundary=B' "$@" --data-binary @- "$(info ee .client)"; }
is "an attachment changed on the way" \
	server.serverproxy.signature_verification.malformed_signature.invalid_hash_chain \
	"$(attached -H 'X-Test-Fault: changed-attachment' | code_of)"
has "a dispensation as an attachment" '<dr:olek kood="10"/>' "$(attached)"

# --- faults on demand -------------------------------------------------------------------------

v=server.serverproxy.signature_verification
t=server.serverproxy.ssl_authentication_failed
while read -r fault want; do
	is "request, $fault" "$want" "$(list -H "X-Test-Fault: $fault" | code_of)"
done <<-TABLE
	none none
	unsigned server.serverproxy.missing_signature
	changed-byte $v.invalid_signature_value
	wrong-member $v.incorrect_certificate
	auth-key $v.malformed_signature
	expired $v.cannot_create_cert_path
	early $v.cannot_create_cert_path
	revoked $v.invalid_cert_path.cert_validation
	unknown-status $v.invalid_cert_path.cert_validation
	unknown-ca $v.internal_error
	forged-ca $v.cannot_create_cert_path
	stale-ocsp $v.invalid_cert_path.incorrect_validation_info
	no-ocsp $v.malformed_signature
	tls-no-ocsp $t
	tls-stale-ocsp $t.invalid_cert_path.incorrect_validation_info
	tls-unregistered $t
	tls-expired $t.cannot_create_cert_path
	tls-other-server $t
	client-not-allowed server.serverproxy.access_denied
	old-version server.serverproxy.client_proxy_version_not_supported
	bad-version server.serverproxy.internal_error
	no-version server.serverproxy.internal_error
	no-hash-algorithm server.serverproxy.internal_error
	extra-part server.serverproxy.service_failed.invalid_message
	truncated server.serverproxy.service_failed.mime_parsing_failed
	twice none
	nonsense client.invalid_value
TABLE
v=server.clientproxy.signature_verification
c=server.clientproxy.ssl_authentication_failed
while read -r fault want; do
	admin ee "answer-fault?mode=$fault" >/dev/null
	is "answer, $fault" "$want" "$(list | code_of)"
done <<-TABLE
	unsigned server.clientproxy.missing_signature
	changed-byte $v.invalid_signature_value
	wrong-member $v.incorrect_certificate
	auth-key $v.malformed_signature
	stale-ocsp $v.invalid_cert_path.incorrect_validation_info
	no-ocsp $v.malformed_signature
	no-hash-algorithm server.clientproxy.service_failed.invalid_message
	extra-part server.clientproxy.service_failed.invalid_message
	truncated server.clientproxy.service_failed.mime_parsing_failed
	wrong-hash server.clientproxy.inconsistent_response
	no-hash server.clientproxy.inconsistent_response
	other-id server.clientproxy.service_failed.inconsistent_response
	http-500 server.clientproxy.service_failed.invalid_content_type
	http-404 server.clientproxy.http_error
	no-answer server.clientproxy.network_error
TABLE
is "and the next answer is good" none "$(list | code_of)"

admin ee 'answer-fault?mode=nonsense' >"$W/out"
has "an unknown fault is refused" nonsense "$(cat "$W/out")"
while read -r route want; do
	admin ee "$route" >/dev/null
	like "after $route" "$want" "$(list | code_of)"
	admin ee reset >/dev/null
done <<-TABLE
	service?name=infosys&state=down server.serverproxy.service_failed.http_error
	service?name=services&state=down server.serverproxy.service_disabled
	service?name=server&state=down server.clientproxy.network_error
	certificate?name=server-auth&status=revoked $c.invalid_cert_path.cert_validation
	certificate?name=centre-sign&status=revoked $v.invalid_cert_path.cert_validation
	present?certificate=server-auth-expired $c.cannot_create_cert_path
	present?certificate=server-auth-unregistered $c*
	present?certificate=bridge-auth $c*
	ocsp?age=100000 $c.invalid_cert_path.incorrect_validation_info
	rotate?key=internal none
TABLE
admin ee 'maintenance?server=own&state=on' >/dev/null
is "in maintenance" server.clientproxy.maintenance_mode "$(list | code_of)"
admin ee 'maintenance?server=own&state=off' >/dev/null
is "and after it" none "$(list | code_of)"
admin ee 'bridge?registered=off' >/dev/null
is "the bridge's server can be taken out" 0 "$(grep -c silta1 "$W/ee/globalconf/EE/shared-params.xml")"
admin ee 'bridge?registered=on' >/dev/null
is "and put back" 1 "$(grep -c silta1 "$W/ee/globalconf/EE/shared-params.xml")"

# --- the other country, and restarts ----------------------------------------------------------

if start "$W/fi" FI --key p256 --federate "$(info ee .external_anchor)" --conf-version 5; then
	ok "a Finnish instance with EC keys is ready"
	has "it reads the federated instance's configuration" '<instanceIdentifier>EE<' \
		"$(cat "$W/fi/globalconf/EE/shared-params.xml" 2>&1)"
	is "its certificates are EC" 1 "$(openssl x509 -in "$W/fi/keys/pharmacy-sign.cert.pem" \
		-noout -text | grep -c 'NIST CURVE: P-256')"
	has "in the Finnish profile" "FI/lp2/COM" \
		"$(openssl x509 -in "$W/fi/keys/pharmacy-sign.cert.pem" -noout -subject)"
	fi_list=$(envelope FI COM/9012340-9/apteekki 9876543-0/reseptikeskus $FI_NS HaeLaakemaaraykset \
		'<s:henkilo juuri="1.2.246.21" tunnus="120354-914K"/>' |
		get -H 'Content-Type: text/xml' --data-binary @- "$(info "fi" .client)")
	has "its pharmacy reaches its centre" HaeLaakemaarayksetResponse "$fi_list"
	is "it does not offer version 6" 404 "$(http_status "$(info "fi" .configuration)?version=6")"
else
	not_ok "a Finnish instance with EC keys is ready" "see above"
fi

# as in the message bearer: the bridge is an information system behind an ordinary security server
# (here the centre's own information system takes its place)
if start "$W/behind" EE --key p256 --role pharmacy --documents "$W/docs" \
	--bridge-url "$(info ee .infosys)"; then
	behind() {
		envelope EE "$1" "$2" $EE_NS valisretseptideLoetelu "$PERSON" |
			get -H 'Content-Type: text/xml' --data-binary @- "$(info behind .client)"
	}
	is "a bridge behind the security server has none of its own" 1 \
		"$(grep -c '<securityServer>' "$W/behind/globalconf/EE/shared-params.xml")"
	answer=$(behind COM/10000123/apteek 70000332/piiriylene)
	has "its services are reached there" valisretseptideLoeteluResponse "$answer"
	is "without https it has no second address for information systems" null \
		"$(info behind .client_tls)"
	is "a centre that the role leaves out is not" server.clientproxy.unknown_member \
		"$(behind COM/10000123/apteek 70000444/retseptikeskus | code_of)"
	is "the bridge may call as a client" none "$(behind GOV/70000332/piiriylene \
		70000332/piiriylene | code_of)"
else
	not_ok "a bridge behind the security server" "see above"
fi

# the same with TLS: what the bridge is here is a server that shows its certificate and what it gets
if start "$W/tls" EE --key p256 --documents "$W/docs" --bridge-url https://bridge/; then
	auth=$(info tls .keys.bridge.auth_cert)
	as_bridge() { # CURL-OPTION…
		envelope EE GOV/70000332/piiriylene 70000444/retseptikeskus $EE_NS echo "" |
			get -k -H 'Content-Type: text/xml' "$@" --data-binary @-
	}
	has "the bridge calls with its certificate" echoResponse "$(as_bridge --cert "$auth" \
		--key "$(info tls .keys.bridge.auth_key)" "$(info tls .client_tls)")"
	is "not without" server.clientproxy.ssl_authentication_failed \
		"$(as_bridge "$(info tls .client_tls)" | code_of)"
	is "nor in plain HTTP" server.clientproxy.ssl_authentication_failed \
		"$(as_bridge "$(info tls .client)" | code_of)"
	is "nor with another's" server.clientproxy.ssl_authentication_failed \
		"$(as_bridge --cert "$W/tls/keys/server-auth.cert.pem" \
			--key "$W/tls/keys/server-auth.key.pem" "$(info tls .client_tls)" | code_of)"
	has "others need none" echoResponse "$(envelope EE $EE_CLIENT 70000444/retseptikeskus $EE_NS echo "" |
		get --cacert "$(info tls .server_internal_cert)" -k -H 'Content-Type: text/xml' --data-binary @- \
			"$(info tls .client_tls)")"
	address=$(info tls .bridge_url)
	address=${address#https://}
	to_bridge() {
		get -H "X-Road-Client: EE/$EE_CLIENT" -H 'X-Road-Id: 7' --data-binary "text" \
			"$(info tls .client)r1/EE/GOV/70000332/piiriylene/anything/a%20b?c=d"
	}
	serve() { # CERT-NAME: once, for one request
		{ sleep 1 && cat "$W/answer"; } |
			timeout 10 openssl s_server -accept "${address%/}" -cert "$W/tls/keys/$1.cert.pem" \
				-key "$W/tls/keys/$1.key.pem" -verify 1 -naccept 1 -quiet >"$W/got" 2>"$W/got.err" &
		server=$!
		sleep 0.4
	}
	printf 'HTTP/1.1 201 Made\r\nContent-Length: 4\r\nX-Own: 1\r\n\r\nback' >"$W/answer"
	serve bridge-auth
	is "REST is forwarded to the bridge and back" back "$(to_bridge)"
	wait "$server"
	has "to the service's path" "POST /r1/EE/GOV/70000332/piiriylene/anything/a%20b?c=d" "$(cat "$W/got")"
	has "with the headers of the head" "X-Road-Id: 7" "$(cat "$W/got")"
	has "the security server shows its own certificate" "EE server-internal" "$(cat "$W/got.err")"
	serve server-auth
	has "nothing is sent to another" ssl_authentication_failed "$(to_bridge)"
	wait "$server"
	is "not a byte" "" "$(cat "$W/got")"
else
	not_ok "a bridge behind the security server with TLS" "see above"
fi

before=$(jq -c '[.transport_port, .ocsp_port, .server_address, .configuration, .client]' "$W/ee/instance.json")
ca=$(sha256sum <"$(info ee .ca)")
stopping=$(date +%s%N)
kill "$EE_PID"
wait "$EE_PID"
is "ends well on SIGTERM" 0 $?
stopped=$((($(date +%s%N) - stopping) / 1000000))
is "within five seconds" yes "$([ $stopped -lt 5000 ] && echo yes || echo "$stopped ms")"
if start "$W/ee" EE --documents "$W/docs"; then
	is "keeps its addresses over a restart" "$before" \
		"$(jq -c '[.transport_port, .ocsp_port, .server_address, .configuration, .client]' "$W/ee/instance.json")"
	is "and its authority" "$ca" "$(sha256sum <"$(info ee .ca)")"
	is "and works" none "$(list | code_of)"
else
	not_ok "starts again" "see above"
fi
"$BOX" "$W/eof" EE --stdin-eof </dev/null >"$W/eof.out" 2>&1
is "ends with its standard input when asked to" 0 $?

echo "1..$n"
exit $status
