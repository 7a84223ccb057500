# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text format 0.0.4: what is not as it must be is an error."""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
VALUE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Wrong(Exception):
    pass


def read_labels(text):
    labels = {}
    at = 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m or m.group(1) in labels:
            raise Wrong(f"labels {text!r}")
        labels[m.group(1)] = re.sub(r'\\[\\"n]', lambda e: ESCAPES[e.group()], m.group(2))
        at = m.end()
        if m.group(3) == "," and at == len(text):
            raise Wrong(f"a comma ends {text!r}")
    return labels


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type = name, text, None
        self.samples = {}  # (name, labels) -> value


class Exposition:
    def __init__(self, text):
        self.families = {}
        if not text.endswith("\n"):
            raise Wrong("the last line does not end")
        family = None
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                name, _, words = line[7:].partition(" ")
                if name in self.families or not NAME.fullmatch(name) or not words:
                    raise Wrong(line)
                family = self.families[name] = Family(name, words)
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if family is None or name != family.name or family.type or family.samples:
                    raise Wrong(line)
                if kind not in ("counter", "gauge", "histogram"):
                    raise Wrong(line)
                family.type = kind
            else:
                self.sample(family, line)
        for family in self.families.values():
            self.check(family)

    @staticmethod
    def sample(family, line):
        m = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)", line)
        if not m or family is None or not family.type or not VALUE.fullmatch(m.group(3)):
            raise Wrong(line)
        suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
        if m.group(1) not in [family.name + s for s in suffixes]:
            raise Wrong(f"{line} stands among {family.name}")
        key = (m.group(1), frozenset(read_labels(m.group(2) or "").items()))
        if key in family.samples:
            raise Wrong(f"twice: {line}")
        family.samples[key] = float(m.group(3))

    def check(self, family):
        """promtool's own rules about names, and what a histogram must be."""
        if family.type is None:
            raise Wrong(f"{family.name} has no type")
        if (family.type == "counter") != family.name.endswith("_total"):
            raise Wrong(f"{family.name} is a {family.type}")
        if re.search(r"_(milliseconds|ms|minutes|kilobytes|mb|percent)(_|$)", family.name):
            raise Wrong(f"{family.name} is not in base units")
        if family.type == "histogram":
            self.check_histogram(family)
        elif family.type == "counter" and any(v < 0 for v in family.samples.values()):
            raise Wrong(f"{family.name} is below nothing")

    @staticmethod
    def check_histogram(family):
        series = {}
        for (name, labels), value in family.samples.items():
            if name.endswith("_bucket"):
                rest = frozenset(p for p in labels if p[0] != "le")
                bound = dict(labels)["le"]
                series.setdefault(rest, []).append(
                    (float("inf") if bound == "+Inf" else float(bound), value))
        for labels, buckets in series.items():
            bounds, counts = zip(*sorted(buckets))
            if bounds[-1] != float("inf") or list(counts) != sorted(counts):
                raise Wrong(f"{family.name} {dict(labels)} is not cumulative: {counts}")
            if counts[-1] != family.samples[(family.name + "_count", labels)]:
                raise Wrong(f"{family.name} {dict(labels)}: the count is not the last bucket's")
            if (family.name + "_sum", labels) not in family.samples:
                raise Wrong(f"{family.name} {dict(labels)} has no sum")

    def value(self, name, **labels):
        """The only sample that has these labels among its own; 0 where there is none."""
        family = self.families[re.sub("_(bucket|sum|count)$", "", name)
                               if name not in self.families else name]
        found = [v for (n, have), v in family.samples.items()
                 if n == name and set(labels.items()) <= set(have)]
        if len(found) > 1:
            raise Wrong(f"{name} {labels} is not one sample")
        return found[0] if found else 0

    def total(self, name, **labels):
        family = self.families[name]
        return sum(v for (n, have), v in family.samples.items()
                   if n == name and set(labels.items()) <= set(have))

    def label_values(self):
        return {value for family in self.families.values() for _, labels in family.samples
                for _, value in labels}
