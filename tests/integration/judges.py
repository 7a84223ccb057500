# SPDX-License-Identifier: MIT
"""What other programs say of tests/data/trust: X-Road's rules as an independent checker has them,
xmlsec1 on signatures, openssl on time-stamps, OCSP responses and signed directories. Nothing of
this project takes part but the files. TAP."""
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

from tap import ROOT, SHARED, Cases, Skip

TRUST = ROOT + "/tests/data/trust"
CHECKER = SHARED + "/tools/xroad_check.py"
PYTHON = "/usr/bin/python3"
XADES = "http://uri.etsi.org/01903/v1.3.2#"


def run(*words):
    r = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False,
                       timeout=60)
    return r.returncode, r.stdout + r.stderr


def expect(good, wanted, said):
    if good != wanted:
        raise RuntimeError(f"{'accepted' if good else 'refused'}: {said[:600]}")


def need(tool):
    if shutil.which(tool) is None:
        raise Skip(f"{tool} is not installed")


def between(text, start, end):
    found = re.search(re.escape(start) + "(.*?)" + re.escape(end), text, re.S)
    return found.group(1) if found else None


def pem(base64_text):
    lines = "\n".join(re.findall(".{1,64}", re.sub(r"\s", "", base64_text)))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


class Container:
    """One container, unpacked."""

    def __init__(self, work, file, conf):
        self.dir = tempfile.mkdtemp(dir=work)
        self.conf = conf
        with zipfile.ZipFile(f"{TRUST}/{file}") as z:
            z.extractall(self.dir)
        with open(self.path("META-INF/signatures.xml"), encoding="utf-8") as f:
            self.signature = f.read()
        self.write("signer.pem", pem(between(self.signature, "<ds:X509Certificate>", "<")))

    def path(self, name):
        return f"{self.dir}/{name}"

    def write(self, name, content):
        data = content.encode() if isinstance(content, str) else content
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def certificates(self):
        """Of the configuration: roots, and everything."""
        roots, others = [], []
        for folder, _, files in os.walk(f"{TRUST}/{self.conf}"):
            if "shared-params.xml" not in files:
                continue
            with open(folder + "/shared-params.xml", encoding="utf-8") as f:
                text = f.read()
            for top in re.findall("<topCA>(.*?)</topCA>", text, re.S):
                roots.append(pem(between(top, "<cert>", "<")))
            others += [pem(c) for c in re.findall("<cert>(.*?)<", text, re.S)]
        return self.write("roots.pem", "".join(roots)), self.write("all.pem", "".join(others))


def xmlsec(c, wanted):
    need("xmlsec1")
    words = ["xmlsec1", "--verify", "--insecure", "--pubkey-cert-pem", c.path("signer.pem"),
             "--id-attr:Id", XADES + ":SignedProperties"]
    for name in ("message.xml", "sig-hashchainresult.xml"):
        if os.path.exists(c.path(name)):
            words += [f"--url-map:/{name}", c.path(name)]
    status, said = run(*words, c.path("META-INF/signatures.xml"))
    expect(status == 0, wanted, said)
    if wanted and "References (ok/all): 0/0\nMan" in said:
        raise RuntimeError("nothing was referenced")


def time_stamp(c, wanted):
    need("openssl")
    roots, others = c.certificates()
    token, data = c.path("META-INF/timestamp.tst"), c.path("ts-hashchainresult.xml")
    if not os.path.exists(token):
        token = c.write("token", base64.b64decode(
            between(c.signature, "<xades:EncapsulatedTimeStamp>", "<")))
        data = c.write("value", base64.b64decode(
            between(c.signature, '<ds:SignatureValue Id="signature-value">', "<")))
    status, said = run("openssl", "ts", "-verify", "-in", token, "-token_in", "-data", data,
                       "-CAfile", roots, "-untrusted", others)
    expect(status == 0, wanted, said)


def issuer_of(c, others):
    """The certificate of the configuration that the signer's was issued with."""
    names = ["openssl", "x509", "-noout", "-nameopt", "RFC2253"]
    wanted = run(*names, "-issuer", "-in", c.path("signer.pem"))[1].split("=", 1)[1]
    with open(others, encoding="ascii") as f:
        for i, text in enumerate(re.findall("-----BEGIN.*?END CERTIFICATE-----\n", f.read(), re.S)):
            path = c.write(f"ca{i}.pem", text)
            if run(*names, "-subject", "-in", path)[1].split("=", 1)[1] == wanted:
                return path
    raise RuntimeError("no authority of the configuration has the issuer's name " + wanted)


def ocsp(c, wanted):
    """wanted: good, revoked, unknown, or None where the response must not be believed."""
    need("openssl")
    roots, others = c.certificates()
    response = c.write("ocsp", base64.b64decode(
        re.search("<xades:EncapsulatedOCSPValue[^>]*>([^<]*)<", c.signature).group(1)))
    status, said = run("openssl", "ocsp", "-respin", response, "-issuer", issuer_of(c, others),
                       "-cert", c.path("signer.pem"), "-CAfile", roots, "-verify_other", others,
                       "-validity_period", "2000000000", "-no_nonce")
    believed = status == 0 and "Response verify OK" in said
    if wanted is None:
        expect(believed and "signer.pem: " in said and "No Status" not in said, False, said)
    else:
        expect(believed and f"signer.pem: {wanted}" in said, True, said)


def checker(words, wanted):
    """wanted: OK or the code."""
    if not os.path.exists(CHECKER):
        raise Skip(f"{CHECKER} is not there")
    if not os.path.exists(PYTHON) or run(PYTHON, "-c", "import lxml, cryptography, asn1crypto")[0]:
        raise Skip("python3 lacks lxml, cryptography or asn1crypto")
    _, said = run(PYTHON, CHECKER, *words)
    line = said.strip().splitlines()[-1].split(" ")
    code = "OK" if line[0] == "OK" else line[2].rstrip(":")
    if wanted == "FAIL":
        expect(line[0] == "OK", False, said)
    elif code != wanted:
        raise RuntimeError(f"{code} instead of {wanted}: {said[:600]}")


def directory_signature(work, file, anchor, wanted):
    """The signed range is everything between the header of the first part and the outer
    delimiter; the certificate is the one that the anchor names."""
    need("openssl")
    with open(f"{TRUST}/{file}", "rb") as f:
        raw = f.read()
    with open(f"{TRUST}/{anchor}", encoding="utf-8") as f:
        cert = pem(re.search("<verificationCert>([^<]*)<", f.read()).group(1))
    outer = re.search(rb"boundary=(\w+)", raw).group(1)
    _, first, second, _ = raw.split(b"--" + outer)
    signed = first[2:].split(b"\r\n\r\n", 1)[1][:-2]
    value = base64.b64decode(second.split(b"\r\n\r\n", 1)[1])
    paths = []
    for name, data in (("cert", cert.encode()), ("signed", signed), ("value", value)):
        paths.append(f"{work}/{name}")
        with open(paths[-1], "wb") as f:
            f.write(data)
    _, public = run("openssl", "x509", "-in", paths[0], "-noout", "-pubkey")
    with open(f"{work}/public", "w", encoding="ascii") as f:
        f.write(public)
    status, said = run("openssl", "dgst", "-sha512", "-verify", f"{work}/public", "-signature",
                       paths[2], paths[1])
    expect(status == 0, wanted, said)


# what the other programs see of what is wrong; of the rest they know nothing
SPOILT_SIGNATURE = {"altered-message", "altered-properties", "altered-value",
                    "altered-value-ecdsa", "altered-chain-result"}
SPOILT_STAMP = {"stamp-by-nobody", "stamp-of-another", "foreign"}
OCSP_OTHERWISE = {"ocsp-revoked": "revoked", "ocsp-unknown": "unknown", "ocsp-nobodys": None,
                  "ocsp-of-another": None}


def judge_container(cases, work, file, conf, judge):
    name = os.path.basename(file)[:-len(".asice")]
    if judge != "-":
        cases.run(f"checker: {name}: {judge}", checker,
                  ["asice", f"{TRUST}/{conf}", f"{TRUST}/{file}"], judge)
    c = Container(work, file, conf)
    if judge == "OK" or name in SPOILT_SIGNATURE:
        if "-rsa-MGF1" not in c.signature:  # xmlsec1 1.2 does not know RSA-PSS; the checker does
            cases.run(f"xmlsec1: {name}", xmlsec, c, name not in SPOILT_SIGNATURE)
    if judge == "OK" or name in SPOILT_STAMP:
        cases.run(f"openssl ts: {name}", time_stamp, c, name not in SPOILT_STAMP)
    if judge == "OK" or name in OCSP_OTHERWISE:
        cases.run(f"openssl ocsp: {name}", ocsp, c, OCSP_OTHERWISE.get(name, "good"))


def main():
    cases = Cases()
    work = tempfile.mkdtemp()
    try:
        with open(TRUST + "/index.tsv", encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
        names = {os.path.basename(row[0]).removesuffix(".asice") for row in rows}
        if not SPOILT_SIGNATURE | SPOILT_STAMP | set(OCSP_OTHERWISE) <= names:
            raise RuntimeError("a vector that other programs must refuse is missing")
        for file, conf, _, _, judge, _ in rows:
            if file.startswith("containers/"):
                judge_container(cases, work, file, conf, judge)
                continue
            anchor, tree = conf.split(",")[0], os.path.dirname(file)
            if judge != "-":
                cases.run(f"checker: {file}: {judge}", checker,
                          ["conf", f"{TRUST}/{anchor}", f"{TRUST}/{file}", f"{TRUST}/{tree}"],
                          judge)
            cases.run(f"openssl dgst: {file}", directory_signature, work, file, anchor,
                      judge not in ("global_conf_signature_verification_failure",
                                    "global_conf_missing_verification_cert"))
    finally:
        shutil.rmtree(work)
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
