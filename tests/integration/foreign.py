# SPDX-License-Identifier: MIT
"""
A security server that shares nothing with the bridge: it composes, signs, sends, receives, takes
apart and verifies messages of the transport protocol with Python's own library, cryptography and
nothing else. Written from the protocol's description, to be a stranger in the tests.
"""
import base64
import hashlib
import secrets
import socket
import ssl
import string
import urllib.request
import xml.etree.ElementTree as ET
from xml.parsers import expat
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509 import ocsp

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
ASIC = "http://uri.etsi.org/02918/v1.2.1#"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
EC_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
SCOPE = {"asic": ASIC, "ds": DS, "xades": XADES}
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def b64(data):
    return base64.b64encode(data).decode()


def sha512(data):
    return hashlib.sha512(data).digest()


def certificates(path):
    with open(path, "rb") as f:
        pem = f.read()
    end = b"-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate(p + end) for p in pem.split(end) if b"BEGIN CERT" in p]


def private_key(path):
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


# --- canonical XML ---------------------------------------------------------------------------


class Canonical:
    """Inclusive canonical XML 1.0 of the one element with the given Id or name, from the bytes."""

    def __init__(self, data, name=None, identifier=None):
        self.name, self.identifier = name, identifier
        self.scopes = [{}]
        self.rendered = []
        self.depth = 0
        self.found = 0
        self.out = []
        p = expat.ParserCreate()
        p.ordered_attributes = True
        p.StartElementHandler = self.start
        p.EndElementHandler = self.end
        p.CharacterDataHandler = self.text
        p.StartDoctypeDeclHandler = self.doctype
        p.Parse(data, True)
        if self.found != 1:
            raise AssertionError(f"{self.found} elements {name or identifier}")

    @staticmethod
    def doctype(*_):
        raise AssertionError("a document type")

    def start(self, name, attributes):
        scope = dict(self.scopes[-1])
        own = []
        for k, v in zip(attributes[::2], attributes[1::2]):
            if k == "xmlns" or k.startswith("xmlns:"):
                scope[k[6:]] = v
            else:
                own.append((k, v))
        self.scopes.append(scope)
        wanted = name == self.name or (self.identifier and ("Id", self.identifier) in own)
        if self.depth == 0 and not wanted:
            return
        self.found += self.depth == 0
        self.depth += 1
        before = self.rendered[-1] if self.rendered else {}
        new = sorted((p, u) for p, u in scope.items() if before.get(p) != u)
        self.rendered.append(scope)
        text = "<" + name
        for prefix, uri in new:
            text += f' xmlns{":" if prefix else ""}{prefix}="{self.attribute(uri)}"'
        for k, v in sorted(own, key=lambda a: self.order(a[0], scope)):
            text += f' {k}="{self.attribute(v)}"'
        self.out.append(text + ">")

    @staticmethod
    def order(name, scope):
        prefix, _, local = name.rpartition(":")
        return (scope.get(prefix, "") if prefix else "", local)

    @staticmethod
    def attribute(v):
        for a, b in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;"), ("\t", "&#x9;"),
                     ("\n", "&#xA;"), ("\r", "&#xD;")):
            v = v.replace(a, b)
        return v

    def end(self, name):
        self.scopes.pop()
        if self.depth:
            self.depth -= 1
            self.rendered.pop()
            self.out.append(f"</{name}>")

    def text(self, data):
        if self.depth:
            self.out.append(escape(data).replace("\r", "&#xD;"))

    def bytes(self):
        return "".join(self.out).encode()


# --- a country's trust -----------------------------------------------------------------------


class Country:
    """What a security server of the country has: its authority, responder, keys, certificates."""

    def __init__(self, directory, instance):
        self.keys = directory + "/keys/"
        self.instance = instance
        self.issuing = certificates(self.keys + "issuing-ca.cert.pem")[0]
        self.root = certificates(self.keys + "root-ca.cert.pem")[0]

    def chain(self, name):
        return certificates(f"{self.keys}{name}.cert.pem")

    def issuer_of(self, cert):
        for ca in (self.issuing, self.root):
            if ca.subject == cert.issuer:
                return ca
        raise AssertionError("an unknown issuer")

    def ocsp(self, cert):
        issuer = self.issuer_of(cert)
        asked = ocsp.OCSPRequestBuilder().add_certificate(cert, issuer, hashes.SHA1()).build()
        request = urllib.request.Request(
            self.instance["ocsp"], asked.public_bytes(serialization.Encoding.DER),
            {"Content-Type": "application/ocsp-request"})
        with OPENER.open(request, timeout=10) as r:
            return r.read()

    def check_issued(self, cert):
        self.issuing.public_key().verify(
            cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm))

    def check_ocsp(self, cert, response):
        told = ocsp.load_der_ocsp_response(response)
        if told.certificate_status != ocsp.OCSPCertStatus.GOOD:
            raise AssertionError(str(told.certificate_status))
        if told.serial_number != cert.serial_number:
            raise AssertionError("an OCSP response about another certificate")
        responder = told.certificates[0]
        self.check_issued(responder)
        responder.public_key().verify(
            told.signature, told.tbs_response_bytes, ec.ECDSA(told.signature_hash_algorithm))


# --- signatures ------------------------------------------------------------------------------


def with_scope(xml):
    """The canonical form of an element of our own text, at the place where it will stand."""
    name, rest = xml.split(">", 1)
    start, _, attributes = name.partition(" ")
    scope = "".join(f' xmlns:{p}="{u}"' for p, u in sorted(SCOPE.items()))
    return f"{start}{scope}{' ' + attributes if attributes else ''}>{rest}".encode()


def digest_of(data):
    return (f'<ds:DigestMethod Algorithm="{SHA512}"></ds:DigestMethod>'
            f"<ds:DigestValue>{b64(sha512(data))}</ds:DigestValue>")


def sign(country, name, message):
    """signatures.xml about a message of one part."""
    cert, key = country.chain(name)[0], private_key(f"{country.keys}{name}.key.pem")
    properties = (
        '<xades:SignedProperties Id="signed-properties"><xades:SignedSignatureProperties>'
        "<xades:SigningTime>2026-01-01T00:00:00.000Z</xades:SigningTime>"
        "<xades:SigningCertificate><xades:Cert><xades:CertDigest>" + digest_of(der(cert)) +
        "</xades:CertDigest><xades:IssuerSerial>"
        f"<ds:X509IssuerName>{escape(cert.issuer.rfc4514_string())}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{cert.serial_number}</ds:X509SerialNumber>"
        "</xades:IssuerSerial></xades:Cert></xades:SigningCertificate>"
        "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
        '<xades:DataObjectFormat ObjectReference="#signature-reference-0">'
        "<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>"
        "</xades:SignedDataObjectProperties></xades:SignedProperties>")
    method = RSA_SHA512 if isinstance(key, rsa.RSAPrivateKey) else EC_SHA512
    info = (
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N}">'
        "</ds:CanonicalizationMethod>"
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        '<ds:Reference Id="signature-reference-0" URI="/message.xml">' + digest_of(message) +
        '</ds:Reference><ds:Reference Id="signature-reference-1" '
        'Type="http://uri.etsi.org/01903#SignedProperties" URI="#signed-properties">' +
        digest_of(with_scope(properties)) + "</ds:Reference></ds:SignedInfo>")
    if method == RSA_SHA512:
        value = key.sign(with_scope(info), padding.PKCS1v15(), hashes.SHA512())
    else:
        r, s = utils.decode_dss_signature(key.sign(with_scope(info), ec.ECDSA(hashes.SHA512())))
        size = (key.curve.key_size + 7) // 8
        value = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    scope = "".join(f' xmlns:{p}="{u}"' for p, u in SCOPE.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><asic:XAdESSignatures{scope}>'
        f'<ds:Signature Id="signature">{info}'
        f'<ds:SignatureValue Id="signature-value">{b64(value)}</ds:SignatureValue><ds:KeyInfo>'
        f"<ds:X509Data><ds:X509Certificate>{b64(der(cert))}</ds:X509Certificate></ds:X509Data>"
        '</ds:KeyInfo><ds:Object><xades:QualifyingProperties Target="#signature">' + properties +
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:RevocationValues>"
        '<xades:OCSPValues><xades:EncapsulatedOCSPValue Id="ocsp-response-0">'
        f"{b64(country.ocsp(cert))}</xades:EncapsulatedOCSPValue></xades:OCSPValues>"
        "</xades:RevocationValues></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
        "</xades:QualifyingProperties></ds:Object></ds:Signature></asic:XAdESSignatures>").encode()


def verify(country, signature, message):
    """The signing certificate; raises unless everything that has to be signed is."""
    root = ET.fromstring(signature)
    ns = {"ds": DS, "x": XADES}
    info = root.find(".//ds:SignedInfo", ns)
    references = {r.get("URI"): r for r in info.findall("ds:Reference", ns)}
    if sorted(references) != ["#signed-properties", "/message.xml"]:
        raise AssertionError(f"references to {sorted(references)}")
    expected = {"/message.xml": message,
                "#signed-properties": Canonical(signature, identifier="signed-properties").bytes()}
    for uri, data in expected.items():
        r = references[uri]
        if r.find("ds:Transforms", ns) is not None or \
                r.find("ds:DigestMethod", ns).get("Algorithm") != SHA512 or \
                base64.b64decode(r.findtext("ds:DigestValue", "", ns)) != sha512(data):
            raise AssertionError(f"the digest of {uri}")
    cert = x509.load_der_x509_certificate(
        base64.b64decode(root.findtext(".//ds:X509Certificate", "", ns)))
    value = base64.b64decode(root.findtext(".//ds:SignatureValue", "", ns))
    method = info.find("ds:SignatureMethod", ns).get("Algorithm")
    signed = Canonical(signature, name="ds:SignedInfo").bytes()
    if method == RSA_SHA512:
        cert.public_key().verify(value, signed, padding.PKCS1v15(), hashes.SHA512())
    elif method == EC_SHA512:
        half = len(value) // 2
        raw = utils.encode_dss_signature(int.from_bytes(value[:half], "big"),
                                         int.from_bytes(value[half:], "big"))
        cert.public_key().verify(raw, signed, ec.ECDSA(hashes.SHA512()))
    else:
        raise AssertionError(method)
    told = root.find(".//x:SigningCertificate//x:CertDigest/ds:DigestValue", ns).text
    if base64.b64decode(told) != sha512(der(cert)):
        raise AssertionError("another certificate is signed")
    country.check_issued(cert)
    country.check_ocsp(cert, base64.b64decode(root.find(".//x:EncapsulatedOCSPValue", ns).text))
    return cert


# --- messages on the wire --------------------------------------------------------------------


def boundary():
    return "xtop" + "".join(secrets.choice(string.ascii_letters) for _ in range(30))


def write_parts(mark, parts):
    """parts: (content type, bytes); as X-Road's encoder puts them."""
    out = []
    for i, (kind, data) in enumerate(parts):
        start = f"{chr(13) + chr(10) if i else ''}--{mark}\r\ncontent-type: {kind}\r\n\r\n"
        out += [start.encode(), data]
    return b"".join(out) + f"\r\n--{mark}--\r\n".encode()


def read_parts(mark, body):
    """[(headers, bytes)]; exactly the layout of the protocol."""
    start = f"--{mark}\r\n".encode()
    if not body.startswith(start):
        raise AssertionError("the first boundary is not the first thing")
    *parts, last = body[len(start):].split(f"\r\n--{mark}".encode())
    if last != b"--\r\n":
        raise AssertionError(f"after the last boundary: {last!r}")
    found = []
    for i, part in enumerate(parts):
        if i:
            if not part.startswith(b"\r\n"):
                raise AssertionError("no line end after a boundary")
            part = part[2:]
        head, _, data = part.partition(b"\r\n\r\n")
        found.append((head.decode().split("\r\n"), data))
    return found


def chunked(body):
    out = []
    for i in range(0, len(body), 1000):
        piece = body[i: i + 1000]
        out.append(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    return b"".join(out) + b"0\r\n\r\n"


class Wire:
    """One connection, read exactly to the end of each message."""

    def __init__(self, tls):
        self.tls = tls
        self.rest = b""

    def more(self):
        data = self.tls.recv(65536)
        if not data:
            raise EOFError
        self.rest += data

    def until(self, end):
        while end not in self.rest:
            self.more()
        head, self.rest = self.rest.split(end, 1)
        return head

    def exactly(self, n):
        while len(self.rest) < n:
            self.more()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def message(self):
        """First line, header lines as they came, body."""
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        names = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines}
        if names.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self.until(b"\r\n"), 16)
                body += self.exactly(size)
                if self.exactly(2) != b"\r\n":
                    raise AssertionError("a chunk without its end")
                if size == 0:
                    return first, lines, body
        return first, lines, self.exactly(int(names.get("content-length", 0)))


def value_of(lines, name):
    """The value of a header in exactly this spelling."""
    found = [line[len(name) + 1:].strip() for line in lines if line.startswith(name + ":")]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} headers {name} in {lines}")
    return found[0]


def mark_of(content_type):
    return content_type.partition("boundary=")[2].strip('"')


def connect(country, name, address, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(f"{country.keys}{name}.cert.pem", f"{country.keys}{name}.key.pem")
    tls = context.wrap_socket(socket.create_connection((address, port), timeout=20))
    return Wire(tls)
