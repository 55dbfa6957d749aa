# SPDX-License-Identifier: Apache-2.0
"""What a scan must list of a folder, whatever phone it is: compared row by row with oracle.py."""
from collections import Counter
import os
import shutil

import oracle
from facts import Undecided, Wrong

SHOWN = 3  # of the missing, in a message


def read(root):
    return oracle.Inventory(root)


def covers(what, expected, found):
    missing = sorted((Counter(expected) - Counter(found)).elements(), key=str)
    if missing:
        raise Wrong(f"{len(missing)} of {len(list(expected))} {what} not listed, such as {missing[:SHOWN]}")


def by_name(pairs):
    return [(os.path.basename(path), value) for path, value in pairs]


def files(dump):
    covers("files", by_name(dump.truth.files.items()),
           by_name(dump.rows("SELECT path, digest(sha256) FROM files WHERE ftype='file'")))


def links(dump):
    covers("links", by_name(dump.truth.links.items()), by_name(dump.rows("SELECT path, link_target FROM files WHERE ftype='link'")))


def elf(dump):
    """Each ELF file has its row, or a run that says why it has none (pieces of modem firmware are cut ELF files)."""
    read_ = dump.column("SELECT DISTINCT digest(f.sha256) FROM elf e JOIN files f ON f.file_id=e.file_id")
    told = dump.column("SELECT DISTINCT digest(b.sha256) FROM blob_runs r JOIN blobs b USING(blob_id) WHERE r.plugin='elf' AND r.status<>'ok'")
    covers("ELF files", dump.truth.elf, set(read_) | set(told))
    if 10 * len(dump.truth.elf & set(read_)) < 9 * len(dump.truth.elf):
        raise Wrong(f"only {len(read_)} of {len(dump.truth.elf)} ELF files were read")


def properties(dump):
    covers("properties", dump.truth.properties,
           set(dump.rows("SELECT digest(f.sha256), p.key, p.value FROM properties p JOIN files f ON f.file_id=p.file_id")))


def fstab(dump):
    covers("fstab lines", dump.truth.fstab, {(*r[:4], (r[4] or "").rstrip(",")) for r in dump.rows(
        "SELECT digest(f.sha256), t.mount_point, t.dev, t.mnt_flags, t.mgr_flags FROM fstab t JOIN files f ON f.file_id=t.file_id")})


def services(dump):
    covers("services", dump.truth.services,
           set(dump.rows("SELECT digest(f.sha256), s.name, s.exec_path FROM init_services s JOIN files f ON f.file_id=s.file_id")))


def authorities(dump):
    covers("certificate authorities", dump.truth.cas,
           set(dump.rows("SELECT digest(f.sha256), digest(c.sha256) FROM ca_certs c JOIN files f ON f.file_id=c.file_id")))


def update_keys(dump):
    found = set(dump.column("SELECT digest(cert_sha256) FROM ota_certs"))
    if found != dump.truth.ota:
        raise Wrong(f"{sorted(found)}, otacerts.zip holds {sorted(dump.truth.ota)}")


def vbmeta(dump):
    images = {(a, digest, flags, rollback): ident for ident, a, digest, flags, rollback in dump.rows(
        "SELECT image_id, algorithm, digest(pubkey_sha1), flags, rollback FROM avb_images")}
    for path, image in dump.truth.avb:
        key = image["algorithm"], image["key"], image["flags"], image["rollback"]
        if key not in images:
            raise Wrong(f"{path} is {key}, listed are {sorted(images)}")
    covers("descriptors", {d for _, image in dump.truth.avb for d in image["descriptors"]}, avb_descriptors(dump))


def avb_descriptors(dump):
    """(kind, partition, digest); a chain's digest is that of its key."""
    return {(kind, name, root if kind != "chain" else key) for kind, name, root, key in dump.rows(
        "SELECT kind, partition, digest(root_digest), digest(key_sha1) FROM avb_descriptors WHERE kind IN ('hash','hashtree','chain')")}


def apps(dump):
    """Package, shared user id, debuggable, permissions asked for and signers of every app, scheme by scheme."""
    listed, asked, signed = {}, {}, {}
    for ident, digest, *rest in dump.rows("SELECT a.apk_id, digest(f.sha256), a.package, a.shared_uid, COALESCE(a.debuggable,0) "
                                          "FROM apks a JOIN files f ON f.file_id=a.file_id"):
        listed[digest] = ident, tuple(rest)
    for ident, name in dump.rows("SELECT apk_id, name FROM apk_permissions WHERE how='uses'"):
        asked.setdefault(ident, set()).add(name)
    for ident, scheme, cert in dump.rows("SELECT apk_id, scheme, digest(cert_sha256) FROM apk_signers"):
        signed.setdefault(ident, set()).add((min(scheme, 3), cert))  # 31, rotation in scheme 3.1
    wrong = []
    for path, digest, manifest, signers in dump.truth.apk_facts():
        ident, row = listed.get(digest, (None, None))
        certs = {(scheme, cert) for scheme, found in signers.items() for cert in found}
        if ident is None:
            wrong.append(f"{path} is not listed")
        elif manifest and row != (manifest["package"], manifest["shared_uid"], int(manifest["debuggable"])):
            wrong.append(f"{path} is {row}")
        elif manifest and asked.get(ident, set()) != manifest["permissions"]:
            wrong.append(f"{path} differs in permissions {sorted(asked.get(ident, set()) ^ manifest['permissions'])[:SHOWN]}")
        elif not certs <= signed.get(ident, set()):
            wrong.append(f"{path} is signed with {sorted(certs)}, not {sorted(signed.get(ident, set()))}")
    if wrong:
        raise Wrong(f"{len(wrong)} of {len(dump.truth.apks)} apps: {'; '.join(wrong[:SHOWN])}")
    if not shutil.which("aapt2"):
        raise Undecided("signers agree; aapt2 is not installed, so the manifests were not compared")


def pointers(dump):
    """A Git LFS pointer stands where the file should be: its content was not examined, and that must be said of each."""
    told = "\n".join(dump.not_examined())
    untold = [p for p in dump.truth.pointers if os.path.basename(p) not in told]
    if untold:
        raise Wrong(f"{len(untold)} of {len(dump.truth.pointers)} absent files are not under 'not examined', such as {untold[:SHOWN]}")


CHECKS = [  # title, what the folder must hold for the check to mean anything, check
    ("every file is listed with its digest", "files", files),
    ("every symbolic link is listed with its target", "links", links),
    ("every ELF file is read or told", "elf", elf),
    ("every property", "properties", properties),
    ("every fstab line", "fstab", fstab),
    ("every init service", "services", services),
    ("every certificate authority", "cas", authorities),
    ("the keys that sign updates", "ota", update_keys),
    ("vbmeta images and their descriptors", "avb", vbmeta),
    ("every app: package, shared user id, permissions, signers", "apks", apps),
    ("files that are only Git LFS pointers are told", "pointers", pointers),
]


def checks(truth):
    return [(title, check) for title, holds, check in CHECKS if getattr(truth, holds)]
