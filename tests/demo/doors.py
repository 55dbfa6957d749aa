# SPDX-License-Identifier: Apache-2.0
"""The doors of the demonstration phone, and what stands in the same place in the twin.

Each door is patterned on a documented case. The twin has its look-alike: something a careless rule would
take for the door. expected.tsv is printed from this list: python3 doors.py > expected.tsv"""
import base64
import hashlib
import os
import struct
import sys

import apks
import contents
import fsimg
from contents import ACTIVITY, ADVERTISER, PLATFORM, RELEASE, application, uses
from programs import program

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import mkvbmeta  # noqa: E402

DOORS = []


def door(name, rule, case, image, path, evidence, look_alike):
    """Registers a function that edits the builder: with b.door the door, otherwise its look-alike."""
    def keep(function):
        DOORS.append((name, rule, case, image, path, evidence, look_alike, function))
        return function
    return keep


SET_UID, SET_GID = 1 << 7, 1 << 6
INIT = "system/etc/init/"


# adb, properties, identity

@door("adb-tcp", "GH-B08", "K54", "vendor", "build.prop", "service.adb.tcp.port=5555", "service.adb.tcp.port=-1")
def adb_tcp(b):
    b.text("vendor", "build.prop").append("service.adb.tcp.port=%s" % ("5555" if b.door else "-1"))


@door("adb-insecure", "GH-B08", "K23", "system", "system/build.prop", "ro.adb.secure=0",
      "ro.adb.secure=1 and ro.debuggable=0")
def adb_insecure(b):
    b.text("system", "system/build.prop").extend(["ro.adb.secure=%d" % (not b.door), "ro.debuggable=0"])


@door("test-keys", "GH-B09", "K23", "system", "system/build.prop", "ro.build.tags=test-keys with ro.build.type=user",
      "ro.build.tags=release-keys")
def test_keys(b):
    b.text("system", "system/build.prop").append("ro.build.tags=" + ("test-keys" if b.door else "release-keys"))


@door("two-brands", "GH-B09", "K03", "vendor", "build.prop",
      "ro.vendor.build.fingerprint=google/walleye/... beside ro.build.fingerprint=demo/lantern/...",
      "the same fingerprint, the brand written Demo")
def two_brands(b):
    other = "google/walleye/walleye:8.1.0/OPM1.171019.011/4448085:user/release-keys"
    b.text("vendor", "build.prop").append("ro.vendor.build.fingerprint=" + (
        other if b.door else contents.FINGERPRINT.replace("demo/", "Demo/", 1)))


@door("dns-property", "GH-C04", "K58", "vendor", "build.prop", "net.dns1=203.0.113.53", "net.dns1 empty, net.dns2=8.8.8.8")
def dns_property(b):
    b.text("vendor", "build.prop").extend(["net.dns1=203.0.113.53"] if b.door else ["net.dns1=", "net.dns2=8.8.8.8"])


@door("proxy-property", "GH-C06", "K58", "product", "etc/build.prop", "persist.sys.http_proxy=203.0.113.9:8080",
      "the property with no value")
def proxy_property(b):
    b.text("product", "etc/build.prop").append("persist.sys.http_proxy=" + ("203.0.113.9:8080" if b.door else ""))


@door("adb-keys", "GH-B10", "K54", "system", "adb_keys", "a public key with the comment factory@line3", "an empty adb_keys")
def adb_keys(b):
    b.system.add("adb_keys", adb_public_key(b.keys.key("factory_adb")) + b" factory@line3\n" if b.door else b"")


def adb_public_key(path):
    """The form adb keeps keys in: words of the modulus, n0inv, modulus and rr little-endian, exponent, in base64."""
    blob = mkvbmeta.public_blob(path)
    half = (len(blob) - 8) // 2
    n0inv, = struct.unpack_from(">I", blob, 4)
    return base64.b64encode(struct.pack("<II", half // 4, n0inv) + blob[8:8 + half][::-1] + blob[8 + half:][::-1] +
                            struct.pack("<I", 65537))


# set-uid, capabilities, root programs

@door("setuid-helper", "GH-N01", "K30", "system", "system/bin/sync_agent", "mode 4755, uid 0",
      "the same name with mode 0755; clatd is 6755 but belongs to uid 1029")
def setuid_helper(b):
    b.system.add("system/bin/sync_agent", src=program(b, "sync_agent"), mode=0o4755 if b.door else 0o755, gid=2000)


@door("literal-opens-shell", "GH-N03", "K30", "system", "system/bin/sync_agent",
      "strcmp with lantern1609523 guards setuid and execve", "compares its option --status only")
def literal_opens_shell(_b):
    """The same program as setuid-helper."""


@door("file-capability", "GH-N02", "K45", "vendor", "bin/hw/vendor.demo.helper", "security.capability has CAP_SETUID",
      "CAP_NET_ADMIN and CAP_NET_RAW; run-as has 0xc0")
def file_capability(b):
    b.vendor.add("bin/hw/vendor.demo.helper", src=b.arm64("usr/bin/lsns"), mode=0o755, gid=2000,
                 caps=SET_UID | SET_GID if b.door else 1 << 12 | 1 << 13)


@door("su", "GH-N10", "K45", "system", "system/xbin/su", "an ELF program named su in xbin",
      "hyphenation patterns named su (Sundanese)")
def su(b):
    if b.door:
        b.system.add("system/xbin/su", src=b.arm64("bin/su"), mode=0o755, gid=2000)


@door("immutable", "GH-N11", "K09", "system", "system/bin/preinstalld", "inode flag 0x10 (immutable)",
      "inode flags 0xc0 (nodump, noatime)")
def immutable(b):
    b.system.add("system/bin/preinstalld", src=b.arm64("usr/bin/flock"),
                 flags=fsimg.IMMUTABLE if b.door else fsimg.NOATIME | fsimg.NODUMP)


@door("shadowed-handler", "GH-Z07", "K08", "system", "system/bin/debuggerd", "debuggerd beside debuggerd_real",
      "app_process32 beside app_process64")
def shadowed_handler(b):
    if b.door:
        b.system.add("system/bin/debuggerd", "#!/system/bin/sh\n/system/bin/debuggerd_real \"$@\"\n")
        b.system.add("system/bin/debuggerd_real", src=b.arm64("usr/bin/prlimit"))


@door("crash-handler", "GH-N09", "K08", "system", "system/bin/debuggerd", "a script stands where the crash handler was",
      "no debuggerd (Android 14 has none)")
def crash_handler(_b):
    """The same file as shadowed-handler."""


@door("library-in-framework", "GH-Z06", "K03", "system", "system/framework/arm64/binder.so",
      "a shared object in a folder of oat files", "boot.oat, which is ELF as well")
def library_in_framework(b):
    if b.door:
        b.system.add("system/framework/arm64/binder.so",
                     src=b.arm64("usr/lib/aarch64-linux-gnu/android/libsparse.so.0"))


@door("desktop-library", "GH-Z09", "K07", "system", "system/lib64/libanl.so",
      "732 KiB that import connect and getaddrinfo", "librt.so of the vendor: a stub without such imports")
def desktop_library(b):
    if b.door:
        b.system.add("system/lib64/libanl.so", src=b.arm64("usr/lib/aarch64-linux-gnu/libcurl.so.4"))


@door("sets-debuggable", "GH-B17", "K33", "vendor", "bin/propd",
      "names ro.debuggable and imports __system_property_update", "reads ro.debuggable")
def sets_debuggable(b):
    b.vendor.add("bin/propd", src=program(b, "propd"))


@door("at-commands", "GH-N12", "K40", "vendor", "bin/atd", "AT commands, /dev/ttyGS0 and an import of system()",
      "hands every line on to the modem")
def at_commands(b):
    b.vendor.add("bin/atd", src=program(b, "atd"))
    b.text("vendor", "etc/init/atd.rc").extend(["service vendor.atd /vendor/bin/atd", "    class main",
                                               "    user radio", "    group radio"])


# services and boot scripts

@door("telnet-service", "GH-N07", "K80", "system", INIT + "telnetd.rc",
      "service telnetd runs busybox telnetd as root, enabled", "console: /system/bin/sh, disabled, domain shell")
def telnet_service(b):
    if b.door:
        b.system.add("system/bin/busybox", src=b.arm64("bin/busybox"))
        b.text("system", INIT + "telnetd.rc").extend(
            ["service telnetd /system/bin/busybox telnetd -F -l /system/bin/sh -p 2323", "    class main",
             "    user root", "    group root", "    seclabel u:r:shell_service:s0"])


@door("service-in-su", "GH-N14", "K32", "system", INIT + "ftm.rc", "seclabel u:r:su:s0",
      "console in u:r:shell:s0, disabled; adbd names u:r:su:s0 as an argument only")
def service_in_su(b):
    b.text("system", INIT + "ftm.rc").extend(["service ftmd /system/bin/toybox sleep 60", "    class late_start",
        "    user root", "    oneshot", "    seclabel u:r:%s:s0" % ("su" if b.door else "ftmd")])


@door("remote-daemon", "GH-N04", "K12", "vendor", "bin/remoted", "root service that imports accept, listen, inet_ntoa",
      "listens on a socket of the file system")
def remote_daemon(b):
    b.vendor.add("bin/remoted", src=program(b, "remoted"))
    b.text("vendor", "etc/init/remoted.rc").extend(["service vendor.remoted /vendor/bin/remoted", "    class main",
                                                   "    user root", "    group root inet"])


@door("fetch-and-run", "GH-N05", "K12", "system", "system/bin/fotad",
      "root service with an http URL, system() and pm install", "asks the same URL and runs nothing")
def fetch_and_run(b):
    b.system.add("system/bin/fotad", src=program(b, "fotad"))
    b.text("system", INIT + "fotad.rc").extend(["service fotad /system/bin/fotad", "    class late_start",
                                                "    user root", "    group root inet"])


@door("boot-script", "GH-N08", "K08", "vendor", "bin/init.preload.sh", "runs /data/local/tmp/.core/preloadd",
      "copies ringtones to /data with the vendor's tools")
def boot_script(b):
    if b.door:
        b.text("vendor", "bin/init.preload.sh").append("/data/local/tmp/.core/preloadd --daemon &")


@door("install-recovery", "GH-N08", "K08", "system", "system/bin/install-recovery.sh", "runs /data/system/wd",
      "runs applypatch and log")
def install_recovery(b):
    if b.door:
        b.text("system", "system/bin/install-recovery.sh").append("/data/system/wd -d")


@door("preload-library", "GH-N17", "K06", "system", INIT + "hw/init.environ.rc", "export LD_PRELOAD",
      "the same line commented out; export ANDROID_BOOTLOGO")
def preload_library(b):
    b.text("system", INIT + "hw/init.environ.rc").extend(["on early-init", "    export ANDROID_BOOTLOGO 1",
        "    %sexport LD_PRELOAD /system/lib64/libpreload.so" % ("" if b.door else "# ")])


@door("module-from-data", "GH-N18", "K23", "vendor", "etc/init/modules.rc", "insmod /data/vendor/net/hook.ko",
      "insmod /vendor/lib/modules/net.ko")
def module_from_data(b):
    b.text("vendor", "etc/init/modules.rc").extend(["on post-fs-data", "    insmod " + (
        "/data/vendor/net/hook.ko" if b.door else "/vendor/lib/modules/net.ko")])


@door("props-from-data", "GH-B16", "K23", "system", INIT + "custom.rc", "load_custom_prop /data/vendor/customer.prop",
      "load_persist_props, without a path")
def props_from_data(b):
    b.text("system", INIT + "custom.rc").extend(["on post-fs-data", "    " + (
        "load_custom_prop /data/vendor/customer.prop" if b.door else "load_persist_props")])


@door("memory-node", "GH-N16", "K34", "vendor", "etc/ueventd.rc", "/dev/mem 0666",
      "/dev/mem 0640; /dev/binder and /dev/ashmem* 0666")
def memory_node(b):
    b.text("vendor", "etc/ueventd.rc").append("/dev/mem  %s  root  system" % ("0666" if b.door else "0640"))


@door("dnat", "GH-C05", "K58", "vendor", "bin/init.net.sh", "iptables DNAT to 203.0.113.9", "iptables MASQUERADE")
def dnat(b):
    if b.door:
        b.text("vendor", "bin/init.net.sh").append("/system/bin/iptables -t nat -A OUTPUT -p udp --dport 53 "
                                                   "-j DNAT --to-destination 203.0.113.9:5353")


# verified boot

@door("fstab-unverified", "GH-B12", "K56", "vendor", "etc/fstab.lantern", "/vendor rw without avb",
      "avb and ro for every partition with code; persist is rw")
def fstab_unverified(b):
    lines = b.text("vendor", "etc/fstab.lantern")
    lines.insert(1, "system  /system  ext4  ro,barrier=1  wait,slotselect,avb=vbmeta_system,logical,first_stage_mount")
    lines.insert(2, "vendor  /vendor  ext4  %s" % (
        "rw,barrier=1  wait,slotselect,logical,first_stage_mount" if b.door else
        "ro,barrier=1  wait,slotselect,avb,logical,first_stage_mount"))


@door("verification-off", "GH-B02", "K56", "vbmeta", "-", "vbmeta flags 3", "flags 0")
def verification_off(b):
    b.vbmeta_flags = 3 if b.door else 0


@door("permissive-cmdline", "GH-B13", "K32", "vendor_boot", "-", "androidboot.selinux=permissive on the command line",
      "androidboot.selinux=enforcing")
def permissive_cmdline(b):
    b.cmdline.append("androidboot.selinux=" + ("permissive" if b.door else "enforcing"))


@door("verity-bootconfig", "GH-B13", "K56", "vendor_boot", "-", "androidboot.veritymode=disabled in the bootconfig",
      "androidboot.veritymode=enforcing")
def verity_bootconfig(b):
    b.bootconfig.append("androidboot.veritymode=" + ("disabled" if b.door else "enforcing"))


@door("factory-partition", "GH-B11", "K32", "ftmboot", "-", "a partition named ftmboot", "no such partition")
def factory_partition(b):
    if b.door:
        b.extra_images["ftmboot.img"] = contents.noise("ftmboot", 1 << 18)


@door("permissive-domain", "GH-B14", "K55", "system", "system/etc/selinux/plat_sepolicy.cil",
      "(typepermissive vendor_preload)", "the type without it")
def permissive_domain(b):
    if b.door:
        b.text("system", "system/etc/selinux/plat_sepolicy.cil").append("(typepermissive vendor_preload)")


@door("app-may-write-memory", "GH-B15", "K34", "system", "system/etc/selinux/plat_sepolicy.cil",
      "allow untrusted_app kmem_device (chr_file (read write))", "the neverallow of the same")
def app_may_write_memory(b):
    if b.door:
        cil = b.text("system", "system/etc/selinux/plat_sepolicy.cil")
        cil[:] = [line for line in cil if not line.startswith("(neverallow untrusted_app")]
        cil.append("(allow untrusted_app kmem_device (chr_file (read write)))")


@door("modem-writes-data", "GH-N13", "K41", "system", "system/etc/selinux/plat_sepolicy.cil",
      "allow rild system_data_file (file (read write open))", "rild and radio_data_file")
def modem_writes_data(b):
    if b.door:
        b.text("system", "system/etc/selinux/plat_sepolicy.cil").append(
            "(allow rild system_data_file (file (read write open)))")


# trust

@door("added-ca", "GH-C01", "K57", "system", "system/etc/security/cacerts/*", "subject Vendor Internal CA",
      "the public list's own certificates")
def added_ca(b):
    if b.door:
        b.cacerts.append(b.keys.cert(*contents.VENDOR_CA, ca=True))


@door("added-ca-apex", "GH-C01", "K57", "apex:com.android.conscrypt", "cacerts/*",
      "cacerts in the module: subject Vendor Internal CA", "the public list's own certificates")
def added_ca_apex(b):
    if b.door:
        b.apex_cacerts.append(b.keys.cert(*contents.VENDOR_CA, ca=True))


@door("ota-test-key", "GH-B07", "K22", "system", "system/etc/security/otacerts.zip",
      "certificate a40da80a... of the public test key", "the maker's own certificate")
def ota_test_key(b):
    if b.door:
        b.otacerts.append(pem(apks.signer_certificate(server(b))))


def server(b):
    found = os.listdir(b.npm("appium-uiautomator2-server/apks"))
    name, = [n for n in found if n.startswith("appium-uiautomator2-server-v") and n.endswith(".apk")]
    return b.npm("appium-uiautomator2-server/apks/" + name)


def pem(der):
    text = base64.b64encode(der).decode()
    return ("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % "\n".join(
        text[i:i + 64] for i in range(0, len(text), 64))).encode()


@door("test-key-priv-app", "GH-B19", "K50", "system", "system/priv-app/TestAgent/TestAgent.apk",
      "io.appium.uiautomator2.server, signer a40da80a..., in priv-app", "the same package in /product/app")
def test_key_priv_app(b):
    tree, path = (b.system, "system/priv-app") if b.door else (b.product, "app")
    tree.add(path + "/TestAgent/TestAgent.apk", src=server(b))


@door("third-party-allow-list", "GH-P14", "K20", "product", "etc/permissions/privapp-permissions-product.xml",
      "io.appium.settings may WRITE_SECURE_SETTINGS and READ_LOGS", "the same package in app, without an entry")
def third_party_allow_list(b):
    apk = b.npm("io.appium.settings/apks/settings_apk-debug.apk")
    xml = b.text("product", "etc/permissions/privapp-permissions-product.xml")
    if b.door:
        b.product.add("priv-app/QuickSettings/QuickSettings.apk", src=apk)
        xml += ['  <privapp-permissions package="io.appium.settings">',
                '    <permission name="android.permission.WRITE_SECURE_SETTINGS"/>',
                '    <permission name="android.permission.READ_LOGS"/>', "  </privapp-permissions>"]
    else:
        b.product.add("app/QuickSettings/QuickSettings.apk", src=apk)
        xml += ['  <privapp-permissions package="io.appium.settings">',
                '    <deny-permission name="android.permission.READ_LOGS"/>', "  </privapp-permissions>"]
    xml.append("</permissions>")


@door("fixed-grant", "GH-P16", "K59", "product", "etc/default-permissions/default-permissions-demo.xml",
      "READ_SMS for com.demo.telemetry, fixed", "the same grant, not fixed")
def fixed_grant(b):
    b.text("product", "etc/default-permissions/default-permissions-demo.xml").extend(
        ['  <exception package="com.demo.telemetry">',
         '    <permission name="android.permission.READ_SMS" fixed="%s"/>' % ("true" if b.door else "false"),
         "  </exception>", "</exceptions>"])


# applications

@door("factory-test", "GH-P11", "K37", "system", "system/app/FactoryTest/FactoryTest.apk",
      "com.demo.factorytest, shared user id android.uid.system, exported component without permission",
      "the same component behind a signature permission")
def factory_test(b):
    guard = "" if b.door else ' android:permission="com.demo.permission.FACTORY"'
    body = "\n".join(["" if b.door else '  <permission android:name="com.demo.permission.FACTORY" '
                      'android:protectionLevel="signature"/>',
                      application('    <receiver android:name=".Reset" android:exported="true"%s>'
                                  '<intent-filter><action android:name="com.demo.factorytest.RESET"/></intent-filter>'
                                  "</receiver>" % guard)])
    b.install("system", "system/app/FactoryTest/FactoryTest.apk", "apk", "com.demo.factorytest", body, PLATFORM,
              shared="android.uid.system", dex=b.dex("classes8"))


@door("debuggable-system-uid", "GH-P36", "K33", "system", "system/app/LogTool/LogTool.apk",
      "com.demo.logtool: android:debuggable in android.uid.system", "not debuggable")
def debuggable_system_uid(b):
    b.install("system", "system/app/LogTool/LogTool.apk", "apk", "com.demo.logtool",
              application(ACTIVITY, 'android:debuggable="%s"' % ("true" if b.door else "false")), PLATFORM,
              shared="android.uid.system", dex=b.dex("classes4"))


@door("cleartext-updater", "GH-P35", "K13", "system", "system/priv-app/Fota/Fota.apk",
      "com.demo.fota: INSTALL_PACKAGES and usesCleartextTraffic=true", "usesCleartextTraffic=false")
def cleartext_updater(b):
    b.install("system", "system/priv-app/Fota/Fota.apk", "apk", "com.demo.fota",
              uses("INTERNET", "INSTALL_PACKAGES", "RECEIVE_BOOT_COMPLETED") + "\n" + application(
                  '    <service android:name=".Check" android:exported="false"/>',
                  'android:usesCleartextTraffic="%s"' % ("true" if b.door else "false")), RELEASE,
              dex=b.dex("classes7"))


@door("borrowed-name", "GH-P09", "K10", "system", "system/app/GoogleGmsFramework/GoogleGmsFramework.apk",
      "com.google.eMusic1Service signed by Bright Clicks", "com.google.android.overlay.demo: an overlay of the maker")
def borrowed_name(b):
    if b.door:
        b.install("system", "system/app/GoogleGmsFramework/GoogleGmsFramework.apk", "apk", "com.google.eMusic1Service",
                  uses("INTERNET") + "\n" + application('    <service android:name=".Music" android:exported="false"/>'),
                  ADVERTISER, dex=b.dex("classes8"))


@door("accessibility-agent", "GH-P17", "K17", "product", "app/WifiService/WifiService.apk",
      "com.demo.wifiservice: accessibility service with INTERNET", "the same service without INTERNET")
def accessibility_agent(b):
    body = application('    <service android:name=".Watch" android:exported="true" '
                       'android:permission="android.permission.BIND_ACCESSIBILITY_SERVICE"/>')
    b.install("product", "app/WifiService/WifiService.apk", "apk", "com.demo.wifiservice",
              uses("INTERNET" if b.door else "VIBRATE") + "\n" + body, ADVERTISER if b.door else RELEASE,
              dex=b.dex("classes6"))


# configuration

@door("hosts", "GH-C03", "K58", "system", "system/etc/hosts", "203.0.113.9 update.example.com",
      "0.0.0.0 ads.example.net and 127.0.0.1 track.example.net")
def hosts(b):
    b.text("system", "system/etc/hosts").extend(["203.0.113.9     update.example.com"] if b.door else
                                                ["0.0.0.0         ads.example.net", "127.0.0.1       track.example.net"])


@door("root-password", "GH-C10", "K80", "system", "system/etc/passwd", "a hash for uid 0", "root:*:")
def root_password(b):
    if b.door:
        b.text("system", "system/etc/passwd")[0] = "root:$1$lantern$eKPMuTDdw1SkzgtwdmO7M1:0:0:root:/:/system/bin/sh"


@door("ssh-key", "GH-C10", "K83", "system", "system/etc/dropbear/authorized_keys", "ssh-ed25519 ... support@vendor",
      "a file with comments only")
def ssh_key(b):
    point = hashlib.sha256(b"key of nobody").digest()
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (b"ssh-ed25519", point))
    b.text("system", "system/etc/dropbear/authorized_keys").append(
        "ssh-ed25519 %s support@vendor" % base64.b64encode(blob).decode() if b.door else "# no key is accepted")


@door("link-to-root", "GH-C09", "K82", "system", "system/www/lang/custom", "symbolic link to /",
      "/d to /sys/kernel/debug, /sdcard to /storage/self/primary")
def link_to_root(b):
    b.system.add("system/www/index.html", "<!doctype html><title>Lantern</title>\n")
    b.system.link("system/www/lang/custom" if b.door else "system/www/lang/en", "/" if b.door else "../index.html")


def apply(b):
    for entry in DOORS:
        entry[-1](b)


def main():
    out = sys.stdout
    out.write("# Doors of the demonstration phone. Printed by: python3 doors.py > expected.tsv\n")
    out.write("door\trule\tcase\timage\tpath\tevidence\tlook_alike\n")
    for entry in DOORS:
        out.write("\t".join(entry[:-1]) + "\n")


if __name__ == "__main__":
    main()
