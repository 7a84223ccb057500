#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No option of the configuration is read and then forgotten: the field that each option of
# bridge/config.c fills is used by other code. The compiler tells: it reads the sources with every
# field of config.h marked as deprecated, and warns wherever one is used. TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
export CC=${CC:-gcc}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cp -r bridge "$W/"

# What config.c makes of a text: the made thing is what must be used.
cat >"$W/made" <<'END'
slt_config_side.subsystem_text slt_config_side.subsystem
slt_config_side.server_text slt_config_side.server
slt_config_route.from slt_config_route.from_side
slt_config_route.to slt_config_route.to_side
slt_config_route.provider_text slt_config_route.provider
slt_config_route.target_text slt_config_route.target
slt_config_route.server_text slt_config_route.server
slt_config_route.allow slt_config_route.allowed
slt_config.sides slt_config.side
slt_config.routes slt_config.route
slt_config_route.rest slt_config_route.rest
END

python3 - "$W" <<'END'
import os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

top = sys.argv[1]
header, source = f"{top}/bridge/config.h", open("bridge/config.c").read()

# --- mark every field: one declarator each, named in the warning
fields, out, struct = set(), [], None
for line in open(header).read().split("\n"):
    m = re.match(r"struct (slt_config\w*) \{", line)
    if m:
        struct = m.group(1)
    elif line.startswith("}"):
        if struct == "slt_config_side":
            out.append('\tint nobody __attribute__((deprecated("slt_config_side.nobody")));')
        struct = None
    elif struct and (m := re.match(r"\t(.+?)([ *]+)((?:\**\w+(?:, )?)+);", line)):
        for name in m.group(3).replace("*", "").split(", "):
            fields.add(f"{struct}.{name}")
            out.append(f"\t{m.group(1)}{m.group(2)}{name} "
                       f'__attribute__((deprecated("{struct}.{name}")));')
        continue
    out.append(line)
open(header, "w").write("\n".join(out))

# --- which fields does other code use?
flags = subprocess.run(["pkg-config", "--cflags", "libxml-2.0", "gnutls", "libsystemd"],
                       capture_output=True, text=True).stdout.split()
def uses(path):
    run = subprocess.run([os.environ["CC"], "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only",
                          f"-I{top}/bridge", "-I.", '-DSLT_VERSION=""', *flags, path],
                         capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if run.returncode:
        print("# " + run.stderr[:2000].replace("\n", "\n# "))
        print(f"Bail out! {path} does not compile")
        sys.exit(1)
    return set(re.findall(r"deprecated: (slt_config\w*\.\w+)", run.stderr))
files = [f"{top}/bridge/{f}" for f in sorted(os.listdir("bridge"))
         if f.endswith(".c") and f not in ("config.c", "config_bearer.c")]
with ThreadPoolExecutor(2) as pool:
    used = set().union(*pool.map(uses, files))

# --- the options
structs = {"S": "slt_config_side", "R": "slt_config_route", "C": "slt_config",
           "H": "slt_config_rest"}
tables = {"side_options": "slt_config_side", "route_options": "slt_config_route",
          "rest_options": "slt_config_rest", "options": "slt_config"}
made = dict(line.split() for line in open(f"{top}/made"))
n = bad = 0
def report(good, title):
    global n, bad
    n, bad = n + 1, bad + (not good)
    print(f"{'ok' if good else 'not ok'} {n} - {title}")
table = None
for line in source.split("\n"):
    if m := re.match(r"static const struct slt_conf_option (\w+)\[\]", line):
        table = tables[m.group(1)]
    if m := re.match(r'\t\{"(\w+)", SLT_CONF_\w+, (?:([SRCH])\((\w+)\)|0),', line):
        field = f"{structs[m.group(2)]}.{m.group(3)}" if m.group(2) else f"{table}.{m.group(1)}"
        what = made.get(field, field)
        report(what in fields and what in used, f"{what} is used")
report(n == len(re.findall(r'SLT_CONF_\w+, (?:[SRCH]\(|0,)', source)), "every option was looked at")
report("slt_config_side.nobody" not in used and len(used) > 40, "a field that nobody uses is noticed")
print(f"1..{n}")
sys.exit(bad > 0)
END
