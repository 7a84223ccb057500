#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every example document and every message of the services through `silta map apply`: what is
# translated stays valid against the CDA schema and says what it should; what must not pass is
# refused with its code. Real documents where they are at hand. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
SLT_SHARED=${SLT_SHARED:-../shared}
SILTA=$BUILD/silta
export SILTA_MAPPINGS=mappings
DOCS=examples/documents
BODIES=tests/data/eprescription
REAL=$SLT_SHARED/vectors/eprescription
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
n=0 status=0

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { # TITLE DETAIL
	n=$((n + 1)) status=1
	echo "not ok $n - $1"
	printf '%s\n' "$2" | head -c 2000 | sed 's/^/# /'
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# Elements by local name: cda:id and pharm:code become *[local-name()='id'] …
path() { sed -E 's,(^|[/[(])([a-z]+:)([A-Za-z]+),\1*[local-name()="\3"],g' <<<"$1"; }
value() { # FILE XPATH
	xmllint --xpath "string($(path "$2"))" "$1" 2>/dev/null
}
says() { # TITLE FILE XPATH WANTED
	local got
	got=$(value "$2" "$3")
	if [ "$got" = "$4" ]; then ok "$1"; else not_ok "$1" "$3 is '$got', not '$4'"; fi
}
map() { # FROM TO MESSAGE FILE [OPTION…]; output to $W/out.xml
	local from=$1 to=$2 message=$3 file=$4
	shift 4
	"$SILTA" map apply --from "$from" --to "$to" --flow eprescription --message "$message" \
		--at 2026-11-23 --explain "$W/trace.json" --problems "$W/problems.json" "$@" "$file" \
		>"$W/out.xml" 2>"$W/err"
}
translates() { # TITLE FROM TO MESSAGE FILE [OPTION…]
	local title=$1
	shift
	if map "$@"; then ok "$title"; else not_ok "$title" "$(cat "$W/err")"; fi
}
refuses() { # CODE TITLE FROM TO MESSAGE FILE [OPTION…]
	local code=$1 title=$2
	shift 2
	map "$@"
	local rc=$?
	if [ $rc -eq 1 ] && grep -q "^error $code" "$W/err" && [ ! -s "$W/out.xml" ]; then
		ok "$title is refused: $code"
	else
		not_ok "$title is refused: $code" "exit status $rc
$(cat "$W/err")"
	fi
}
edited() { # CODE TITLE FROM TO FILE SED-EXPRESSION: one change, and it is refused
	sed -E "$6" "$5" >"$W/edited.xml"
	if cmp -s "$5" "$W/edited.xml"; then
		not_ok "$2" "the expression changes nothing"
	else
		refuses "$1" "$2" "$3" "$4" response "$W/edited.xml"
	fi
}

# --- schema ------------------------------------------------------------------------------------

XSD=
if [ -f "$REAL/schema/cda_pharma_xsd_konateq.zip" ] && command -v unzip >/dev/null; then
	unzip -qo "$REAL/schema/cda_pharma_xsd_konateq.zip" -d "$W/xsd" && XSD=$W/xsd/CDA_Pharma.xsd
fi
valid() { # TITLE FILE
	if [ -z "$XSD" ]; then
		skip "$1" "no schema: $REAL/schema is not there, or unzip is not"
	elif xmllint --noout --schema "$XSD" "$2" 2>"$W/xsd.err"; then
		ok "$1"
	else
		not_ok "$1" "$(grep -v 'Skipping import' "$W/xsd.err")"
	fi
}

# --- the examples ---------------------------------------------------------------------------------

for f in "$DOCS"/*.xml; do
	valid "$(basename "$f") is valid" "$f"
done
if "$SILTA" map check >"$W/check" 2>&1; then ok "the mapping set has no problems"; else
	not_ok "the mapping set has no problems" "$(cat "$W/check")"
fi

MM='//cda:manufacturedMaterial'
for f in fi-01-tablet fi-02-capsule fi-03-pen fi-04-inhaler fi-05-eye-drops fi-06-combination \
	fi-09-old-atc dispensation-fi-01; do
	translates "$f to Estonia" FI EE response "$DOCS/$f.xml"
	valid "$f in Estonian is valid" "$W/out.xml"
	says "$f speaks Estonian" "$W/out.xml" '/cda:ClinicalDocument/cda:languageCode/@code' et-EE
	says "$f names its original" "$W/out.xml" \
		'/cda:ClinicalDocument/cda:relatedDocument[@typeCode="XFRM"]/cda:parentDocument/cda:id/@root' \
		"$(value "$DOCS/$f.xml" '/cda:ClinicalDocument/cda:id/@root')"
	cp "$W/out.xml" "$W/$f.xml"
	map FI EE response "$DOCS/$f.xml"
	if cmp -s "$W/out.xml" "$W/$f.xml"; then ok "$f: same input, same bytes"; else
		not_ok "$f: same input, same bytes" "they differ"
	fi
done
for f in ee-01-cream ee-02-tablet dispensation-ee-01; do
	translates "$f to Finland" EE FI response "$DOCS/$f.xml"
	valid "$f in Finnish is valid" "$W/out.xml"
	says "$f speaks Finnish" "$W/out.xml" '/cda:ClinicalDocument/cda:languageCode/@code' fi-FI
	cp "$W/out.xml" "$W/$f.xml"
done
refuses FED-MAP-001 "a form without Estonian code" FI EE response "$DOCS/fi-07-no-form.xml"
refuses FED-BUS-001 "a narcotic" FI EE response "$DOCS/fi-08-narcotic.xml"

o=$W/fi-01-tablet.xml
says "the person keeps the Finnish code" "$o" '//cda:patientRole/cda:id/@extension' 120354-914K
says "under Estonia's root for it" "$o" '//cda:patientRole/cda:id/@root' \
	1.3.6.1.4.1.28284.6.2.2.16.246.2
says "the prescription's identifier is untouched" "$o" '//cda:substanceAdministration/cda:id/@root' \
	1.2.246.10.98765430.93.2026.1000001
says "the form has Estonia's code" "$o" "$MM/pharm:formCode/@code" 738
says "the form has Estonia's name" "$o" "$MM/pharm:formCode/@displayName" tablett
says "the Finnish form stays beside it" "$o" "$MM/pharm:formCode/cda:translation/@code" 173
says "the container is a word of the register" "$o" \
	'//pharm:containerPackagedProduct/pharm:formCode/@code' blister
says "the VNR stays under its own system" "$o" "$MM/cda:code/@codeSystem" 1.2.246.537.6.55
says "and keeps its digits" "$o" "$MM/cda:code/@code" 990011
says "foil-packed pieces are pieces" "$o" '//pharm:asContent/pharm:quantity/@unit' 1
says "their unit stays beside them" "$o" '//pharm:asContent/pharm:quantity/cda:translation/cda:originalText' fol
says "the route is found by its words" "$o" '//cda:routeCode/@code' suukaudne
says "the sex has the international code" "$o" '//cda:administrativeGenderCode/@code' F
says "the role is ISCO's" "$o" '/cda:ClinicalDocument/cda:author/cda:functionCode/@code' 221
says "no word on substitution is added" "$o" 'count(//cda:observation)' 0
says "the dosage stays as it was written" "$o" '//cda:content[@ID="PINSTRUCT"]' \
	'1 tabletti aamuisin, veden kanssa.'
o=$W/fi-02-capsule.xml
says "a container without a word is null" "$o" \
	'//pharm:containerPackagedProduct/pharm:formCode/@nullFlavor' UNK
says "with its name as original text" "$o" \
	'//pharm:containerPackagedProduct/pharm:formCode/cda:originalText' Tablettipurkki
says "a ban on substitution stays a ban" "$o" '//cda:observation/cda:value/@code' N
o=$W/fi-03-pen.xml
says "a pen is a pen" "$o" "$MM/pharm:formCode/@code" 1461
says "packages stay inside packages" "$o" \
	'//pharm:containerPackagedProduct/pharm:asContent/pharm:quantity/@value' 5
o=$W/fi-04-inhaler.xml
says "micrograms are micrograms" "$o" '//cda:numerator/@unit' ug
says "decimals keep their digits" "$o" '//pharm:ingredient[2]//cda:numerator/@value' 4.5
o=$W/fi-06-combination.xml
says "a part of a product has the detailed form" "$o" \
	'//pharm:partProduct/pharm:formCode[@codeSystemVersion]/@code' 746
o=$W/fi-09-old-atc.xml
says "an ATC code of 2023 becomes today's" "$o" '//pharm:generalizedMaterialKind/pharm:code/@code' L04AE01
says "and stays beside it" "$o" \
	'//pharm:generalizedMaterialKind/pharm:code/cda:translation/@code' L04AA27

o=$W/ee-01-cream.xml
says "the general form of a substance prescription is understood" "$o" "$MM/pharm:formCode/@code" 17
says "an isikukood keeps its root in Finland" "$o" '//cda:patientRole/cda:id/@root' \
	1.3.6.1.4.1.28284.6.2.2.1
o=$W/ee-02-tablet.xml
says "an Estonian reason stays in words" "$o" '//cda:observation/cda:value/cda:originalText' \
	'KP05 patsiendile on paremini talutav konkreetne ravim'
says "the route has the Finnish word" "$o" '//cda:routeCode/@displayName' 'Suun kautta'
says "a dose in tablets is annotated" "$o" '//cda:doseQuantity/cda:low/@unit' '{Tablet}'
o=$W/dispensation-ee-01.xml
says "the order's identifier is untouched" "$o" '//cda:inFulfillmentOf/cda:order/cda:id/@root' \
	1.2.246.10.98765430.93.2026.1000001
says "the person has the Finnish root again" "$o" '//cda:patientRole/cda:id/@root' 1.2.246.21
says "the echoed form comes home as it went" "$o" \
	'//cda:substanceAdministration//pharm:formCode/@code' 173
says "the Estonian package code stays Estonian" "$o" '//cda:product//cda:manufacturedMaterial/cda:code/@codeSystem' \
	1.3.6.1.4.1.28284.6.2.4.44

# --- one change, and it must not pass ------------------------------------------------------------

t=$DOCS/fi-01-tablet.xml d=$DOCS/dispensation-fi-01.xml
edited FED-ID-002 "a wrong check character" FI EE "$t" 's/914K/914L/'
edited FED-ID-001 "a code of the wrong length" FI EE "$t" 's/120354-914K/12354-914K/'
edited FED-ID-001 "a person under an unknown root" FI EE "$t" 's/root="1\.2\.246\.21"/root="1.2.246.22"/'
edited FED-ID-003 "another birth date" FI EE "$t" 's/birthTime value="19540312"/birthTime value="19540313"/'
edited FED-ID-003 "another sex" FI EE "$t" 's/code="2" codeSystem="1.2.246.537.5.1"/code="1" codeSystem="1.2.246.537.5.1"/'
edited FED-MAP-001 "an unknown sex" FI EE "$t" 's/code="2" codeSystem="1.2.246.537.5.1"/code="9" codeSystem="1.2.246.537.5.1"/'
edited FED-MAP-001 "a form that does not exist" FI EE "$t" 's/code="173"/code="17399"/'
edited FED-MAP-001 "a form of an unknown system" FI EE "$t" 's/1\.2\.246\.537\.6\.852/1.2.3.4/'
edited FED-MAP-001 "capsules that may be hard or soft" FI EE "$t" 's/code="173"/code="13"/'
edited FED-STR-003 "no form at all" FI EE "$t" 's/<pharm:formCode code="173"[^>]*>/<pharm:formCode nullFlavor="UNK"\/>/'
edited FED-MAP-004 "an EDQM code that is none" FI EE "$t" 's/code="173" codeSystem="[0-9.]*"/code="10219001" codeSystem="0.4.0.127.0.16.1.1.2.1"/'
edited FED-MAP-001 "an unknown unit of strength" FI EE "$t" 's/value="5" unit="mg"/value="5" unit="yks"/'
edited FED-MAP-001 "an unknown unit of dose" FI EE "$t" 's/unit="tabl"/unit="laastari"/'
edited FED-BUS-005 "a strength of nothing" FI EE "$t" 's/value="5" unit="mg"/value="0" unit="mg"/'
edited FED-BUS-005 "a strength that is no number" FI EE "$t" 's/value="5" unit="mg"/value="5,0x" unit="mg"/'
edited FED-MAP-001 "a confidentiality that nobody knows" FI EE "$t" 's/confidentialityCode code="5"/confidentialityCode code="7"/'
edited FED-BUS-001 "a medicine for the central nervous system" FI EE "$DOCS/fi-08-narcotic.xml" 's/code="H"/code="P"/'
edited FED-BUS-005 "a total that is no whole packages" FI EE "$t" 's/<quantity value="2" unit="1"/<quantity value="150" unit="fol"/'
edited FED-STR-002 "a document of another kind" FI EE "$t" 's/code="57833-6"/code="34133-9"/'
edited FED-STR-002 "a date that is none" FI EE "$t" 's/effectiveTime value="2026[0-9+]*"/effectiveTime value="20261332"/'
edited FED-ID-003 "a form whose name is another's" FI EE "$d" '0,/code="173"/s/code="173"/code="235"/'
edited FED-ID-003 "another form than was ordered" FI EE "$d" \
	'0,/code="173"/{/code="173"/s/displayName="[^"]*"/displayName="tabletti, kalvopäällysteinen"/;s/code="173"/code="235"/}'
edited FED-ID-003 "a dispensation of another order" FI EE "$d" '0,/9990000202\.1/s/9990000202\.1/9990000203.1/'
edited FED-STR-003 "a dispensation without an order" FI EE "$d" '/<inFulfillmentOf/,/<\/inFulfillmentOf>/d'
edited FED-BUS-005 "a dispensation of nothing" FI EE "$d" 's/<quantity value="3" unit="kpl"/<quantity value="0" unit="kpl"/'
edited FED-ID-002 "a wrong check digit" EE FI "$DOCS/ee-02-tablet.xml" 's/36802279845/36802279846/'
edited FED-MAP-001 "a unit with two meanings" EE FI "$DOCS/ee-02-tablet.xml" 's/unit="MG"/unit="MCI"/'
sed '/code="173"/s/displayName="[^"]*"/displayName="imeskelytabletti"/; s/code="173"/code="38"/' "$t" >"$W/edited.xml"
translates "a lozenge to Estonia" FI EE response "$W/edited.xml"
says "it is the lozenge that Fimea names in English" "$W/out.xml" "$MM/pharm:formCode/@code" 921
film='0,/code="173"/{/code="173"/s/displayName="[^"]*"/displayName="tabletti, kalvopäällysteinen"/;s/code="173"/code="235"/}'
sed "$film"'; s/<\/supply>/<entryRelationship typeCode="COMP"><act classCode="ACT" moodCode="EVN"><code code="SUBST" codeSystem="2.16.840.1.113883.5.6"\/><\/act><\/entryRelationship>&/' \
	"$d" >"$W/edited.xml"
translates "another form, declared as a substitution" FI EE request "$W/edited.xml"

# --- the messages ----------------------------------------------------------------------------------

message() { # FROM TO KIND FILE: with the document where the file wants one
	local doc
	case $4 in
	fi-fetch-response.xml) doc=fi-01-tablet.xml ;;
	ee-fetch-response.xml) doc=ee-02-tablet.xml ;;
	ee-dispense-request.xml) doc=dispensation-ee-01.xml ;;
	fi-dispense-request.xml) doc=dispensation-fi-01.xml ;;
	*) doc= ;;
	esac
	if [ -n "$doc" ]; then
		sed '1d' "$DOCS/$doc" >"$W/document"
		sed -e "/@DOCUMENT@/{s/@DOCUMENT@.*//;r $W/document" -e 'a\
</CLOSE>' -e '}' "$BODIES/$4" |
			sed -E "s,</CLOSE>,</$(sed -n 's/.*<\([a-z:]*\)>@DOCUMENT@.*/\1/p' "$BODIES/$4")>," \
				>"$W/message.xml"
	else
		cp "$BODIES/$4" "$W/message.xml"
	fi
	translates "$4 from $1 to $2" "$1" "$2" "$3" "$W/message.xml"
}
body() { value "$W/out.xml" "name(/soap:Envelope/soap:Body/*)" | sed 's/.*://'; }
becomes() { # FROM TO KIND FILE ELEMENT
	message "$1" "$2" "$3" "$4"
	if [ "$(body)" = "$5" ]; then ok "$4 becomes $5"; else not_ok "$4 becomes $5" "$(body)"; fi
}

becomes EE FI request ee-list-request.xml HaeLaakemaaraykset
says "the person is Finnish in Finland" "$W/out.xml" '//rk:henkilo/@juuri' 1.2.246.21
says "the header is left alone" "$W/out.xml" '//xrd:client/id:memberCode' 10000123
becomes FI EE response fi-list-response.xml valisretseptideLoeteluResponse
says "every prescription is listed" "$W/out.xml" 'count(//dr:retsept)' 3
says "what is in force can be dispensed" "$W/out.xml" '//dr:retsept[1]/dr:olek/@kood' 00
says "what is reserved cannot" "$W/out.xml" '//dr:retsept[2]/dr:olek/@kood' 20
says "what is dispensed is closed" "$W/out.xml" '//dr:retsept[3]/dr:olek/@kood' 10
says "a form without counterpart keeps its name" "$W/out.xml" \
	'//dr:retsept[2]/dr:ravimvorm/@nimetus' 'Kyllästetty lääketuppo iholle'
says "and has no code" "$W/out.xml" 'count(//dr:retsept[2]/dr:ravimvorm/@kood)' 0
becomes FI EE response fi-list-empty-response.xml valisretseptideLoeteluResponse
becomes EE FI request ee-fetch-request.xml HaeLaakemaarays
says "the way of delivery is translated" "$W/out.xml" '//rk:muoto' upotettu
becomes FI EE response fi-fetch-response.xml valisretseptiParingResponse
says "the document inside is translated" "$W/out.xml" "$MM/pharm:formCode/@code" 738
becomes EE FI request ee-dispense-request.xml TallennaLaaketoimitus
says "the dispensation inside is translated" "$W/out.xml" \
	'//cda:product//pharm:formCode/@code' 173
becomes EE FI request ee-dispense-attached-request.xml TallennaLaaketoimitus
says "the reference to an attachment stays" "$W/out.xml" '//rk:asiakirjaLiite/@href' cid:document
becomes FI EE response fi-dispense-response.xml valisretseptiMyykResponse
becomes EE FI request ee-cancel-request.xml MitatoiLaaketoimitus
says "the reason is in Finnish words" "$W/out.xml" '//rk:syy' 'Virheellinen kirjaus'
becomes FI EE response fi-cancel-response.xml valisretseptiMyygiTyhistamineResponse
says "a cancelled dispensation opens the prescription" "$W/out.xml" '//dr:olek/@kood' 00
becomes FI EE request fi-list-request.xml valisretseptideLoetelu
becomes EE FI response ee-list-response.xml HaeLaakemaarayksetResponse
becomes FI EE request fi-fetch-request.xml valisretseptiParing
becomes EE FI response ee-fetch-response.xml HaeLaakemaaraysResponse
becomes FI EE request fi-dispense-request.xml valisretseptiMyyk
becomes EE FI response ee-dispense-response.xml TallennaLaaketoimitusResponse
becomes FI EE request fi-cancel-request.xml valisretseptiMyygiTyhistamine
becomes EE FI response ee-cancel-response.xml MitatoiLaaketoimitusResponse
translates "a fault to Estonia" FI EE fault "$BODIES/fi-fault.xml"
says "it has Estonia's code" "$W/out.xml" '//faultcode:faultcode' dr:EI_LEITUD
refuses FED-ID-002 "a mistyped personal code" EE FI request "$BODIES/ee-list-bad-code.xml"
refuses FED-STR-002 "a field that nobody knows" EE FI request "$BODIES/ee-list-unknown-field.xml"
sed 's/<rk:tila>VOIMASSA/<rk:tila>KADONNUT/' "$BODIES/fi-list-response.xml" >"$W/edited.xml"
refuses FED-MAP-001 "a state that nobody knows" FI EE response "$W/edited.xml"
sed 's/<rk:tila>VOIMASSA<\/rk:tila>/<rk:tila\/>/' "$BODIES/fi-list-response.xml" >"$W/edited.xml"
refuses FED-STR-003 "a prescription without state" FI EE response "$W/edited.xml"

# --- native Finnish prescriptions, signed inside ----------------------------------------------------

# The index says what the mapping makes of each, and what xmlsec1 does of its signature.
NATIVE=tests/data/kanta
AUTHORITIES=$NATIVE/authorities.pem
judged() { # TITLE FILE WANTED
	if ! command -v xmlsec1 >/dev/null; then
		skip "$1" "xmlsec1 is not installed"
		return
	fi
	xmlsec1 --verify --id-attr:ID urn:hl7finland:signatureTimestamp --trusted-pem "$AUTHORITIES" \
		--verification-time "2026-11-23 16:00:00" "$2" >"$W/xmlsec" 2>&1
	local rc=$?
	if { [ $rc -eq 0 ] && [ "$3" = OK ]; } || { [ $rc -ne 0 ] && [ "$3" = FAIL ]; }; then
		ok "$1"
	else
		not_ok "$1" "$(cat "$W/xmlsec")"
	fi
}
while IFS=$'\t' read -r file outcome judge shows; do
	case $outcome in
	outcome) continue ;;
	OK)
		translates "native: $shows" FI EE response "$NATIVE/$file" --document-ca "$AUTHORITIES"
		valid "native: $file is valid afterwards" "$W/out.xml"
		cp "$W/out.xml" "$W/first.xml"
		map FI EE response "$NATIVE/$file" --document-ca "$AUTHORITIES"
		if cmp -s "$W/first.xml" "$W/out.xml"; then
			ok "native: $file twice gives the same bytes"
		else
			not_ok "native: $file twice gives the same bytes" "they differ"
		fi
		;;
	FED-*)
		refuses "$outcome" "native: $shows" FI EE response "$NATIVE/$file" \
			--document-ca "$AUTHORITIES"
		;;
	*)
		map FI EE response "$NATIVE/$file" --document-ca "$AUTHORITIES"
		if [ $? -eq 2 ] && [ ! -s "$W/out.xml" ]; then
			ok "native: $shows is refused"
		else
			not_ok "native: $shows is refused" "$(cat "$W/err")"
		fi
		;;
	esac
	[ "$judge" = - ] || judged "native: xmlsec1 on the signature of $file: $judge" "$NATIVE/$file" "$judge"
done <"$NATIVE/index.tsv"
map FI EE response "$NATIVE/good.xml" --document-ca "$AUTHORITIES"
says "native: the original is named" "$W/out.xml" \
	'//cda:relatedDocument[@typeCode="XFRM"]/cda:parentDocument/cda:id/@root' 1.2.246.10.12345678.93.2024.5001
says "native: its form in Estonian" "$W/out.xml" '//pharm:formCode[1]/@displayName' "gastroresistentne tablett"
refuses FED-SIG-002 "native: without authorities" FI EE response "$NATIVE/good.xml"
refuses FED-SIG-002 "native: without signature" FI EE response "$NATIVE/prescription.xml" --document-ca "$AUTHORITIES"
refuses FED-STR-002 "native: from Estonia" EE FI response "$NATIVE/good.xml" --document-ca "$AUTHORITIES"

# --- real documents ---------------------------------------------------------------------------------

real() { # FROM TO FILE [OPTION]: translated and valid
	if [ -f "$REAL/$3" ]; then
		translates "real: $(basename "$3")" "$1" "$2" response "$REAL/$3" "${@:4}"
		valid "real: $(basename "$3") is valid afterwards" "$W/out.xml"
	else
		skip "real: $(basename "$3")" "$REAL is not there"
	fi
}
real_refused() { # CODE FROM TO FILE
	if [ -f "$REAL/$4" ]; then
		refuses "$1" "real: $(basename "$4")" "$2" "$3" response "$REAL/$4" --test-codes
	else
		skip "real: $(basename "$4")" "$REAL is not there"
	fi
}
real FI EE cda-ep/FI_eP_friendly_Pantoprazol_ePrescription-friendly.xml
real FI EE cda-ep/FI_eP_pivot_2013_Lantus_ePrescription-pivot.xml
real EE FI cda-ep/EE_eP_pivot_candesartan_X-XXXX.xml --test-codes
real_refused FED-ID-001 FI EE cda-ep/FI_eP_pivot_Lantus_1-1234-W8.xml # a person of no known country
real_refused FED-MAP-001 FI EE cda-ep/FI_eP_bad_mapping_1-BAD-MAPPING.xml
real_refused FED-BUS-005 EE FI cda-ed/FI_eD_pivot_Amorion_dispensed_in_MT_eDispensation-pivot.xml
real_refused FED-MAP-001 EE FI cda-ed/dispensation1.xml # another country's form codes
real_refused FED-BUS-005 EE FI cda-ed/dispensation_bad_1.xml # less than nothing dispensed
real_refused FED-STR-003 EE FI cda-ed/eD_friendly_eDispensation-friendly.xml
real_refused FED-STR-002 EE FI cda-other/EE_PatientSummary_EE_PS_EXAMPLE.xml # no kind of this flow
real_refused FED-SIG-002 FI EE cda-other/kanta_laakemaarays_RENITEC_COMP.xml # nobody to trust is named

echo "1..$n"
exit $status
