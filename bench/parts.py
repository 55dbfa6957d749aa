# SPDX-License-Identifier: Apache-2.0
"""Fetches the real files a generated phone is made of: Debian packages for arm64 and the APKs of three npm packages.

The machine's own package configuration is read, never changed: lists, cache and state live below the cache folder.
"""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# What goes into which partition. The native packages are arm64; fonts, scripts and data are the same on every machine.
PACKAGES = {
    "system": """libc6 libstdc++6 libgcc-s1 libssl3 libicu72 libllvm14 libwebkit2gtk-4.1-0 libjavascriptcoregtk-4.1-0
        libqt5gui5 libqt5core5a libqt5widgets5 libqt5quick5 libqt5qml5 libgtk-3-0 libgtk-4-1 libglib2.0-0 libpython3.11
        libpython3.11-minimal libpython3.11-stdlib python3.11-minimal perl-base perl-modules-5.36 coreutils util-linux toybox
        iproute2 bluez wpasupplicant adb android-libart libavcodec59 libavformat59 libavfilter8 libx265-199
        libgstreamer1.0-0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad libsqlite3-0
        fonts-noto-core fonts-noto-ui-core fonts-noto-cjk fonts-noto-color-emoji tzdata ca-certificates vim-runtime""",
    "product": """libqt5webenginecore5 libnode108 libmozjs-102-0 libgs10 libmagickcore-6.q16-6 kodi-bin kodi-data
        mednafen libsnmp40 libmariadbd19 sound-theme-freedesktop libjs-mathjax""",
    "vendor": """libgl1-mesa-dri mesa-vulkan-drivers libgdal32 libvtk9.1 libopenblas0-pthread libclang-cpp14 libproj25
        libz3-4 libopencv-core406 libopencv-imgproc406 libopencv-dnn406 libdnnl2 alsa-ucm-conf""",
    # Small files for the composed APKs: pictures, text, scripts.
    "pool": """oxygen-icon-theme faenza-icon-theme mate-icon-theme gnome-icon-theme elementary-xfce-icon-theme
        tango-icon-theme breeze-icon-theme nodejs-doc libjs-highlight.js""",
}
# The kernel package's name carries its version; it is looked up. Its modules are the vendor's.
KERNEL = "linux-image-arm64"
NPM = ["android-apidemos", "io.appium.settings", "appium-uiautomator2-server"]


def run(*cmd, **kw):
    return subprocess.run(cmd, check=True, **kw)


class Apt:
    """An apt of another architecture, beside the system's own."""

    def __init__(self, root):
        self.root = root
        for d in ("lists/partial", "cache/archives/partial", "state"):
            (root / d).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        conf = root / "apt.conf"
        conf.write_text(
            'APT::Architecture "arm64";\nAPT::Architectures { "arm64"; };\nAPT::Sandbox::User "root";\n'
            f'Dir::State "{root}/state";\nDir::State::lists "{root}/lists";\n'
            f'Dir::State::status "{root}/status";\nDir::Cache "{root}/cache";\n')
        # Hooks of the system's configuration clean the system's cache; they are not ours to run.
        self.opts = ["-q", "-o", "APT::Update::Post-Invoke-Success::=true", "-o", "Acquire::Languages=none"]
        self.env = dict(os.environ, APT_CONFIG=str(conf))

    def update(self):
        # Sources that have no arm64 may fail; a package that then cannot be found fails at its download.
        subprocess.run(["apt-get", *self.opts, "update"], env=self.env, stdout=subprocess.DEVNULL)

    def depends(self, name):
        out = run("apt-cache", "depends", name, env=self.env, capture_output=True, text=True).stdout
        return re.findall(r"Depends: (\S+)", out)[0]

    def download(self, names, into):
        into.mkdir(parents=True, exist_ok=True)
        run("apt-get", *self.opts, "download", *names, env=self.env, cwd=into, stdout=subprocess.DEVNULL)


def _unpack(deb, into):
    into.mkdir(parents=True, exist_ok=True)
    run("dpkg-deb", "-x", str(deb), str(into))


def _npm(cache):
    into = cache / "npm"
    into.mkdir(parents=True, exist_ok=True)
    run("npm", "pack", "--silent", *NPM, cwd=into, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for tgz in sorted(into.glob("*.tgz")):
        run("tar", "xzf", str(tgz), "-C", str(into), "--wildcards", "*.apk", "--strip-components=2")


def fetch(cache, jobs):
    """Fills cache/{system,product,vendor,pool,kernel,npm} once; later calls return at once."""
    done = cache / "complete"
    if done.exists():
        return
    if cache.exists():
        shutil.rmtree(cache)
    apt = Apt(cache / "apt")
    apt.update()
    sets = {k: v.split() for k, v in PACKAGES.items()}
    sets["kernel"] = [apt.depends(KERNEL)]
    for name, pkgs in sets.items():
        apt.download(pkgs, cache / "deb" / name)
    with ThreadPoolExecutor(jobs) as pool:
        work = [pool.submit(_npm, cache)]
        for name in sets:
            # One worker a package, largest first; dpkg-deb is the one that computes.
            for deb in sorted((cache / "deb" / name).glob("*.deb"), key=lambda p: -p.stat().st_size):
                work.append(pool.submit(_unpack, deb, cache / name))
        for w in work:
            w.result()
    shutil.rmtree(cache / "deb")
    shutil.rmtree(cache / "apt")
    done.touch()


def files(root):
    """Regular files below root, each inode once, in a fixed order."""
    seen = set()
    for path in sorted(Path(root).rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        st = path.stat()
        if (st.st_dev, st.st_ino) not in seen:
            seen.add((st.st_dev, st.st_ino))
            yield path
