#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# JSON through `silta map apply`: the FHIR documents and the business register's messages of
# examples/documents, each mapped and looked into; what must not pass is refused with its code. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
SILTA=${BUILD:-build}/silta
export SILTA_MAPPINGS=mappings
FHIR=examples/documents/fhir
REG=examples/documents/register
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
n=0 status=0
flow=eprescription message=response service=

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { # TITLE DETAIL
	n=$((n + 1)) status=1
	echo "not ok $n - $1"
	printf '%s\n' "$2" | head -c 2000 | sed 's/^/# /'
}
map() { # FROM TO FILE
	"$SILTA" map apply --from "$1" --to "$2" --flow $flow --message $message \
		${service:+--service "$service"} --at 2026-11-23 --explain "$W/trace.json" \
		--problems "$W/problems.json" "$3" >"$W/out.json" 2>"$W/err"
}
translates() { # TITLE FROM TO FILE
	if map "$2" "$3" "$4" && jq -e . "$W/out.json" >"$W/jq" 2>&1; then
		ok "$1"
	else
		not_ok "$1" "$(cat "$W/err")"
	fi
}
refuses() { # CODE TITLE FROM TO FILE
	map "$3" "$4" "$5"
	local rc=$? codes
	codes=$(jq -r '[.problems[]|select(.severity=="error").code]|unique|join(" ")' "$W/problems.json")
	if [ $rc -eq 1 ] && [ "$codes" = "$1" ] && [ ! -s "$W/out.json" ]; then
		ok "$2 ($1)"
	else
		not_ok "$2 ($1)" "status $rc, codes '$codes': $(cat "$W/err")"
	fi
}
cannot() { # TITLE FROM TO FILE WORDS
	map "$2" "$3" "$4"
	local rc=$?
	if [ $rc -eq 2 ] && grep -q "$5" "$W/err"; then
		ok "$1"
	else
		not_ok "$1" "status $rc: $(cat "$W/err")"
	fi
}
says() { # TITLE FILTER WANTED (of the last output)
	local got
	got=$(jq -c "$2" "$W/out.json" 2>&1)
	if [ "$got" = "$3" ]; then ok "$1"; else not_ok "$1" "$2 is $got, not $3"; fi
}
traced() { # TITLE FILTER over .entries[] WANTED
	local got
	got=$(jq -c "[.entries[]|$2]" "$W/trace.json" 2>&1)
	if [ "$got" = "$3" ]; then ok "$1"; else not_ok "$1" "$2 is $got, not $3"; fi
}
# the document changed by a jq program
but() { # FILE PROGRAM
	jq "$2" "$1" >"$W/changed.json"
}
resource() { echo ".entry[]|select(.resource.resourceType==\"$1\").resource"; }
medication() { echo "$(resource MedicationRequest).contained[0]"; }

# --- Finland to Estonia ---
translates "fi-01 is translated" FI EE $FHIR/fi-01-tablet.json
says "fi-01: the form is Estonia's, the Finnish one stays behind it" \
	"$(medication).form.coding|map([.system,.code,.display])" \
	'[["https://fhir.ee/CodeSystem/ravimvormid","738","tablett"],["urn:oid:1.2.246.537.6.852","173","tabletti"]]'
says "fi-01: the form's Finnish name stays as text" "$(medication).form.text" '"tabletti"'
says "fi-01: the Finnish package code is left alone" \
	"[$(medication).code.coding[]|select(.system==\"urn:oid:1.2.246.537.6.55\").code]" '["990011"]'
says "fi-01: ATC goes by Estonia's name of it" "$(medication).code.coding[0].system" \
	'"https://fhir.ee/CodeSystem/atc-ee"'
says "fi-01: the route is found by its Finnish words" \
	"$(resource MedicationRequest).dosageInstruction[0].route" \
	'{"text":"Suun kautta","coding":[{"system":"https://fhir.ee/CodeSystem/manustamistee","code":"suukaudne","display":"suukaudne"}]}'
says "fi-01: a unit in words becomes a UCUM unit" \
	"$(medication).amount.numerator|[.code,.system]" '["1","http://unitsofmeasure.org"]'
says "fi-01: the unit's original stays in an extension" \
	"$(medication).amount.numerator.extension[0]|[.url,.valueQuantity.unit]" \
	'["http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation","fol"]'
says "fi-01: the patient goes under Estonia's root" \
	"$(resource Patient).identifier[0]|[.use,.system,.value]" \
	'["official","urn:oid:1.3.6.1.4.1.28284.6.2.2.16.246.2","120354-914K"]'
says "fi-01: so does the subject" "$(resource MedicationRequest).subject.identifier.system" \
	'"urn:oid:1.3.6.1.4.1.28284.6.2.2.16.246.2"'
says "fi-01: titles are Estonian" "$(resource Composition)|[.title,.section[0].title]" \
	'["Retsept","Retsept"]'
says "fi-01: the dosage text is left as written" \
	"$(resource MedicationRequest).dosageInstruction[0].text" '"1 tabletti aamuisin, veden kanssa."'
says "fi-01: Provenance names the source" \
	"$(resource Provenance)|[.activity.coding[0].code,.entity[0].role,.entity[0].what.identifier.value,.recorded]" \
	'["transform","source","urn:oid:1.2.246.10.98765430.11.2026.1000001","2026-11-23T00:00:00.000Z"]'
says "fi-01: Composition.relatesTo names it, too" \
	"$(resource Composition).relatesTo[0]|[.code,.targetIdentifier.value]" \
	'["transforms","urn:oid:1.2.246.10.98765430.11.2026.1000001"]'
says "fi-01: the Bundle has an identifier of its own" '.identifier.value|test("^urn:uuid:[0-9a-f-]{36}$")' true
traced "fi-01: places are JSONPath" 'select(.rule=="fhir-form").place' \
	'["$.entry[5].resource.contained[0].form"]'
traced "fi-01: birth date and sex are compared with the personal code" \
	'select(.rule=="fhir-person-agrees").outcome' '["checked"]'
if grep -q 120354 "$W/trace.json"; then
	not_ok "fi-01: the trace has no personal code" ""
else
	ok "fi-01: the trace has no personal code"
fi
cp "$W/out.json" "$W/first.json"
map FI EE $FHIR/fi-01-tablet.json
if cmp -s "$W/first.json" "$W/out.json"; then
	ok "fi-01: twice gives the same bytes"
else
	not_ok "fi-01: twice gives the same bytes" ""
fi
if map EE FI "$W/first.json"; then
	says "fi-01: there and back is the Finnish form again" \
		"$(medication).form.coding[0]|[.system,.code,.display]" '["urn:oid:1.2.246.537.6.852","173","tabletti"]'
	says "fi-01: there and back is the Finnish root again" "$(resource Patient).identifier[0].system" \
		'"urn:oid:1.2.246.21"'
else
	not_ok "fi-01: there and back" "$(cat "$W/err")"
fi

translates "fi-04, a message, is translated" FI EE $FHIR/fi-04-inhaler.json
says "fi-04: both strengths are in UCUM" "[$(medication).ingredient[].strength.numerator.code]" '["ug","ug"]'
if [ "$(grep -o '"value":4\.50' "$W/out.json" | wc -l)" -eq 2 ]; then
	ok "fi-04: 4.50 stays 4.50, in the value and in its original"
else
	not_ok "fi-04: 4.50 stays 4.50, in the value and in its original" "$(grep -o '"value":[0-9.]*' "$W/out.json")"
fi
says "fi-04: a message has no relatesTo" '[.. | objects | select(has("relatesTo"))] | length' 0
says "fi-04: a route without a counterpart keeps its words only" \
	"$(resource MedicationRequest).dosageInstruction[0].route" '{"text":"Inhalaatioon"}'

translates "the Finnish dispensation is translated" FI EE $FHIR/dispensation-fi-01.json
says "dispensation-fi-01: the Estonian patient has Estonia's name of the root" \
	"$(resource Patient).identifier[0].system" '"https://fhir.ee/sid/pid/est/ni"'
says "dispensation-fi-01: the echoed form comes home as it went" \
	"$(medication).form.coding|map(.code)" '["738","173"]'
traced "dispensation-fi-01: the forms are compared" 'select(.rule=="fhir-form-agrees").outcome' '["checked"]'

# --- Estonia to Finland ---
translates "ee-02 is translated" EE FI $FHIR/ee-02-tablet.json
says "ee-02: the form is Finland's" "$(medication).form.coding[0]|[.system,.code]" \
	'["urn:oid:1.2.246.537.6.852","173"]'
says "ee-02: the route is EDQM's with its Finnish name" \
	"$(resource MedicationRequest).dosageInstruction[0].route.coding[0]|[.system,.code,.display]" \
	'["http://standardterms.edqm.eu","20053000","Suun kautta"]'
says "ee-02: the reason against substitution stays as text" \
	"$(resource MedicationRequest).substitution.allowedCodeableConcept|[.coding[0].display,.text]" \
	'["lääkevaihto kielletty","KP05 patsiendile on paremini talutav konkreetne ravim"]'
translates "the Estonian dispensation is translated" EE FI $FHIR/dispensation-ee-01.json
says "dispensation-ee-01: the Finnish patient has Finland's root" "$(resource Patient).identifier[0].system" \
	'"urn:oid:1.2.246.21"'
says "dispensation-ee-01: the prescription's identifier is untouched" \
	"$(resource MedicationDispense).authorizingPrescription[0].identifier.value" \
	'"urn:oid:1.2.246.10.98765430.93.2026.1000001"'
says "dispensation-ee-01: what was dispensed has the Finnish form" \
	"$(resource MedicationDispense).contained[0].form.coding[0].code" '"173"'

# --- what must not pass ---
but $FHIR/fi-01-tablet.json '.entry[5].resource.category=[{coding:[{system:"urn:oid:1.2.246.537.5.40118.2006",code:"H"}]}]'
refuses FED-BUS-001 "a Finnish narcotic" FI EE "$W/changed.json"
but $FHIR/ee-02-tablet.json '.entry[5].resource.category=[{coding:[{system:"https://fhir.ee/CodeSystem/retsepti-liik",code:"2"}]}]'
refuses FED-BUS-001 "an Estonian narcotic" EE FI "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.contained[0].form.coding[0].code="9999"'
refuses FED-MAP-001 "a form that the list does not have" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.contained[0].form.coding[0].system="urn:oid:1.2.3"'
refuses FED-MAP-001 "a form of an unknown system" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.contained[0].form.coding+=[{system:"urn:oid:1.2.246.537.6.852",code:"45"}]'
refuses FED-MAP-003 "two forms in the national system" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json 'del(.entry[5].resource.contained[0].form)'
refuses FED-STR-003 "a medication without form" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.contained[0].form={text:"tabletti"}'
refuses FED-STR-003 "a form in words only" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource|=(del(.medicationReference)|.medicationCodeableConcept={text:"x"})'
refuses FED-STR-003 "a product in a code only" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[1].resource.identifier[0].value="120354-914X"'
# the order, which is not about the same person any more, says so too
refuses "FED-ID-002 FED-ID-003" "a wrong check character" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[1].resource.birthDate="1954-03-13"'
refuses FED-ID-003 "another date of birth" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[1].resource.gender="male"'
refuses FED-ID-003 "another sex" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[1].resource.identifier[0].system="urn:oid:1.2.246.99"'
refuses FED-ID-001 "a patient under an unknown root" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry+=[.entry[1]]'
refuses FED-STR-003 "two patients" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.contained[0].amount.numerator.unit="ämpäri"'
refuses FED-MAP-001 "an unknown unit" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.dispenseRequest.quantity.value=0'
refuses FED-BUS-005 "nothing prescribed" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.dispenseRequest.quantity={value:250,unit:"fol"}'
refuses FED-BUS-005 "an amount that is not whole packages" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.entry[5].resource.dispenseRequest.quantity.value="2"'
map FI EE "$W/changed.json"
says "a number in quotes stays in quotes" "$(resource MedicationRequest).dispenseRequest.quantity.value" '"2"'
but $FHIR/fi-01-tablet.json 'del(.identifier)'
refuses FED-STR-003 "a Bundle without identifier" FI EE "$W/changed.json"
but $FHIR/fi-01-tablet.json '.type="searchset"'
refuses FED-STR-002 "a Bundle of another type" FI EE "$W/changed.json"
echo '{"resourceType":"Patient"}' >"$W/changed.json"
refuses FED-STR-002 "no Bundle" FI EE "$W/changed.json"
but $FHIR/dispensation-fi-01.json '.entry[5].resource.contained[0].form.coding[0].code="45"'
refuses FED-ID-003 "another form dispensed than prescribed, not substituted" FI EE "$W/changed.json"
but $FHIR/dispensation-fi-01.json '.entry[5].resource.authorizingPrescription[0].identifier.value="9990000999.1"'
refuses FED-ID-003 "a dispensation of another prescription" FI EE "$W/changed.json"
but $FHIR/dispensation-fi-01.json 'del(.entry[5].resource.quantity)'
refuses FED-STR-003 "a dispensation without amount" FI EE "$W/changed.json"
but $FHIR/dispensation-fi-01.json 'del(.entry[5].resource.authorizingPrescription)'
refuses FED-STR-003 "a dispensation of nothing" FI EE "$W/changed.json"
sed 's/"type": "document"/"type": "document", "type": "document"/' $FHIR/fi-01-tablet.json >"$W/changed.json"
cannot "a member that stands twice" FI EE "$W/changed.json" 'stands twice'
head -c 1000 $FHIR/fi-01-tablet.json >"$W/changed.json"
cannot "half a document" FI EE "$W/changed.json" 'line [0-9]*, column'

# --- the business register ---
flow=register
message=request
if "$SILTA" map apply --from FI --to EE --flow register --message request $REG/fi-request.xml >"$W/out.xml" 2>"$W/err" &&
	[ "$(xmllint --xpath "string(//*[local-name()='ettevotjaParing']/*[local-name()='registrikood'])" "$W/out.xml")" = 99900111 ]; then
	ok "register: a Finnish question in SOAP becomes Estonia's"
else
	not_ok "register: a Finnish question in SOAP becomes Estonia's" "$(cat "$W/err" "$W/out.xml")"
fi
if "$SILTA" map apply --from EE --to FI --flow register --message response $REG/ee-response.xml >"$W/out.xml" 2>"$W/err" &&
	[ "$(xmllint --xpath "concat(//*[local-name()='yhtiomuoto']/@koodi,' ',//*[local-name()='yhtiomuoto']/@selite,' ',//*[local-name()='tila']/@koodi,' ',//*[local-name()='maa'],' ',//*[local-name()='osakepaaoma'])" "$W/out.xml")" = "OY Osakeyhtiö SELTILA 233 2556.00" ]; then
	ok "register: the Estonian answer in SOAP becomes Finland's"
else
	not_ok "register: the Estonian answer in SOAP becomes Finland's" "$(cat "$W/err" "$W/out.xml")"
fi
service=ettevotjad
translates "register: an Estonian question in JSON" EE FI $REG/ee-request.json
says "register: it has Finland's name of the member" . '{"yritysTunnus":"9900112-5"}'
echo '{"registrikood": "9900112-4"}' >"$W/changed.json"
refuses FED-ID-002 "register: a wrong check digit" EE FI "$W/changed.json"
echo '{"registrikood": "99900112"}' >"$W/changed.json"
refuses FED-ID-002 "register: a wrong Estonian check digit" EE FI "$W/changed.json"
echo '{"registrikood": "koivu"}' >"$W/changed.json"
refuses FED-ID-001 "register: no code of any country" EE FI "$W/changed.json"
echo '{"registrikood": 99900111}' >"$W/changed.json"
translates "register: a code as a number" EE FI "$W/changed.json"
says "register: it stays a number" . '{"yritysTunnus":99900111}'
echo '{}' >"$W/changed.json"
refuses FED-STR-003 "register: a question about nothing" EE FI "$W/changed.json"
echo '{"registrikood": "99900111", "salasona": "x"}' >"$W/changed.json"
refuses FED-STR-002 "register: a member that nobody agreed on" EE FI "$W/changed.json"
service=ettevotjaParing
refuses FED-STR-002 "register: JSON for a service that speaks SOAP" EE FI $REG/ee-request.json
service=
refuses FED-STR-002 "register: JSON without its service" EE FI $REG/ee-request.json
message=response service=yritykset
translates "register: a Finnish answer in JSON" FI EE $REG/fi-response.json
says "register: it is Estonia's in every member" '.kapital.suurus=80000' \
	'{"registrikood":"9900112-5","arinimi":"Koivurannan Saha Oyj","oiguslikVorm":{"kood":"AS","tekstina":"Aktsiaselts"},"staatus":"R","esmakandeKuupaev":"1987-03-02","riik":"FIN","kapital":{"suurus":80000,"valuuta":"EUR"},"tegevuskohad":[{"linn":"Turku","riik":"FIN"},{"linn":"Riga","riik":"LVA"}]}'
if grep -q '"suurus":80000.00,' "$W/out.json"; then
	ok "register: 80000.00 stays 80000.00"
else
	not_ok "register: 80000.00 stays 80000.00" "$(cat "$W/out.json")"
fi
but $REG/fi-response.json '.yhtiomuoto={koodi:"AOY"}'
refuses FED-MAP-002 "register: a housing company is no plain company" FI EE "$W/changed.json"
but $REG/fi-response.json '.yhtiomuoto={koodi:"SÄÄ"}'
refuses FED-MAP-001 "register: a foundation has no counterpart" FI EE "$W/changed.json"
but $REG/fi-response.json '.tila="SANE"'
refuses FED-MAP-001 "register: Estonia has no word for reorganisation" FI EE "$W/changed.json"
if grep -qi 'prescri\|dispense' "$W/err"; then
	not_ok "register: its sentences do not speak of medicine" "$(cat "$W/err")"
else
	ok "register: its sentences do not speak of medicine"
fi
but $REG/fi-response.json '.toimipaikat[1].maa="999"'
refuses FED-MAP-001 "register: a country that does not exist, inside an array" FI EE "$W/changed.json"
but $REG/fi-response.json '.rekisterointipaiva="1987-02-30"'
refuses FED-STR-002 "register: a day that does not exist" FI EE "$W/changed.json"
but $REG/fi-response.json '.osakepaaoma.maara=-1'
refuses FED-STR-002 "register: a capital below nothing" FI EE "$W/changed.json"
echo "1..$n"
exit $status
