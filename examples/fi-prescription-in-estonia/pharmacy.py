# SPDX-License-Identifier: MIT
"""The software of a pharmacy: speaks X-Road message protocol 4.0 to its own security server.

Knows nothing of the bridge but the identifiers of the services it calls; for the demonstration and
for tests. endpoints is what ./up writes to endpoints.json.
"""
import os
import re
import time
import urllib.request
import uuid
import xml.etree.ElementTree as ET

DOCS = os.path.realpath(os.path.dirname(os.path.realpath(__file__)) + "/../documents")
NS = {
    "cda": "urn:hl7-org:v3",
    "pharm": "urn:hl7-org:pharm",
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "xroad": "http://x-road.eu/xsd/xroad.xsd",
    "id": "http://x-road.eu/xsd/identifiers",
    "dr": "http://digiretsept.example.ee/piiriylene/1",
    "rk": "http://reseptikeskus.example.fi/rajat-ylittava/1",
    "problem": "urn:silta:problems:1",
}
# under this root the Estonian health system files the national codes of Finland
HETU_ROOT_IN_ESTONIA = "1.3.6.1.4.1.28284.6.2.2.16.246.2"


class Fault(Exception):
    def __init__(self, fault):
        self.code = fault.findtext("faultcode") or ""
        self.text = fault.findtext("faultstring") or ""
        self.detail = fault.find("detail")
        super().__init__(self.code + ": " + self.text)


class Pharmacy:
    """Speaks X-Road message protocol 4.0 to its own security server, and nothing else."""

    def __init__(self, endpoints, client=None):
        ee = endpoints["EE"]
        self.url = ee["client"]
        self.client = (client or ee["members"]["pharmacy"]["subsystem"]).split("/")
        self.provider = ee["members"]["bridge"]["subsystem"].split("/")
        self.times = []  # (what, milliseconds) of each call

    def identifier(self, tag, kind, parts, names):
        inner = "".join(f"<id:{n}>{p}</id:{n}>" for n, p in zip(names, parts))
        return f'<xroad:{tag} id:objectType="{kind}">{inner}</xroad:{tag}>'

    def envelope(self, service, body, message_id=None):
        names = ["xRoadInstance", "memberClass", "memberCode", "subsystemCode"]
        header = (
            self.identifier("client", "SUBSYSTEM", self.client, names)
            + self.identifier(
                "service",
                "SERVICE",
                self.provider + [service, "v1"],
                names + ["serviceCode", "serviceVersion"],
            )
            + "<xroad:userId>EE48001010009</xroad:userId>"
            + f"<xroad:id>{message_id or uuid.uuid4()}</xroad:id>"
            + "<xroad:protocolVersion>4.0</xroad:protocolVersion>"
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope '
            f'xmlns:soap="{NS["soap"]}" xmlns:xroad="http://x-road.eu/xsd/xroad.xsd" '
            'xmlns:id="http://x-road.eu/xsd/identifiers">'
            f"<soap:Header>{header}</soap:Header><soap:Body>"
            f'<dr:{service} xmlns:dr="{NS["dr"]}">{body}</dr:{service}>'
            "</soap:Body></soap:Envelope>"
        )

    def post(self, data, content_type, headers=None):
        request = urllib.request.Request(
            self.url, data, {"Content-Type": content_type, "SOAPAction": '""', **(headers or {})}
        )
        start = time.monotonic()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as r:
            answer, kind = r.read(), r.headers.get("Content-Type", "")
        return answer, kind, (time.monotonic() - start) * 1000

    def call(self, service, body, what, message_id=None, headers=None, attachment=None):
        """The answer's body element and its attachments by Content-ID; raises Fault."""
        data = self.envelope(service, body, message_id).encode()
        kind = "text/xml; charset=UTF-8"
        if attachment is not None:
            data, kind = write_multipart(data, attachment)
        answer, kind, ms = self.post(data, kind, headers)
        self.times.append((what, ms))
        attachments = {}
        if kind.lower().startswith("multipart/"):
            answer, attachments = read_multipart(answer, kind)
        root = ET.fromstring(answer)
        fault = root.find("soap:Body/soap:Fault", NS)
        if fault is not None:
            raise Fault(fault)
        return root.find("soap:Body", NS)[0], attachments

    def list(self, row, **how):
        return self.call("valisretseptideLoetelu", person(row), "list", **how)[0]

    def fetch(self, row, inline=True, **how):
        """The prescription as a ClinicalDocument element."""
        body = person(row) + prescription(row) + f"<dr:kuju>{'sees' if inline else 'lisana'}</dr:kuju>"
        answer, attachments = self.call(
            "valisretseptiParing", body, "fetch" if inline else "fetch as attachment", **how
        )
        if inline:
            return answer.find(".//cda:ClinicalDocument", NS)
        href = answer.find("dr:dokumendiLisa", NS).get("href")
        return ET.fromstring(attachments[href.removeprefix("cid:")])

    def dispense(self, row, document, inline=True, **how):
        """Sends a dispensation (text of the document); its identifier and the new state."""
        if inline:
            document = re.sub(r"^\s*<\?xml[^>]*\?>", "", document)
            part = f"<dr:dokument>{document}</dr:dokument>"
        else:
            part = '<dr:dokumendiLisa href="cid:dispensation"/>'
            how["attachment"] = document.encode()
        answer, _ = self.call(
            "valisretseptiMyyk", person(row) + prescription(row) + part, "dispense", **how
        )
        return answer.find("dr:myygiTunnus", NS), answer.find("dr:olek", NS).get("kood")

    def discard(self, row, sale, **how):
        """Discards a dispensation; the new state of the prescription."""
        body = (
            person(row)
            + prescription(row)
            + identifier("myygiTunnus", sale.get("oid"), sale.get("nr"))
            + '<dr:pohjus kood="AN06">Ekslik vormistamine</dr:pohjus>'
        )
        answer, _ = self.call("valisretseptiMyygiTyhistamine", body, "discard", **how)
        return answer.find("dr:olek", NS).get("kood")


def read_multipart(data, kind):
    boundary = re.search(r'boundary="?([^";]+)', kind).group(1).encode()
    parts, envelope = {}, None
    for chunk in data.split(b"--" + boundary)[1:]:
        if chunk.startswith(b"--"):
            break
        header, _, body = chunk.lstrip(b"\r\n").partition(b"\r\n\r\n")
        body = body[:-2] if body.endswith(b"\r\n") else body
        cid = re.search(rb"content-id:\s*<?([^>\r\n]+)>?", header, re.I)
        if envelope is None:
            envelope = body
        else:
            parts[cid.group(1).decode() if cid else str(len(parts))] = body
    return envelope, parts


def write_multipart(envelope, document):
    boundary = "part" + uuid.uuid4().hex
    data = (
        f"--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-ID: <envelope>\r\n\r\n"
    ).encode()
    data += envelope
    data += (
        f"\r\n--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\n"
        "Content-Transfer-Encoding: binary\r\nContent-ID: <dispensation>\r\n\r\n"
    ).encode()
    data += document + f"\r\n--{boundary}--\r\n".encode()
    return data, f'multipart/related; type="text/xml"; start="<envelope>"; boundary={boundary}'


def person(row):
    return f'<dr:isik oid="{HETU_ROOT_IN_ESTONIA}" kood="{row["patient_code"]}"/>'


def prescription(row):
    return identifier("retseptiTunnus", row["prescription_root"], row["prescription_extension"])


def identifier(tag, root, extension):
    number = f' nr="{extension}"' if extension else ""
    return f'<dr:{tag} oid="{root}"{number}/>'


def patients():
    """The index of the made-up documents, by file name."""
    with open(DOCS + "/index.tsv", encoding="utf-8") as f:
        names = f.readline().rstrip("\n").split("\t")
        return {
            r["file"]: r for r in (dict(zip(names, line.rstrip("\n").split("\t"))) for line in f)
        }


def document(name):
    with open(f"{DOCS}/{name}", encoding="utf-8") as f:
        return f.read()
