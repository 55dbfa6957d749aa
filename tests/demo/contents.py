# SPDX-License-Identifier: Apache-2.0
"""What the demonstration phone and its twin have in common: a small but complete Android 14 layout."""
import glob
import hashlib
import io
import os
import zipfile

import apks
import fsimg
import keys
import programs

BRAND, DEVICE, BUILD = "demo", "lantern", "UP1A.231105.003"
FINGERPRINT = "demo/lantern/lantern:14/%s/11224433:user/release-keys" % BUILD
PLATFORM = ("platform", "/C=XX/O=Demo Devices/CN=Demo Platform")
RELEASE = ("releasekey", "/C=XX/O=Demo Devices/CN=Demo Release")
MEDIA = ("media", "/C=XX/O=Demo Devices/CN=Demo Media")
ADVERTISER = ("advertiser", "/C=XX/O=Bright Clicks Ltd/CN=Bright Clicks")
MODULES = ("modules", "/C=XX/O=Demo Devices/CN=Demo Modules")
VENDOR_CA = ("vendor_ca", "/C=XX/O=Demo Devices/CN=Vendor Internal CA")

SYSTEM_LIBS = ("usr/lib/aarch64-linux-gnu/android/*.so.0", "lib/aarch64-linux-gnu/libc.so.6",
               "lib/aarch64-linux-gnu/libm.so.6", "lib/aarch64-linux-gnu/libdl.so.2",
               "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu/libcrypto.so.3",
               "usr/lib/aarch64-linux-gnu/libssl.so.3", "lib/aarch64-linux-gnu/libz.so.1*",
               "usr/lib/aarch64-linux-gnu/libsqlite3.so.0*", "lib/aarch64-linux-gnu/libexpat.so.1*")
SYSTEM_BINARIES = {"toybox": "bin/toybox", "sh": "bin/mksh", "iptables": "usr/sbin/xtables-legacy-multi",
                   "run-as": "sbin/runuser", "simpleperf_app_runner": "usr/bin/setpriv",
                   "clatd": "usr/bin/unshare", "crash_dump64": "usr/bin/lsns", "init": "sbin/switch_root",
                   "netd": "usr/bin/prlimit", "vold": "usr/bin/lscpu", "servicemanager": "usr/bin/mcookie",
                   "surfaceflinger": "usr/bin/chrt", "logd": "usr/bin/choom", "app_process64": "usr/bin/setarch",
                   "app_process32": "usr/bin/setsid", "applypatch": "usr/bin/fallocate", "grep": "usr/bin/namei"}
VENDOR_BINARIES = {"bin/hw/android.hardware.power-service": "usr/bin/ionice", "bin/hw/wpa_supplicant":
                   "sbin/wpa_supplicant", "bin/hw/hostapd": "usr/sbin/hostapd", "bin/toybox_vendor": "bin/toybox",
                   "bin/sh": "bin/mksh", "bin/rild": "usr/bin/taskset", "bin/time_daemon": "usr/bin/uclampset",
                   "bin/applypatch": "usr/bin/fallocate", "bin/modprobe": "usr/bin/lsmem"}
APPLETS = "cat chmod chown cp date dd df du echo find getprop id ifconfig kill ln ls mkdir mount mv ps rm sed setprop sleep top".split()

LAUNCHER = """<intent-filter><action android:name="android.intent.action.MAIN"/>
        <category android:name="android.intent.category.LAUNCHER"/></intent-filter>"""


class Builder:
    """Collects trees, text files and boot arguments; doors.py adds to them, images.py makes images of them."""

    def __init__(self, parts, work, door):
        self.parts, self.work, self.door = parts, work, door
        self.keys = keys.Keys(os.path.join(work, "keys"))
        self.make = apks.Maker(self.keys, os.path.join(work, "cache"))
        self.system, self.vendor, self.odm = (fsimg.Tree(m) for m in ("/", "/vendor", "/odm"))
        self.product, self.system_ext = fsimg.Tree("/product"), fsimg.Tree("/system_ext")
        self.lines, self.cacerts, self.apex_cacerts, self.otacerts = {}, [], [], []
        self.cmdline = ["console=null", "androidboot.hardware=lantern", "loop.max_part=7", "firmware_class.path=/vendor/firmware"]
        self.bootconfig = ["androidboot.boot_devices=soc/1d84000.ufshc", "androidboot.memcg=1"]
        self.vbmeta_flags, self.extra_images, self.ramdisk = 0, {}, {}
        self.apk_jobs = []

    def arm64(self, path):
        found = os.path.join(self.parts, "arm64", path)
        return os.path.realpath(found) if os.path.islink(found) else found

    def npm(self, path):
        return os.path.join(self.parts, "npm", "node_modules", path)

    def text(self, tree, path):
        """Lines of a text file; written when the trees are complete."""
        return self.lines.setdefault((tree, path), [])

    def install(self, tree, path, *args, **how):
        """A generated package under tree/path; the work is done later, in parallel."""
        self.apk_jobs.append((tree, path, args, how))

    def dex(self, *names):
        """Code of a real application."""
        with zipfile.ZipFile(self.npm("io.appium.settings/apks/settings_apk-debug.apk")) as src:
            return [src.read("%s.dex" % n) for n in names]


def properties(b):
    b.text("system", "system/build.prop").extend(["# begin build properties", "ro.build.id=" + BUILD,
        "ro.build.display.id=%s release-keys" % BUILD, "ro.build.version.incremental=11224433",
        "ro.build.version.sdk=34", "ro.build.version.release=14", "ro.build.version.security_patch=2026-05-05",
        "ro.build.date.utc=1779926400", "ro.build.type=user", "ro.build.user=build", "ro.build.host=builder",
        "ro.build.flavor=lantern-user", "ro.system.build.fingerprint=" + FINGERPRINT,
        "ro.build.fingerprint=" + FINGERPRINT, "ro.build.description=lantern-user 14 %s 11224433 release-keys" % BUILD,
        "ro.product.system.brand=demo", "ro.product.system.manufacturer=Demo Devices",
        "ro.product.system.model=Lantern 1", "ro.product.system.device=lantern", "ro.product.system.name=lantern",
        "ro.secure=1", "ro.zygote=zygote64", "ro.treble.enabled=true", "ro.apex.updatable=true", "# end build properties"])
    b.text("vendor", "build.prop").extend(["ro.vendor.build.id=" + BUILD, "ro.vendor.build.type=user",
        "ro.vendor.build.tags=release-keys", "ro.vendor.build.version.sdk=34",
        "ro.vendor.build.security_patch=2026-05-05", "ro.product.vendor.brand=demo", "ro.product.vendor.device=lantern",
        "ro.product.vendor.manufacturer=Demo Devices", "ro.product.vendor.model=Lantern 1",
        "ro.board.platform=lantern", "ro.hardware.egl=demo", "ro.crypto.volume.filenames_mode=aes-256-cts",
        "ro.vendor.api_level=34", "dalvik.vm.heapsize=512m", "persist.sys.usb.config=none"])
    b.text("product", "etc/build.prop").extend(["ro.product.build.id=" + BUILD, "ro.product.build.type=user",
        "ro.product.build.fingerprint=" + FINGERPRINT, "ro.product.build.tags=release-keys",
        "ro.product.product.brand=demo", "ro.product.product.device=lantern", "ro.com.google.clientidbase=android-demo",
        "ro.config.ringtone=Lantern.ogg", "ro.setupwizard.mode=OPTIONAL"])
    b.text("system_ext", "etc/build.prop").extend(["ro.system_ext.build.type=user",
        "ro.system_ext.build.fingerprint=" + FINGERPRINT, "ro.system_ext.build.tags=release-keys"])
    b.text("odm", "etc/build.prop").extend(["ro.odm.build.type=user", "ro.odm.build.fingerprint=" + FINGERPRINT,
        "ro.odm.build.tags=release-keys", "ro.product.odm.brand=demo"])


INIT_RC = """import /init.environ.rc
import /system/etc/init/hw/init.usb.rc

on early-init
    start ueventd
    mkdir /acct/uid

on init
    export ANDROID_ROOT /system
    export ANDROID_DATA /data
    symlink /proc/self/fd/0 /dev/stdin
    write /proc/sys/kernel/panic_on_oops 1

on post-fs-data
    mkdir /data/system 0775 system system encryption=Require
    mkdir /data/misc/adb 02750 system shell
    load_persist_props
    start vold

on property:sys.boot_completed=1
    bootchart stop

service ueventd /system/bin/ueventd
    class core
    critical
    seclabel u:r:ueventd:s0
    user root
    shutdown critical

service console /system/bin/sh
    class core
    console
    disabled
    user shell
    group shell log readproc
    seclabel u:r:shell:s0
    setenv HOSTNAME console

on property:ro.debuggable=1
    start console

service flash_recovery /system/bin/install-recovery.sh
    class main
    oneshot
    disabled"""
ADBD_RC = """service adbd /apex/com.android.adbd/bin/adbd --root_seclabel=u:r:su:s0
    class core
    socket adbd seqpacket 660 system system
    disabled
    updatable
    seclabel u:r:adbd:s0"""
VENDOR_RC = """on boot
    chown system system /sys/class/leds/red/brightness
    exec_background - root root -- /vendor/bin/modprobe -a -d /vendor/lib/modules wlan
    start vendor.preload

service vendor.preload /vendor/bin/sh /vendor/bin/init.preload.sh
    class late_start
    user root
    group root system
    disabled
    oneshot

service vendor.ril-daemon /vendor/bin/rild
    class main
    user radio
    group radio cache inet misc audio log
    capabilities BLOCK_SUSPEND NET_ADMIN NET_RAW

service vendor.time_daemon /vendor/bin/time_daemon
    class late_start
    user system
    group system

service wpa_supplicant /vendor/bin/hw/wpa_supplicant -O/data/vendor/wifi/wpa/sockets -dd
    interface android.hardware.wifi.supplicant@1.0::ISupplicant default
    user wifi
    group wifi net_raw net_admin
    socket wpa_wlan0 dgram 660 wifi wifi
    class main
    disabled
    oneshot"""
INSTALL_RECOVERY = """#!/system/bin/sh
if ! applypatch --check EMMC:/dev/block/by-name/recovery:67108864:0123456789abcdef; then
  applypatch --bonus /system/etc/recovery-resource.dat \\
    --patch /system/recovery-from-boot.p \\
    --source EMMC:/dev/block/by-name/boot:67108864:fedcba9876543210 && \\
    log -t recovery "Installing new recovery image: succeeded"
else
  log -t recovery "Recovery image already installed"
fi"""
PRELOAD_SH = """#!/vendor/bin/sh
# first boot: copy the ringtones of the region
region=$(getprop ro.boot.region)
mkdir -p /data/vendor/preload
chown system:system /data/vendor/preload
cp /vendor/etc/preload/$region.tar /data/vendor/preload/
/vendor/bin/toybox_vendor tar -xf /data/vendor/preload/$region.tar -C /data/vendor/preload"""
UEVENTD = """import /vendor/etc/ueventd.rc
firmware_directories /etc/firmware/ /odm/firmware/ /vendor/firmware/
/dev/null                 0666   root       root
/dev/zero                 0666   root       root
/dev/binder               0666   root       root
/dev/hwbinder             0666   root       root
/dev/ashmem*              0666   root       root
/dev/tun                  0660   system     vpn
/dev/rtc0                 0640   system     system
/dev/kmsg                 0620   root       system"""
FSTAB = """# <src> <mnt_point> <type> <mnt_flags> <fs_mgr_flags>
product     /product     erofs ro wait,slotselect,avb=vbmeta_system,logical,first_stage_mount
system_ext  /system_ext  erofs ro wait,slotselect,avb=vbmeta_system,logical,first_stage_mount
odm         /odm         ext4  ro,barrier=1 wait,slotselect,avb,logical,first_stage_mount
/dev/block/by-name/metadata /metadata ext4 noatime,nosuid,nodev,discard wait,check,formattable,first_stage_mount
/dev/block/by-name/userdata /data f2fs noatime,nosuid,nodev,discard,inlinecrypt latemount,wait,check,fileencryption=aes-256-xts:aes-256-cts:v2,quota
/dev/block/by-name/persist /mnt/vendor/persist ext4 rw,noatime,nosuid,nodev wait
/dev/block/by-name/modem /vendor/firmware_mnt vfat ro,shortname=lower wait,slotselect
/devices/platform/soc/*.ssusb/* auto auto defaults voldmanaged=usb:auto"""
POLICY = """(type untrusted_app)
(type system_server)
(type rild)
(type radio_data_file)
(type vendor_preload)
(typeattribute domain)
(typeattributeset domain (untrusted_app system_server rild vendor_preload))
(allow untrusted_app app_data_file (file (read write open create getattr unlink)))
(allow system_server system_data_file (file (read write open create getattr)))
(allow rild radio_data_file (file (read write open create getattr)))
(neverallow untrusted_app kmem_device (chr_file (read write)))"""


def texts(b):
    """The text files; doors.py adds lines to some of them."""
    s, v = "system", "vendor"
    b.text(s, "system/etc/init/hw/init.rc").extend(INIT_RC.split("\n"))
    b.text(s, "system/etc/init/adbd.rc").extend(ADBD_RC.split("\n"))
    b.text(s, "system/etc/init/netd.rc").extend(["service netd /system/bin/netd", "    class main",
        "    socket dnsproxyd stream 0660 root inet", "    user root", "    seclabel u:r:netd:s0"])
    b.text(s, "system/bin/install-recovery.sh").extend(INSTALL_RECOVERY.split("\n"))
    b.text(v, "etc/init/hw/init.lantern.rc").extend(VENDOR_RC.split("\n"))
    b.text(v, "bin/init.preload.sh").extend(PRELOAD_SH.split("\n"))
    b.text(v, "bin/init.net.sh").extend(["#!/vendor/bin/sh", "# tethering defaults",
        "/system/bin/iptables -t nat -A POSTROUTING -o rmnet0 -j MASQUERADE"])
    b.text(v, "etc/fstab.lantern").extend(FSTAB.split("\n"))
    b.text(s, "system/etc/ueventd.rc").extend(UEVENTD.split("\n"))
    b.text(v, "etc/ueventd.rc").extend(["/dev/kgsl-3d0 0666 system system", "/dev/mali0 0666 system graphics",
                                        "/dev/diag 0660 system oem_2901"])
    b.text(s, "system/etc/hosts").extend(["127.0.0.1       localhost", "::1             ip6-localhost"])
    b.text(s, "system/etc/selinux/plat_sepolicy.cil").extend(POLICY.split("\n"))
    b.text(s, "system/etc/selinux/plat_file_contexts").extend(["/ u:object_r:rootfs:s0",
        "/system(/.*)? u:object_r:system_file:s0", "/system/bin/sh -- u:object_r:shell_exec:s0"])
    b.text(s, "system/etc/passwd").extend(["root:*:0:0:root:/:/system/bin/sh", "system:*:1000:1000::/:/system/bin/nologin",
                                           "shell:*:2000:2000::/:/system/bin/sh"])
    b.text(s, "system/etc/public.libraries.txt").extend(["liblog.so.0", "libz.so.1", "libc.so.6"])
    permissions(b)


def permissions(b):
    head = '<?xml version="1.0" encoding="utf-8"?>'
    b.text("system", "system/etc/permissions/privapp-permissions-platform.xml").extend([head, "<permissions>",
        '  <privapp-permissions package="com.android.settings">',
        '    <permission name="android.permission.WRITE_SECURE_SETTINGS"/>',
        '    <permission name="android.permission.MASTER_CLEAR"/>', "  </privapp-permissions>",
        '  <privapp-permissions package="com.demo.updater">', '    <permission name="android.permission.RECOVERY"/>',
        '    <permission name="android.permission.INSTALL_PACKAGES"/>',
        '    <deny-permission name="android.permission.READ_LOGS"/>', "  </privapp-permissions>", "</permissions>"])
    b.text("product", "etc/permissions/privapp-permissions-product.xml").extend([head, "<permissions>"])
    b.text("product", "etc/default-permissions/default-permissions-demo.xml").extend([head, "<exceptions>"])
    b.text("product", "etc/sysconfig/demo.xml").extend([head, "<config>",
        '  <allow-in-power-save package="com.demo.updater"/>', '  <hidden-api-whitelisted-app package="com.demo.clock"/>',
        '  <system-user-whitelisted-app package="com.android.settings"/>', "</config>"])
    b.text("system", "system/etc/permissions/platform.xml").extend([head, "<permissions>",
        '  <permission name="android.permission.INTERNET"><group gid="inet"/></permission>',
        '  <assign-permission name="android.permission.WAKE_LOCK" uid="media"/>', "</permissions>"])


def binaries(b):
    for pattern in SYSTEM_LIBS:
        for path in sorted(glob.glob(b.arm64(pattern))):
            if os.path.islink(path):
                b.system.link("system/lib64/" + os.path.basename(path), os.path.basename(os.readlink(path)))
            else:
                b.system.add("system/lib64/" + os.path.basename(path), src=path)
    for name, path in SYSTEM_BINARIES.items():
        b.system.add("system/bin/" + name, src=b.arm64(path))
    nodes = b.system.nodes
    nodes["system/bin/run-as"].caps = nodes["system/bin/simpleperf_app_runner"].caps = 0xC0
    nodes["system/bin/run-as"].mode = nodes["system/bin/simpleperf_app_runner"].mode = 0o750
    nodes["system/bin/clatd"].mode, nodes["system/bin/clatd"].uid, nodes["system/bin/clatd"].gid = 0o6755, 1029, 1029
    for applet in APPLETS:
        b.system.link("system/bin/" + applet, "toybox")
    for path, source in VENDOR_BINARIES.items():
        b.vendor.add(path, src=b.arm64(source))
    b.vendor.nodes["bin/rild"].caps = 1 << 12 | 1 << 13 | 1 << 36          # NET_ADMIN, NET_RAW, BLOCK_SUSPEND
    b.vendor.nodes["bin/hw/wpa_supplicant"].caps = 1 << 12 | 1 << 13
    for path in sorted(glob.glob(b.arm64("usr/lib/aarch64-linux-gnu/xtables/*.so"))):
        b.vendor.add("lib64/xtables/" + os.path.basename(path), src=path)
    b.vendor.add("lib64/libcurl.so.4", src=b.arm64("usr/lib/aarch64-linux-gnu/libcurl.so.4"))
    b.vendor.add("lib64/librt.so", src=b.arm64("lib/aarch64-linux-gnu/librt.so.1"))
    for i in range(4):
        b.vendor.add("firmware/wlan%d.bin" % i, noise("firmware %d" % i, 70000 + 4096 * i))


def noise(seed, size):
    """Opaque firmware: bytes without structure, the same every time."""
    out = io.BytesIO()
    for i in range(size // 32 + 1):
        out.write(hashlib.sha256(b"%s/%d" % (seed.encode(), i)).digest())
    return out.getvalue()[:size]


def jar(*code):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        apks.add(z, "META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nCreated-By: soong_zip\r\n\r\n")
        for i, data in enumerate(code):
            apks.add(z, "classes%s.dex" % (i + 1 if i else ""), data, stored=True)
    return out.getvalue()


def framework(b):
    b.system.add("system/framework/framework.jar", jar(*b.dex("classes2", "classes3")))
    b.system.add("system/framework/services.jar", jar(*b.dex("classes5")))
    b.system.add("system/framework/ext.jar", jar(*b.dex("classes7")))
    b.system.add("system/framework/arm64/boot.oat", src=programs.oat(b))
    b.system.add("system/framework/arm64/boot.art", noise("boot.art", 40000))
    b.install("system", "system/framework/framework-res.apk", "framework", PLATFORM)


ACTIVITY = '    <activity android:name=".Main" android:exported="true">%s</activity>' % LAUNCHER


def application(body, options=""):
    return "  <application%s>\n%s\n  </application>" % (" " + options if options else "", body)


def uses(*names):
    return "\n".join('  <uses-permission android:name="android.permission.%s"/>' % n for n in names)


def applications(b):
    code = b.dex("classes4")
    lib = [("libz.so", open(b.arm64("lib/aarch64-linux-gnu/libz.so.1"), "rb").read())]
    b.install("system", "system/priv-app/Settings/Settings.apk", "apk", "com.android.settings",
              uses("WRITE_SECURE_SETTINGS", "MASTER_CLEAR") + "\n" + application(ACTIVITY), PLATFORM,
              shared="android.uid.system", dex=b.dex("classes6"))
    b.install("system", "system/priv-app/TeleService/TeleService.apk", "apk", "com.android.phone",
              uses("CALL_PHONE") + "\n" + application('    <service android:name=".Telephony" android:exported="true" '
              'android:permission="android.permission.MODIFY_PHONE_STATE"/>'), PLATFORM,
              shared="android.uid.phone", dex=code)
    b.install("system", "system/app/KeyChain/KeyChain.apk", "apk", "com.android.keychain",
              application('    <service android:name=".KeyChainService" android:exported="true"/>'), PLATFORM,
              shared="android.uid.system", dex=b.dex("classes8"))
    b.install("system_ext", "priv-app/Updater/Updater.apk", "apk", "com.demo.updater",
              uses("RECOVERY", "INTERNET", "INSTALL_PACKAGES") + "\n" + application(ACTIVITY), RELEASE,
              dex=b.dex("classes7"), libs=lib)
    b.install("product", "app/Clock/Clock.apk", "apk", "com.demo.clock", uses("VIBRATE") + "\n" +
              application(ACTIVITY), RELEASE, dex=code, assets=[("zones.txt", b"Europe/Prague\n" * 400)])
    b.install("product", "overlay/DemoGmsOverlay.apk", "apk", "com.google.android.overlay.demo",
              '  <overlay android:targetPackage="android" android:isStatic="true" android:priority="1"/>\n'
              '  <application android:hasCode="false"/>', RELEASE)
    b.install("system", "system/app/CtsShimPrebuilt/CtsShimPrebuilt.apk", "apk", "com.android.cts.ctsshim",
              '  <application android:hasCode="false"/>', RELEASE, target=28)
    b.product.add("app/ApiDemos/ApiDemos.apk", src=b.npm("android-apidemos/apks/ApiDemos-debug.apk"))
    b.product.add("app/AutomationTest/AutomationTest.apk", src=b.npm(
        "appium-uiautomator2-server/apks/appium-uiautomator2-server-debug-androidTest.apk"))


def certificates(b):
    for path in sorted(glob.glob("/usr/share/ca-certificates/mozilla/*.crt"))[::2]:
        b.cacerts.append(path)
    b.apex_cacerts.extend(b.cacerts[:24])
    b.otacerts.append(open(b.keys.cert(*RELEASE), "rb").read())


def layout(b):
    """Folders and links of the root, as AOSP makes them."""
    for name, mode in (("acct", 0o755), ("apex", 0o755), ("config", 0o755), ("data", 0o771), ("debug_ramdisk", 0o755),
                       ("dev", 0o755), ("metadata", 0o755), ("mnt", 0o755), ("odm", 0o755), ("oem", 0o755),
                       ("product", 0o755), ("proc", 0o755), ("storage", 0o751), ("sys", 0o755),
                       ("system_ext", 0o755), ("vendor", 0o755), ("second_stage_resources", 0o755)):
        b.system.folder(name, mode)
    for name, target in (("bin", "/system/bin"), ("etc", "/system/etc"), ("init", "/system/bin/init"),
                         ("d", "/sys/kernel/debug"), ("sdcard", "/storage/self/primary"),
                         ("bugreports", "/data/user_de/0/com.android.shell/files/bugreports"),
                         ("system/vendor", "/vendor"), ("system/product", "/product"),
                         ("system/system_ext", "/system_ext")):
        b.system.link(name, target)
    b.system.add("system/usr/hyphen-data/su", "# hyphenation patterns, Sundanese\n1ba\n1ca\n1da\n" * 40)
    b.system.add("system/media/bootanimation.zip", jar())
    b.system.nodes["system/media/bootanimation.zip"].flags = fsimg.NOATIME | fsimg.NODUMP
    b.product.add("media/audio/ringtones/Lantern.ogg", b"OggS\0\2" + noise("ring", 220000))
    b.odm.add("etc/vintf/manifest.xml", "<manifest version=\"8.0\" type=\"device\"/>\n")
    b.odm.add("firmware/touch.bin", noise("touch", 30000))
    b.system_ext.add("etc/permissions/com.demo.platform.xml", "<permissions>\n</permissions>\n")
    b.vendor.add("etc/vintf/manifest.xml", "<manifest version=\"8.0\" type=\"device\" target-level=\"8\"/>\n")
    b.vendor.add("etc/selinux/vendor_file_contexts", "/vendor/bin/rild u:object_r:rild_exec:s0\n")


def common(b):
    layout(b)
    properties(b)
    texts(b)
    binaries(b)
    framework(b)
    applications(b)
    certificates(b)
