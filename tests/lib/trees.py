# SPDX-License-Identifier: Apache-2.0
"""Device trees for tests: made by dtc from a model, and the model's own sum over every node and property."""
import random
import struct
import zlib

import ght


class Node:
    def __init__(self, name="", props=(), nodes=()):
        self.name, self.props, self.nodes = name, list(props), list(nodes)

    def source(self, depth=0):
        pad = "\t" * depth
        lines = [pad + (self.name or "/") + " {"]
        for name, value in self.props:
            lines.append(f"{pad}\t{name}" + (f" = [{value.hex(' ')}];" if value else ";"))
        return "\n".join(lines + [n.source(depth + 1) for n in self.nodes] + [pad + "};"])

    def walk(self, path=""):
        mine = path + "/" + self.name if self.name else path
        yield mine, self
        for n in self.nodes:
            yield from n.walk(mine)


def text(*strings):
    return b"".join(s.encode() + b"\0" for s in strings)


def crc(root):
    """As dt_trees.crc is defined, from the model."""
    c = 0
    for path, node in root.walk():
        c = zlib.crc32(path.encode() + b"\0", c)
        for name, value in node.props:
            c = zlib.crc32(name.encode() + b"\0" + struct.pack(">I", len(value)) + value, c)
    return c


def compile_tree(root, *options):
    return ght.run("dtc", "-q", "-I", "dts", "-O", "dtb", *options, input=("/dts-v1/;\n" + root.source() + ";\n").encode().replace(b"};;", b"};"))


def phone(seed, nodes=40, **root):
    """A tree with the parts of a phone, and nodes and properties of random bytes besides."""
    r = random.Random(seed)
    props = [(k.replace("_", "-"), v) for k, v in root.items()] or [("model", text("Test Phone")), ("compatible", text("maker,phone", "maker,soc"))]
    parts = [Node("touch@38", [("compatible", text("focaltech,5435")), ("reg", struct.pack(">I", 0x38)), ("status", text("okay"))]),
             Node("panel0", [("qcom,mdss-dsi-panel-name", text("tianma fhd video panel")), ("label", text("primary"))]),
             Node("bare", [("x", bytes(r.randrange(256) for _ in range(70)))])]
    for i in range(nodes):
        some = [(f"p{j}-{r.randrange(1000)}", r.randbytes(r.choice([0, 1, 3, 4, 5, 64]))) for j in range(r.randrange(5))]
        child = [Node(f"deep@{j:x}", [("reg", struct.pack(">II", j, 7)), ("compatible", text(f"c,{i}-{j}"))]) for j in range(r.randrange(4))]
        parts.append(Node(f"n{i}", some, child))
    return Node("", props, [Node("soc", [("compatible", text("simple-bus"))], parts)])
