#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manifests of hardware interfaces, as Python's own XML parser reads them."""
import pathlib
import random
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght


def want(text):
    root = ET.fromstring(text)
    out = []
    for hal in root.findall("hal"):
        names = []
        for x in hal:
            if x.tag == "interface":
                names += [x.findtext("name").strip() + "/" + i.text.strip() for i in x.findall("instance")]
            elif x.tag == "fqname":
                names.append(x.text.strip())
        first = lambda tag: (hal.findtext(tag) or "").strip() or None  # noqa: E731
        out.append((root.get("type"), first("name"), hal.get("format", "hidl"), first("transport"), " ".join(v.text.strip() for v in hal.findall("version")) or None, " ".join(names) or None))
    return out


def rows(text, name="manifest.xml"):
    return ght.inspect(name, text.encode(), "vintf")


def got(found):
    return [tuple(r[c] for c in ("type", "name", "format", "transport", "version", "instances")) for r in ght.rows(found, "vintf_hals")]


def hal(r, i):
    fmt = r.choice(["", ' format="hidl"', ' format="aidl"', ' format="native"'])
    lines = [f"<hal{fmt}>", f"<name>android.hardware.x{i}</name>", r.choice(["", "<transport>hwbinder</transport>", '<transport arch="32+64">passthrough</transport>'])]
    lines += [f"<version>{r.randrange(9)}.{r.randrange(9)}</version>" for _ in range(r.randrange(3))]
    for j in range(r.randrange(3)):
        lines.append(f"<interface><name>IX{j}</name>" + "".join(f"<instance>slot{k}</instance>" for k in range(r.randrange(1, 3))) + "</interface>")
    lines += [f"<fqname>@2.{j}::IY/default</fqname>" for j in range(r.randrange(2))]
    return "\n    ".join(lines) + "\n</hal>"


def main():
    r = random.Random(8)
    for kind in ("device", "framework"):
        for n in (1, 30, 200):
            text = f'<!-- of the vendor -->\n<manifest version="1.0" type="{kind}" target-level="3">\n' + "\n".join(hal(r, i) for i in range(n)) + "\n<sepolicy><version>28.0</version></sepolicy></manifest>\n"
            found = rows(text)
            ght.equal(got(found), want(text), f"{kind}, {n} interfaces")
            ght.equal([text.encode()[x["at"]:x["at"] + 4] for x in ght.rows(found, "vintf_hals")], [b"<hal"] * n, f"{kind}, {n} interfaces: offsets")
    one = '<manifest type="device"><hal><name>a</name><override/><name2>b</name2></hal></manifest>'
    ght.equal(got(rows(one)), [("device", "a", "hidl", None, None, None)], "elements that are not known")
    for what, text, code in (("cut off", '<manifest type="device"><hal><name>a</name></hal><hal><name>b', "bad"), ("entities", '<!DOCTYPE m [<!ENTITY e "x">]><manifest><hal><name>&e;</name></hal></manifest>', "unsup"),
                             ("too deep", "<manifest><hal>" + "<x>" * 40, "limit")):
        found = rows(text)
        ght.equal([x["status"] for x in ght.rows(found, "blob_runs", plugin="vintf")], [code], f"{what}: {code}")
    ght.equal(got(rows('<manifest type="device"><hal><name>a</name></hal><hal><name>b')), [("device", "a", "hidl", None, None, None)], "what came before the damage stays")
    ght.equal(len(got(rows('<manifest type="device"><hal><name>' + "n" * 5000 + "</name></hal></manifest>"))[0][1]), 1024, "a long name is cut")
    ght.equal(got(rows('<manifest package="com.x"><application/></manifest>')), [], "the manifest of an app is none")


main()
ght.done()
