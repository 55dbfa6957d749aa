#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""permissions: against xml.etree on lists like Android's, and hostile XML."""
import pathlib
import random
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()
r = random.Random(11)


def look(data, name="privapp-permissions-x.xml"):
    (d / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return ght.drive(d / name)


def privapp(text):
    root = ET.fromstring(text)
    return [(p.get("package"), x.get("name"), int(x.tag == "deny-permission")) for p in root.iter("privapp-permissions") for x in p
            if x.tag in ("permission", "deny-permission")]


def got(rows):
    return [(x["package"], x["permission"], x["deny"]) for x in ght.rows(rows, "privapp")]


text = '<?xml version="1.0" encoding="utf-8"?>\n<!-- list -->\n<permissions>\n' + "".join(
    f'  <privapp-permissions package="com.example.p{i}">\n' + "".join(
        f'    <{"deny-" if r.random() < .1 else ""}permission name="android.permission.P{r.randrange(99)}"/>\n' for _ in range(r.randrange(12)))
    + "  </privapp-permissions>\n" for i in range(300)) + "</permissions>\n"
rows = look(text)
ght.equal(got(rows), privapp(text), "300 packages")
lines = text.split("\n")
ght.check(all(x["permission"] in lines[x["line"] - 1] for x in ght.rows(rows, "privapp")), "line numbers")
ght.check(all(text.encode()[x["at"]:].startswith((b"<permission", b"<deny-permission")) for x in ght.rows(rows, "privapp")), "offsets")
lone = '<privapp-permissions package="a"><permission name="b"/></privapp-permissions>'
ght.equal(got(look(lone)), [("a", "b", 0)], "a list without the root element")
text = '<exceptions><exception package="a"><permission name="b" fixed="true"/><permission name="c" fixed="false"/><permission name="d"/></exception></exceptions>'
ght.equal([(x["package"], x["permission"], x["fixed"]) for x in ght.rows(look(text, "default-permissions.xml"), "default_perms")],
          [("a", "b", 1), ("a", "c", 0), ("a", "d", 0)], "default permissions")
text = '<config><allow-in-power-save package="a"/><library name="n" file="/f"><x/></library><feature name="f&amp;g" version="3"/></config>'
ght.equal([(x["tag"], x["package"], x["attr"]) for x in ght.rows(look(text, "s.xml"), "sysconfig")],
          [("allow-in-power-save", "a", None), ("library", None, "name=n file=/f"), ("feature", None, "name=f&g version=3")], "sysconfig")
ght.equal(got(look('<permissions><privapp-permissions package="é"><permission name="&#x416;"/></privapp-permissions></permissions>')), [("é", "Ж", 0)], "text beyond ASCII")
ght.equal(got(look('<?xml version="1.0" encoding="utf-16"?><permissions>'.encode("utf-16") + lone.encode("utf-16")[2:] + "</permissions>".encode("utf-16")[2:])), [],
          "UTF-16 is not taken for a list")
status = lambda rows: ght.rows(rows, "blob_runs", plugin="permissions")[0]["status"]
rows = look('<permissions><privapp-permissions package="a"><permission name="b"/>')
ght.check(status(rows) == "bad" and got(rows) == [("a", "b", 0)], "cut off: bad, and what came before is kept")
laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 20}">' for i in range(12)) + ']><permissions><f n="&m;"/></permissions>'
ght.equal(status(look(laughs)), "unsup", "a billion laughs")
ght.equal(status(look('<!DOCTYPE x SYSTEM "file:///etc/passwd"><permissions/>')), "unsup", "an outside document type")
ght.equal(status(look("<permissions>" + "<a>" * 5000)), "limit", "5,000 levels")
ght.equal(status(look(b"ABX\0\x10")), "unsup", "binary XML")
ght.equal(ght.rows(look("<html/>", "x.xml"), "blob_runs", plugin="permissions"), [], "other XML is not looked at")
ght.equal(status(look("<permissions>" + '<f a="b"/>' * 900000 + "</permissions>")), "limit", "over 8 MiB")
ght.done()
