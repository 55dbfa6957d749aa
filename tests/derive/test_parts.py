#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The inventory of parts: from device trees inside images, modules, firmware, manifests, properties and names of files; what nothing
names is 'not told', what is there without a name 'opaque'; firmware stays opaque in coverage."""
import importlib.util
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ght
import kernels
import trees
from trees import Node, text

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
KINDS = ["soc", "modem", "tee", "gpu", "wifi", "bluetooth", "nfc", "panel", "touch", "fingerprint", "camera", "sensors", "charger"]
PROP = b"ro.build.type=user\nro.build.version.sdk=28\nro.board.platform=msm8953\n"


def scan(files):
    work = ght.tmp()
    root = work / "phone"
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    p = subprocess.run([BIN, "scan", root, "--db", work / "db", "-f", f"json={work}/r.json", "-f", f"html={work}/r.html"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan: exit {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return sqlite3.connect(work / "db"), json.loads((work / "r.json").read_text()), (work / "r.html").read_text()


def parts(report, kind):
    return [(p["name"], p["certainty"], p["witness"], p["place"]) for p in report["parts"] if p["kind"] == kind]


def board(model, compatible, *nodes):
    # Real trees use hundreds of different property names.
    names = Node("names", [(f"property-{i:02d}", b"") for i in range(20)])
    return trees.compile_tree(Node("", [("model", text(model)), ("compatible", text(*compatible))], [*nodes, names]))


def part(name, compatible, **more):
    return Node(name, [("compatible", text(compatible))] + [(k, text(v)) for k, v in more.items()])


def panel(name):
    return Node("p-" + name.replace(" ", "-"), [("qcom,mdss-dsi-panel-name", text(name))])


def boot_image(kernel):
    """Version 0, after bootimg.h: a kernel and nothing else."""
    head = struct.pack("<8sIIIIIIIIII16s512s32x1024s", b"ANDROID!", len(kernel), 0, 0, 0, 0, 0, 0, 2048, 0, 0, b"", b"", b"")
    return head + bytes(2048 - len(head)) + kernel + bytes(-len(kernel) % 2048)


def nothing():
    _, report, html = scan({"system/build.prop": b"ro.build.type=user\n"})
    ght.equal([(p["kind"], p["name"], p["certainty"]) for p in report["parts"]], [(k, None, "not told") for k in KINDS], "nothing names a part: not told, for each kind")
    ght.check("What is inside" not in html, "and the page has no such section")


def in_a_boot_image():
    ours = board("Maker MSM8953 MTP", ["qcom,msm8953"], panel("tianma fhd video panel"), panel("boe fhd video panel"), panel("Simulator video mode dsi panel"),
                 part("touch@38", "focaltech,5435"), part("touch@14", "goodix,gt9xx", status="disabled"), part("nfc@28", "nxp,pn81a"), part("gpu", "qcom,kgsl-3d0"))
    other = board("Another board", ["other,board"], part("touch@20", "himax,hxcommon"), panel("panel of another board"))
    kernel = kernels.pack(kernels.arm64(kernels.body()), "gzip") + ours + other
    db, report, html = scan({"system/build.prop": PROP, "boot.img": boot_image(kernel)})
    ght.equal(parts(report, "panel"), [("boe fhd video panel", "one of 2 named", "device tree", "boot.img"), ("tianma fhd video panel", "one of 2 named", "device tree", "boot.img")],
              "panels of the tree for this platform; test panels and other boards are left out")
    ght.equal(parts(report, "touch"), [("FocalTech (focaltech,5435)", "only one named", "device tree", "boot.img")], "a node that is switched off is no part")
    ght.equal(parts(report, "nfc"), [("NXP (nxp,pn81a)", "only one named", "device tree", "boot.img")], "NFC")
    ght.equal(parts(report, "soc"), [("msm8953", "stated", "build property", "system:/build.prop")], "processor")
    ght.check("What is inside, as its software names it: 6 names" in html and "tianma fhd video panel" in html and "Claims of software" in html, "the page tells it, and whose word it is")
    # The views reach what lies inside an image.
    rows = db.execute("SELECT p.name, k.release, k.options FROM kernels k JOIN places p ON p.place_id=k.file_id").fetchall()
    ght.equal(rows, [("boot.img", "4.9.112-perf+", 6)], "the kernel of a boot image in the view")
    ght.equal(db.execute("SELECT count(*) FROM dt_trees").fetchone()[0], 2, "its trees in the view")
    ght.equal(db.execute("SELECT value FROM kernel_config WHERE key='CONFIG_MODULE_SIG_FORCE'").fetchall(), [("n",)], "its configuration in the view")


def several_witnesses():
    firmware = load(ROOT / "src/inspectors/firmware/test_firmware.py")
    tz = firmware.elf(firmware.mbn(3), firmware.WORDS + bytes(70000))
    manifest = b'<manifest type="device"><hal><name>android.hardware.biometrics.fingerprint</name></hal><hal><name>android.hardware.bluetooth</name></hal></manifest>'
    files = {"system/build.prop": PROP, "vendor/etc/vintf/manifest.xml": manifest, "tz.img": tz, "vendor/firmware/a506_zap.mdt": b"x" * 100, "vendor/lib/libmmcamera_imx258.so": b"x" * 100,
             "vendor/lib/libmmcamera_pine_ov13b10_x.so": b"x" * 50, "vendor/firmware/crbtfw21.tlv": b"x" * 100, "vendor/lib/hw/empty.hcd": b""}
    _, report, _ = scan(files)
    ght.equal(parts(report, "fingerprint"), [("opaque", "opaque", "manifest of interfaces", "vendor:/etc/vintf/manifest.xml")], "there, and nothing names it: opaque")
    ght.equal(parts(report, "bluetooth"), [("Qualcomm (firmware crbtfw21.tlv)", "only one named", "name of a file", "vendor:/firmware/crbtfw21.tlv")], "named, so not opaque; an empty file names nothing")
    ght.equal(parts(report, "tee"), [("Qualcomm TrustZone TZ.BF.4.0.5-00136.1", "stated", "firmware image", "tz.img")], "secure world, by its image")
    ght.equal([p[:2] for p in parts(report, "camera")], [("OmniVision OV13B10", "one of 2 named"), ("Sony IMX258", "one of 2 named")], "camera sensors by their libraries")
    holes = [h for h in report["coverage"]["not_examined"] if h["place"] == "tz.img"]
    ght.equal([(h["what"], h["opaque"], h["damaged"]) for h in holes], [("firmware", True, False)], "firmware that was identified stays opaque in coverage")
    ght.check(holes and holes[0]["why"].startswith("Qualcomm signed image: tz TZ.BF.4.0.5"), "and is called by its name")
    understood = report["coverage"]["understood"]["bytes"]
    ght.check(understood < len(tz), "it does not count as understood")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    source = path.read_text().replace("\nqualcomm()\nmediatek()\nothers()\nght.done()\n", "\n")
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__file__"] = str(path)
    exec(compile(source, str(path), "exec"), module.__dict__)  # its images, without its checks
    return module


def many():
    nodes = [panel(f"panel number {i:03d}") for i in range(90)]
    _, report, html = scan({"system/build.prop": PROP, "dtbo.img": board("M MSM8953", ["qcom,msm8953"], *nodes)})
    ght.equal(len(parts(report, "panel")), 64, "at most 64 names a kind")
    ght.equal({p[1] for p in parts(report, "panel")}, {"one of 90 named"}, "and how many there are is said")
    ght.check("and 56 more, in the facts" in html, "the page shows eight and says how many more")


nothing()
in_a_boot_image()
several_witnesses()
many()
ght.done()
