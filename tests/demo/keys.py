# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates of the demonstration phone: made from seeds, with fixed dates, so always the same."""
import os
import subprocess
import sys
import threading

MKKEY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "mkkey.py")

CA_CONFIG = """[ca]
default_ca = demo
[demo]
new_certs_dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
default_md = sha256
policy = any
x509_extensions = {ext}
unique_subject = no
[any]
commonName = supplied
organizationName = optional
countryName = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[sign]
subjectKeyIdentifier = hash
[req]
distinguished_name = dn
[dn]
"""


class Keys:
    """Everything lies in one folder and is made on first use. Names are seeds: the same name, the same key."""

    def __init__(self, folder):
        self.folder, self.lock, self.making = folder, threading.RLock(), {}
        os.makedirs(folder, exist_ok=True)

    def prepare(self, *wanted):
        """Start making (name, bits) in the background; key() waits for them."""
        for name, bits in wanted:
            path = os.path.join(self.folder, name + ".pem")
            if not os.path.exists(path) and name not in self.making:
                self.making[name] = subprocess.Popen([sys.executable, MKKEY, "gifthorse demo " + name, str(bits),
                                                      path + ".new"])

    def key(self, name, bits=2048):
        path = os.path.join(self.folder, name + ".pem")
        with self.lock:
            self.prepare((name, bits))
            if name in self.making:
                if self.making.pop(name).wait():
                    raise RuntimeError("mkkey.py failed for " + name)
                os.rename(path + ".new", path)
        return path

    def cert(self, name, subject, ca=False):
        """Self-signed certificate (PEM) valid 2024 to 2051."""
        with self.lock:
            path = os.path.join(self.folder, name + ".crt")
            if not os.path.exists(path):
                self._make_cert(name, subject, ca, path)
            return path

    def _make_cert(self, name, subject, ca, path):
        db = os.path.join(self.folder, name + ".ca")
        os.makedirs(db, exist_ok=True)
        with open(os.path.join(db, "index.txt"), "w", encoding="ascii"):
            pass
        with open(os.path.join(db, "serial"), "w", encoding="ascii") as out:
            out.write("%016X\n" % (int.from_bytes(name.encode()[:7].ljust(7, b"-"), "big")))
        config = os.path.join(db, "config")
        with open(config, "w", encoding="ascii") as out:
            out.write(CA_CONFIG.format(dir=db, ext="root" if ca else "sign"))
        key = self.key(name)
        request = os.path.join(db, "req")
        self._openssl("req", "-new", "-config", config, "-key", key, "-subj", subject, "-out", request)
        self._openssl("ca", "-batch", "-selfsign", "-notext", "-config", config, "-keyfile", key, "-in", request,
                      "-startdate", "20240101000000Z", "-enddate", "20510101000000Z", "-out", path)

    def pk8(self, name):
        with self.lock:
            path = os.path.join(self.folder, name + ".pk8")
            if not os.path.exists(path):
                self._openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", self.key(name), "-out", path)
            return path

    @staticmethod
    def _openssl(*args):
        done = subprocess.run(["openssl", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError("openssl %s: %s" % (args[0], done.stdout.decode()))


def subject_hash_old(path):
    """Name of a certificate in Android's CA store."""
    return subprocess.run(["openssl", "x509", "-noout", "-subject_hash_old", "-in", path], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()
