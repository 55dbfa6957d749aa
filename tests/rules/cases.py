# SPDX-License-Identifier: Apache-2.0
"""Planted facts for every rule: the case it is drawn from, and the look-alikes on which it stays silent. honest() is a phone with all look-alikes at once."""
import collections

from facts import AVB2048, AVB4096, OEM, TESTKEY, TESTPLATFORM, THIRD

Case = collections.namedtuple('Case', 'rule what rows severity sdk plant')
CASES = []
# tables that a rule reads only to lower or to widen a row
OPTIONAL = {'GH-B04': ('scan',), 'GH-B05': ('named_exceptions',), 'GH-L03': ('live_settings',), 'GH-L04': ('live_apps',), 'GH-L06': ('apks',),
            'GH-L07': ('live_same_build',)}

GOOGLE = 'f0fd6c5b410f25cb25c3b53346c8972fae30f8ee7411df910480ad6b2d60db83'
SHIM = ('com.android.cts.priv.ctsshim', '5a84cc6095477f894060590c0a9b737c70f47f5b9402fc58c6d354f702a263af')
FP = 'Xiaomi/pine/pine:10/QKQ1.191014.001/V12.5.1.0.QCMINXM:user/release-keys'
ROOT = 'CN=ISRG Root X1,O=Internet Security Research Group,C=US'


def case(rule, what, rows=1, severity=None, sdk=34):
    def keep(plant):
        CASES.append(Case(rule, what, rows, {severity} if isinstance(severity, str) else severity, sdk, plant))
        return plant
    return keep


def platform(d, cert=OEM, name='android'):
    d.apk(name, cert=cert, path='/system/framework/framework-res.apk', shared_uid='android.uid.system', signer_role='platform', schemes=(1, 2, 3))


# ---------------------------------------------------------------- what code is able to do
def flow(d, package, src, sink, level=3, mids='', length=2, path='Lx/A;->m()V +0x2 > Lx/B;->n()V +0x8', kind=None, guard=None, **more):
    a = d.apk(package, **more)
    a = d.db.execute('SELECT max(apk_id) FROM apks').fetchone()[0]
    c = d.db.execute('SELECT min(component_id) FROM apk_components WHERE apk_id=?', (a,)).fetchone()[0]
    d.add('code_flows', apk_id=a, component_id=c, entry='Lx/A;', kind=kind, guard=guard, src=src, mids=mids, sink=sink, level=level, length=length, path=path)
    return a


def setting(d, package, name, value, **more):
    d.apk(package, **more)
    a = d.db.execute('SELECT max(apk_id) FROM apks').fetchone()[0]
    for arg, v in ((1, name), (2, value)):
        d.add('code_consts', apk_id=a, method='Lx/A;->m()V', site=8, callee='Landroid/provider/Settings$Global;->putInt(Landroid/content/ContentResolver;Ljava/lang/String;I)Z', arg=arg, value=v)


@case('GH-P03', 'Cosiloon: a server decides what is loaded')
def _(d): flow(d, 'com.x.crash', 'NET_IN', 'DEXLOAD')


@case('GH-P03', 'two ways to the same: one row')
def _(d):
    flow(d, 'com.x.crash', 'NET_IN', 'DEXLOAD')
    a = d.db.execute('SELECT max(apk_id) FROM apks').fetchone()[0]
    d.add('code_flows', apk_id=a, src='NET_IN', sink='DEXLOAD', level=3, length=3, path='Lx/C;', mids='')


@case('GH-P03', 'both are there without a path; its own assets; Google\'s own; an app of the owner', rows=0)
def _(d):
    flow(d, 'com.a', 'NET_IN', 'DEXLOAD', level=2)
    flow(d, 'com.b', 'ASSET', 'DEXLOAD')
    flow(d, 'com.google.android.gms', 'NET_IN', 'DEXLOAD', signer_role='google', cert=GOOGLE)
    flow(d, 'com.c', 'NET_IN', 'DEXLOAD', is_system=0)


@case('GH-P05', 'Adups: a server sends commands')
def _(d): flow(d, 'com.adups.fota.sysoper', 'NET_IN', 'EXEC', shared_uid='android.uid.system')


@case('GH-P05', 'a text message is a command')
def _(d): flow(d, 'com.x.sms', 'SMS_IN', 'EXEC')


@case('GH-P05', 'a fixed command; what another part of the app says; level 2 only', rows=0)
def _(d):
    flow(d, 'com.a.log', 'FILE_IN', 'EXEC')
    flow(d, 'com.b.tool', 'INTENT_IN', 'EXEC')
    flow(d, 'com.c.support', 'NET_IN', 'EXEC', level=2)


@case('GH-P06', 'Unisoc: commands from other apps')
def _(d): flow(d, 'com.unisoc.cmd', 'INTENT_IN', 'EXEC', level=2, kind='service', guard='none', parts=(dict(kind='service'),))


@case('GH-P06', 'factory app with a guard that any app can get')
def _(d): flow(d, 'com.pri.factorytest', 'INTENT_IN', 'WIPE', level=2, kind='receiver', guard='normal', parts=(dict(kind='receiver'),))


@case('GH-P06', 'guarded by signature, by its own check, not open, a launcher icon, no power, a harmless deed', rows=0)
def _(d):
    for guard in ('signature', 'selfcheck', 'own', 'signature|privileged'):
        flow(d, 'com.a.' + guard, 'INTENT_IN', 'EXEC', level=2, kind='service', guard=guard, parts=(dict(kind='service'),))
    flow(d, 'com.b.icon', 'INTENT_IN', 'EXEC', level=2, kind='activity', guard='none', parts=(dict(intents=(dict(action='android.intent.action.MAIN', category='android.intent.category.LAUNCHER'),)),))
    flow(d, 'com.c.plain', 'INTENT_IN', 'EXEC', level=2, kind='service', guard='none', is_priv=0, parts=(dict(kind='service'),))
    flow(d, 'com.d.net', 'INTENT_IN', 'NET_OUT', level=2, kind='service', guard='none', parts=(dict(kind='service'),))


@case('GH-P08', 'Adups: text messages to a server')
def _(d): flow(d, 'com.adups.fota', 'SMS_READ', 'NET_OUT', has_launcher=0)


@case('GH-P08', 'the app for messages, a dialler, a sync adapter, an app with an icon, where the phone is', rows=0)
def _(d):
    for n, action in enumerate(('android.provider.Telephony.SMS_DELIVER', 'android.intent.action.DIAL', 'android.content.SyncAdapter')):
        flow(d, f'com.a.n{n}', 'CONTACTS', 'NET_OUT', has_launcher=0, parts=(dict(intents=(dict(action=action),)),))
    flow(d, 'com.b.messages', 'SMS_IN', 'NET_OUT', has_launcher=1)
    flow(d, 'com.c.weather', 'LOCATION', 'NET_OUT', has_launcher=0)


@case('GH-P28', 'an app of the maker switches debugging on')
def _(d): setting(d, 'com.x.factory', 'adb_enabled', '1')


@case('GH-P28', 'the check of apps is switched off')
def _(d): setting(d, 'com.x.store', 'package_verifier_enable', '0')


@case('GH-P28', 'switched off; another setting; Settings itself; an app of the owner', rows=0)
def _(d):
    setting(d, 'com.a', 'adb_enabled', '0')
    setting(d, 'com.b', 'airplane_mode_on', '1')
    setting(d, 'com.android.settings', 'adb_enabled', '1', signer_role='platform')
    setting(d, 'com.c', 'adb_enabled', '1', is_system=0)


# ---------------------------------------------------------------- native code and init
@case('GH-N01', 'ZTE Score M sync_agent')
def _(d): d.file('/system/bin/sync_agent', mode=0o4755)


@case('GH-N01', 'set-group-id root')
def _(d): d.file('/system/bin/helper', mode=0o2755, uid=0, gid=0)


@case('GH-N01', 'run-as with another owner group than AOSP gives it')
def _(d): d.file('/system/bin/run-as', mode=0o6750, gid=0)


@case('GH-N01', 'clatd, old run-as, ping and netcfg; a folder of the host; a sticky folder; no execute bit', rows=0)
def _(d):
    d.file('/apex/com.android.tethering/bin/for-system/clatd', mode=0o6755, uid=1029, gid=1029)
    d.file('/system/bin/run-as', mode=0o6750, gid=2000)
    d.file('/system/bin/ping', mode=0o2755, gid=3004)
    d.file('/system/bin/netcfg', mode=0o2750, gid=3003)
    d.file('/system/bin/sync_agent', mode=0o4755, attrs=0)
    d.file('/data/local', mode=0o4755, ftype='dir')
    d.file('/system/etc/x', mode=0o4644)


@case('GH-N02', 'helper that may become any user')
def _(d): d.file('/vendor/bin/tool', caps=0xc0)


@case('GH-N02', 'run-as with one power more than AOSP gives it')
def _(d): d.file('/system/bin/run-as', mode=0o750, caps=0xc0 | 1 << 21)


@case('GH-N02', 'run-as, app runner, network and wake-up powers; a folder of the host', rows=0)
def _(d):
    d.file('/system/bin/run-as', mode=0o750, caps=0xc0)
    d.file('/system/bin/simpleperf_app_runner', mode=0o750, caps=0xc0)
    d.file('/vendor/bin/cnss-daemon', caps=1 << 10)
    d.file('/vendor/bin/imsdatadaemon', caps=1 << 10 | 1 << 12 | 1 << 13 | 1 << 36)
    d.file('/vendor/bin/tool', caps=0xc0, attrs=0)
    d.file('/vendor/bin/none', caps=None)


@case('GH-N07', 'telnet service')
def _(d):
    d.file('/vendor/bin/telnetd')
    d.service('rsh', '/vendor/bin/telnetd')


@case('GH-N07', 'Xiaomi: su_daemon without its program', severity='low')
def _(d): d.service('su_daemon', '/system/xbin/su', args='--daemon')


@case('GH-N07', 'busybox telnet in a script, in an action and as a service', rows=3)
def _(d):
    d.script('/system/xbin/busybox', 'telnetd -l /system/bin/sh')
    d.action('exec', 'u:r:init:s0 root -- /vendor/bin/dropbear -p 22')
    d.file('/system/xbin/busybox')
    d.service('tn', '/system/xbin/busybox', args='telnetd -F')


@case('GH-N07', 'disabled service that an action starts', severity='high')
def _(d):
    d.file('/system/bin/sshd')
    d.service('sshd', '/system/bin/sshd', disabled=1)
    d.action('start', 'sshd', trigger='property:sys.x=1')


@case('GH-N07', 'console, start-ssh of Android 4, adbd, telnet client, a client nc, disabled and never started', rows=0)
def _(d):
    d.service('console', '/system/bin/sh', user='shell', disabled=1, seclabel='u:r:shell:s0')
    d.service('sshd', '/system/bin/start-ssh', disabled=1)
    d.service('adbd', '/apex/com.android.adbd/bin/adbd')
    d.service('rescue', '/system/bin/sshd', disabled=1)
    d.script('/system/bin/telnet', '10.0.0.1')
    d.script('/vendor/bin/nc', '10.0.0.1 80')
    d.script('busybox', 'mount -o remount')
    d.service('resu', '/vendor/bin/resu')


@case('GH-N08', 'recovery script, wrapper, service and action that run from changeable storage', rows=5)
def _(d):
    d.script('/data/local/tmp/wd')
    d.script('nohup', '/cache/x/y &', path='/vendor/bin/init.foo.sh')
    d.service('upd', '/data/system/upd')
    d.service('sc', '/system/bin/sh', args='/sdcard/.x/boot.sh')
    d.action('exec', 'u:r:su:s0 root root -- /data/misc/run.sh')


@case('GH-N08', 'Samsung 2014: a disabled test service that a property starts', severity='medium')
def _(d):
    d.service('temp_test', '/data/simpletest', disabled=1)
    d.action('start', 'temp_test', trigger='property:persist.sys.temp.test=1')


@case('GH-N08', 'applypatch, output to /cache, arguments in /data, vendor partitions under /mnt', rows=0)
def _(d):
    d.script('applypatch', '--check EMMC:/dev/block/x > /cache/recovery/last_install_recovery_status')
    d.script('/system/bin/cp', '-rf /data/user_de/0/bugreports/a /sdcard/b', path='/system/bin/copy_bugreport_file.sh')
    d.script('sh', '/vendor/bin/init.qcom.sh', path='/vendor/bin/init.class_main.sh')
    d.script('/mnt/vendor/persist/cal', path='/vendor/bin/init.sensors.sh')
    d.script('chmod', '0644 /data/x', path='/vendor/bin/init.qcom.sh')
    d.service('never', '/data/simpletest', disabled=1)
    d.service('bugreport', '/system/bin/dumpstate', args='-o /data/user_de/0/com.android.shell/files')
    d.action('exec', 'u:r:vdc:s0 -- /system/bin/vdc cryptfs mountdefaultencrypted')
    d.action('mkdir', '/data/vendor/x 0770 system system')


@case('GH-N10', 'su and the files of root managers', rows=3)
def _(d):
    d.file('/system/xbin/su')
    d.file('/system/xbin/daemonsu')
    d.file('/overlay.d/sbin/magisk64.xz', magic='xz')


@case('GH-N10', 'a text, a link and a folder called su, and names that end in su', rows=0)
def _(d):
    d.file('/system/etc/su', magic='text')
    d.file('/system/bin/su', ftype='link', magic=None, link_target='toybox')
    d.file('/data/adb/su', ftype='dir', magic=None)
    d.file('/vendor/bin/resu')


@case('GH-N11', 'xHelper: immutable system file')
def _(d): d.file('/system/lib/libc.so', iflags=0x80010)


@case('GH-N11', 'fs-verity, extents, case folding; a folder of the host', rows=0)
def _(d):
    d.file('/system/app/a.apk', iflags=0x100000 | 0x80000 | 0x40000000)
    d.file('/system/lib/libc.so', iflags=0x10, attrs=0)


@case('GH-N14', 'service in the su compartment')
def _(d): d.service('rsh', '/vendor/bin/rsh', seclabel='u:r:su:s0')


@case('GH-N14', 'service with the shell label and root rights', severity='medium')
def _(d): d.service('screentimeout', '/system/bin/sh', args='/vendor/etc/init.qcom.screentimeout.sh', seclabel='u:r:shell:s0', disabled=1)


@case('GH-N14', 'action in the su compartment')
def _(d): d.action('exec_background', 'u:r:su:s0 root -- /vendor/bin/diag')


@case('GH-N14', 'console, a service of the user shell, a compartment of its own, the recovery system', rows=0)
def _(d):
    d.service('console', '/system/bin/sh', user='shell', disabled=1, seclabel='u:r:shell:s0')
    d.service('copy_bugreport_file', '/system/bin/sh', user='shell', seclabel='u:r:shell:s0')
    d.service('adbd', '/sbin/adbd', args='--root_seclabel=u:r:su:s0', seclabel='u:r:adbd:s0')
    d.service('recovery', '/sbin/recovery', rc='/init.rc', seclabel='u:r:su:s0', image='recovery.img')
    d.action('exec', 'u:r:vold:s0 root -- /system/bin/vdc')
    d.action('exec', 'u:r:su:s0 root -- /sbin/x', rc='/init.recovery.qcom.rc')


@case('GH-N16', 'exynos-mem, diag and a modem channel', rows=3)
def _(d):
    f = d.file('/ueventd.rc', magic='text')
    for n, node in enumerate(('/dev/exynos-mem', '/dev/diag', '/dev/ccci_md1')):
        d.add('ueventd', file_id=f, line=n + 1, node=node, mode=0o666, uid='root', gid='root')


@case('GH-N16', 'nodes that are open on honest phones; the same nodes closed', rows=0)
def _(d):
    f = d.file('/ueventd.rc', magic='text')
    for node in ('binder', 'hwbinder', 'ashmem', 'null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'ion', 'mali0', 'kgsl-3d0', 'dri/*', 'pmsg0', 'genlock',
                 'wlan', 'msr3110', 'qemu_pipe', 'ttyS*'):
        d.add('ueventd', file_id=f, line=1, node='/dev/' + node, mode=0o666, uid='root', gid='root')
    d.add('ueventd', file_id=f, line=2, node='/dev/diag', mode=0o660, uid='root', gid='qcom_diag')
    d.add('ueventd', file_id=f, line=3, node='/dev/mem', mode=0o640, uid='root', gid='root')


@case('GH-N17', 'a library for all services, behind a listed one')
def _(d): d.action('export', 'LD_PRELOAD libsigchain.so:/system/lib64/libx.so', trigger='init')


@case('GH-N17', 'wrap property in a file and in an action', rows=2)
def _(d):
    d.prop('wrap.com.android.phone', 'LD_PRELOAD=/data/x.so')
    d.action('setprop', 'wrap.system_server /data/w')


@case('GH-N17', 'libsigchain, MediaTek crash reporting, other exports', rows=0)
def _(d):
    d.action('export', 'LD_PRELOAD libsigchain.so', trigger='init')
    d.action('export', 'LD_PRELOAD libdirect-coredump.so', trigger='init')
    d.action('export', 'LD_LIBRARY_PATH /system/lib64', trigger='init')
    d.action('setprop', 'wrapper.x 1')
    d.prop('wrap.com.example', 'logwrapper')


@case('GH-N18', 'module from /data, by init and by script', rows=2)
def _(d):
    d.action('insmod', '/data/x.ko')
    d.script('/vendor/bin/insmod', '-f /cache/y.ko')


@case('GH-N18', 'modules of the signed system', rows=0)
def _(d):
    d.action('insmod', '/vendor/lib/modules/wlan.ko')
    d.script('modprobe', '-a -d /vendor/lib/modules audio', path='/vendor/bin/init.insmod.sh')
    d.script('insmod', '/mnt/vendor/modules/a.ko', path='/vendor/bin/a.sh')
    d.script('rmmod', '/data/x.ko', path='/vendor/bin/b.sh')


@case('GH-Z05', 'framework code that was replaced', severity='high')
def _(d): d.oat_dex('/system/framework/arm64/boot-framework.oat', '/system/framework/framework.jar', 0x4a000001, 0x17000002)


@case('GH-Z05', 'an app whose vdex is of another version', severity='low')
def _(d): d.oat_dex('/system/app/X/oat/arm64/X.vdex', '/system/app/X/X.apk', 0x4a000001, 0x17000002, kind='vdex', member='classes2.dex')


@case('GH-Z05', 'the code it was made from; a stripped package', rows=0)
def _(d):
    d.oat_dex('/system/framework/arm/boot.oat', '/system/framework/core-oj.jar', 0x4a000001, 0x4a000001)
    d.oat_dex('/system/app/Y/oat/arm64/Y.odex', '/system/app/Y/Y.apk', 0x4a000001, None)


@case('GH-Z06', 'Triada 2025: binder.so')
def _(d):
    f = d.file('/system/framework/arm64/binder.so')
    d.add('elf', file_id=f, soname='binder.so')


@case('GH-Z06', 'precompiled code, a library in its proper place, a broken library', rows=0)
def _(d):
    f = d.file('/system/framework/oat/arm64/services.odex')
    d.add('elf', file_id=f)
    d.add('elf_symbols', file_id=f, name='oatdata', defined=1)
    d.add('elf', file_id=d.file('/system/lib64/libbinder.so'), soname='libbinder.so')
    d.file('/system/framework/broken.so')
    d.add('elf', file_id=d.file('/vendor/app/framework/x.so'))


# ---------------------------------------------------------------- boot, keys, identity
@case('GH-B01', 'Lenovo tablets: vbmeta with the AOSP key')
def _(d): d.add('avb_images', image_id=1, partition='vbmeta', pubkey_sha1=AVB4096, flags=0)


@case('GH-B01', 'Nokia: a chained partition with the AOSP key')
def _(d):
    d.add('avb_images', image_id=1, partition='vbmeta', pubkey_sha1='aa' * 20, flags=0)
    d.add('avb_descriptors', image_id=1, kind='chain', partition='system', key_sha1=AVB2048.upper())


@case('GH-B01', 'an image with a footer of its own', severity='medium')
def _(d): d.add('avb_images', image_id=1, partition='boot', pubkey_sha1=AVB2048, flags=0)


@case('GH-B01', 'keys of the maker, an unsigned footer', rows=0)
def _(d):
    d.add('avb_images', image_id=1, partition='vbmeta', pubkey_sha1='8fcb864f11f53ed11284615fb67685522085d3a2', flags=0)
    d.add('avb_images', image_id=2, partition='boot', pubkey_sha1=None, flags=0)
    d.add('avb_images', image_id=3, partition='apex:com.android.x', pubkey_sha1=AVB4096, flags=0)
    d.add('avb_descriptors', image_id=1, kind='chain', partition='vbmeta_system', key_sha1='bb' * 20)
    d.add('avb_descriptors', image_id=1, kind='hashtree', partition='vendor', root_digest=AVB4096)


@case('GH-B02', 'flags 3 in the first vbmeta')
def _(d): d.add('avb_images', image_id=1, partition='vbmeta', flags=3)


@case('GH-B02', 'the same in a file beside others')
def _(d): d.add('avb_images', image_id=1, partition='vbmeta.img', flags=2)


@case('GH-B02', 'the same in a slot')
def _(d): d.add('avb_images', image_id=1, partition='vbmeta_b', flags=1)


@case('GH-B02', 'flags in a chained vbmeta', severity='low')
def _(d): d.add('avb_images', image_id=1, partition='vbmeta_system', flags=2)


@case('GH-B02', 'no flags', rows=0)
def _(d):
    d.add('avb_images', image_id=1, partition='vbmeta', flags=0)
    d.add('avb_images', image_id=2, partition='boot', flags=None)


@case('GH-B04', 'T95: framework signed with the AOSP key, three schemes')
def _(d):
    platform(d, cert=TESTPLATFORM)
    d.apk('com.android.settings', cert=TESTPLATFORM, shared_uid='android.uid.system', schemes=(1, 2))


@case('GH-B04', 'framework not at hand, most system packages with the AOSP key')
def _(d):
    for n in range(3):
        d.apk('com.sys%d' % n, cert=TESTPLATFORM, shared_uid='android.uid.system')
    d.apk('com.other', cert=OEM, shared_uid='android.uid.system')


@case('GH-B04', 'a stray package and CtsShim with public keys beside the maker\'s platform', rows=0)
def _(d):
    platform(d)
    d.apk('amigo', cert=TESTPLATFORM, shared_uid='android.uid.system', is_priv=0)
    d.apk(SHIM[0], cert=TESTKEY, sha256=SHIM[1])
    d.apk('com.android.settings', shared_uid='android.uid.system')


@case('GH-B04', 'a framework that names the AOSP key, and whose signature does not hold', rows=0)
def _(d):
    d.apk('android', cert=TESTPLATFORM, path='/system/framework/framework-res.apk', shared_uid='android.uid.system', signer_role='unknown', signer_state='failed')


@case('GH-B04', 'code was taken out of the packages that the AOSP key signed')
def _(d):
    for n in range(2):
        d.apk('com.sys%d' % n, cert=TESTPLATFORM, shared_uid='android.uid.system', signer_role='aosp_test', signer_state='stripped')


@case('GH-B05', 'module with the public payload key and certificate', rows=2)
def _(d):
    f = d.file('/system/apex/com.android.wifi.apex', magic='zip')
    d.add('apex', file_id=f, name='com.android.wifi', avb_key_sha1='299c0c63ae74e46f8cebcdc7de15918b2f41912f', cert_sha256='b12d03bda8bcca69dae98ba760d3329080c51130d61c7728df0fb70bce826f9a')


@case('GH-B05', 'the empty test module', severity='info')
def _(d):
    f = d.file('/system/apex/com.android.apex.cts.shim.apex', magic='zip')
    d.add('apex', file_id=f, name='com.android.apex.cts.shim', avb_key_sha1=AVB4096, cert_sha256='ab' * 32)


@case('GH-B05', 'modules with keys of their own', rows=0)
def _(d):
    f = d.file('/system/apex/com.google.android.wifi.apex', magic='zip')
    d.add('apex', file_id=f, name='com.google.android.wifi', avb_key_sha1='cd' * 20, cert_sha256='cd' * 32)


@case('GH-B05', 'a module that names public keys, and whose signatures were not verified', rows=0)
def _(d):
    f = d.file('/system/apex/com.android.wifi.apex', magic='zip')
    d.add('apex', file_id=f, name='com.android.wifi', avb_key_sha1='299c0c63ae74e46f8cebcdc7de15918b2f41912f', cert_sha256='b12d03bda8bcca69dae98ba760d3329080c51130d61c7728df0fb70bce826f9a',
          container='unsupported', vbmeta='unsupported')


@case('GH-B07', 'update check trusts the AOSP testkey')
def _(d): d.add('ota_certs', file_id=d.file('/system/etc/security/otacerts.zip', magic='zip'), cert_sha256=TESTKEY.upper(), subject='CN=Android')


@case('GH-B07', 'a maker\'s key under the same name', rows=0)
def _(d): d.add('ota_certs', file_id=d.file('/system/etc/security/otacerts.zip', magic='zip'), cert_sha256=OEM, subject='CN=Android')


@case('GH-B08', 'T95: network port, no questions', rows=3)
def _(d):
    for key, value in (('service.adb.tcp.port', '5555'), ('ro.adb.secure', '0'), ('ro.secure', '0')):
        d.prop(key, value)


@case('GH-B08', 'debuggable', severity='high')
def _(d): d.prop('ro.debuggable', '1')


@case('GH-B08', 'values of a finished build; switched off ports', rows=0)
def _(d):
    for key, value in (('ro.debuggable', '0'), ('ro.secure', '1'), ('ro.adb.secure', '1'), ('service.adb.tcp.port', '-1'), ('persist.adb.tcp.port', ''), ('service.adb.root', '0'),
                       ('persist.sys.usb.config', 'mtp,adb')):
        d.prop(key, value)


@case('GH-B09', 'test keys in a finished build')
def _(d): d.prop('ro.build.tags', 'test-keys')


@case('GH-B09', 'two makers')
def _(d):
    d.prop('ro.build.fingerprint', 'google/walleye/walleye:10/QP1A/1:user/release-keys')
    d.prop('ro.vendor.build.fingerprint', FP, path='/vendor/build.prop')


@case('GH-B09', 'a fingerprint of another kind of build')
def _(d): d.prop('ro.build.fingerprint', 'Xiaomi/pine/pine:10/Q/1:userdebug/test-keys')


@case('GH-B09', 'a system the owner put there', severity='info')
def _(d):
    d.prop('ro.lineage.version', '20')
    d.prop('ro.build.fingerprint', 'google/walleye/walleye:10/QP1A/1:user/release-keys')
    d.prop('ro.vendor.build.fingerprint', FP, path='/vendor/build.prop')


@case('GH-B09', 'sister brands, other letter case, values of a chip maker, a fingerprint sensor', rows=0)
def _(d):
    d.prop('ro.build.fingerprint', 'Redmi/pine/pine:10/Q/1:user/release-keys')
    d.prop('ro.bootimage.build.fingerprint', 'xiaomi/pine/pine:10/Q/1:user/release-keys')
    d.prop('ro.vendor.build.fingerprint', FP, path='/vendor/build.prop')
    d.prop('ro.odm.build.fingerprint', 'qti/sdm439/sdm439:10/Q/1:user/release-keys')
    d.prop('ro.hardware.fingerprint', 'fpc')
    d.prop('ro.build.version.preview_sdk_fingerprint', 'REL')
    d.prop('ro.build.tags', 'release-keys')


@case('GH-B09', 'Xiaomi: a copy of the property file that nothing loads', rows=0)
def _(d): d.prop('ro.build.tags', 'test-keys', path='/system/build.prop.bakforspec', loaded=0)


@case('GH-B10', 'keys of a factory, at Android\'s place and elsewhere, debugging off', rows=2, severity='medium')
def _(d):
    f = d.file('/adb_keys', magic='text')
    for n in range(3):
        d.add('adb_keys', file_id=f, fp='aa:b%d' % n, comment='builder@factory')
    d.add('adb_keys', file_id=d.file('/bin/adb_keys', magic='text'), fp='cc:dd', comment='')


@case('GH-B10', 'keys of a factory, debugging on')
def _(d):
    d.add('adb_keys', file_id=d.file('/adb_keys', magic='text'), fp='aa:b0', comment='builder@factory')
    d.prop('persist.sys.usb.config', 'mtp,adb')


@case('GH-B10', 'the computers the owner said yes to', rows=0)
def _(d): d.add('adb_keys', file_id=d.file('/data/misc/adb/adb_keys', magic='text'), fp='aa:bb', comment='me@home')


def fstab(d, flags, mount='/system', mnt='ro,barrier=1', name='/vendor/etc/fstab.qcom', dev='/dev/block/by-name/system', **more):
    f = d.file(name, magic='text', **more)
    d.add('fstab', file_id=f, line=4, mount_point=mount, dev=dev, mnt_flags=mnt, mgr_flags=flags)


@case('GH-B12', 'no check, and writable', rows=2)
def _(d):
    fstab(d, 'wait')
    fstab(d, 'wait,avb', mount='/vendor', mnt='rw,noatime')


@case('GH-B12', 'Samsung of 2014, before it was required', severity='medium', sdk=19)
def _(d): fstab(d, 'wait', name='/fstab.sc8830', mnt='ro,noatime,errors=panic')


@case('GH-B12', 'all ways to ask for the check; recovery, emulator, overlay, other partitions', rows=0)
def _(d):
    fstab(d, 'wait,slotselect,avb', mount='/')
    fstab(d, 'wait,avb=vbmeta_system,logical,first_stage_mount', mount='/product')
    fstab(d, 'wait,verify')
    fstab(d, 'wait,avb_keys=/avb/q-gsi.avbpubkey', mount='/system')
    fstab(d, 'wait', name='/etc/recovery.fstab', image='recovery.img')
    fstab(d, 'wait', name='/fstab.goldfish')
    fstab(d, 'recoveryonly', name='/fstab.sc8830')
    fstab(d, 'wait', dev='overlay')
    fstab(d, 'wait,check', mount='/data', mnt='rw')
    fstab(d, 'wait', name='/fstab.qcom', image='recovery_a.img')


@case('GH-B13', 'factory test boot: SELinux only warns')
def _(d): d.add('boot_args', source='boot', key='androidboot.selinux', value='permissive')


@case('GH-B13', 'usual arguments', rows=0)
def _(d):
    for key, value in (('androidboot.selinux', 'enforcing'), ('enforcing', '1'), ('androidboot.veritymode', 'enforcing'), ('androidboot.hardware', 'qcom'), ('loop.max_part', '0')):
        d.add('boot_args', source='boot', key=key, value=value)


@case('GH-B19', 'BLU: amigo in the system user id')
def _(d):
    platform(d)
    d.apk('amigo', cert=TESTPLATFORM, shared_uid='android.uid.system', is_priv=0)


@case('GH-B19', 'privileged app with the default key, two schemes')
def _(d): d.apk('com.x.updater', cert=TESTKEY, schemes=(1, 2))


@case('GH-B19', 'the name of CtsShim with other bytes', severity='info')
def _(d): d.apk(SHIM[0], cert=TESTKEY)


@case('GH-B19', 'CtsShim, an ordinary app, an app of the owner, a platform that GH-B04 tells', rows=0)
def _(d):
    platform(d, cert=TESTPLATFORM)
    d.apk('com.android.settings', cert=TESTPLATFORM, shared_uid='android.uid.system')
    d.apk('com.android.media', cert=TESTKEY, shared_uid='android.media')


@case('GH-B19', 'CtsShim with its known bytes, an ordinary app, an app of the owner', rows=0)
def _(d):
    platform(d)
    d.apk(SHIM[0], cert=TESTKEY, sha256=SHIM[1])
    d.apk('com.x.wallpaper', cert=TESTKEY, is_priv=0, path='/system/app/w/w.apk', shared_uid='')
    d.apk('io.appium.uiautomator2.server', cert=TESTKEY, is_priv=0, is_system=0, path='/data/app/x/base.apk')


@case('GH-B20', 'BLU: mtp,adb')
def _(d): d.prop('persist.sys.usb.config', 'mtp,adb')


@case('GH-B20', 'mtp, none, charging, diagnosis', rows=0)
def _(d):
    for value in ('mtp', 'none', 'charging', 'diag,serial_smd,rmnet_qti_bam', 'noadbx'):
        d.prop('persist.sys.usb.config', value)


# ---------------------------------------------------------------- packages
def codes(*hosts):
    return dict(kind='receiver', intents=[dict(action='android.provider.Telephony.SECRET_CODE', scheme='android_secret_code', host=h) for h in hosts])


@case('GH-P10', 'two codes in one app')
def _(d): d.apk('com.x.codes', parts=(codes('3646633', '4636', '83781'),))


@case('GH-P10', 'codes of Android and Google, a disabled receiver, another scheme', rows=0)
def _(d):
    d.apk('com.android.phone', shared_uid='android.uid.phone', parts=(codes('4636', '225'),))
    d.apk('com.google.android.gms', cert=GOOGLE, parts=(codes('426', '8255'),))
    d.apk('com.off', parts=(dict(codes('1'), enabled=0),))
    d.apk('com.web', parts=(dict(intents=[dict(action='VIEW', scheme='https', host='a')]),))


@case('GH-P11', 'OnePlus EngineerMode')
def _(d): d.apk('com.android.engineeringmode', shared_uid='android.uid.system', parts=(dict(name='.DiagEnabled'), dict(name='.B'), dict(kind='service', name='.C', exported=0)))


@case('GH-P11', 'factory app with a guard that any app can get')
def _(d): d.apk('com.pri.factorytest', parts=(dict(kind='service', permission='com.pri.X', perm_level='normal|instant'),))


@case('GH-P11', 'guarded, switched off, unknown guard, no system rights, another name', rows=0)
def _(d):
    d.apk('com.mediatek.engineermode', shared_uid='android.uid.system', parts=(dict(permission='com.mtk.EM', perm_level='signature'),))
    d.apk('com.x.factorytest', enabled=0, parts=(dict(),))
    d.apk('com.y.factorytest', parts=(dict(permission='com.y.P'), dict(exported=0), dict(enabled=0)))
    d.apk('com.z.factorytest', is_priv=0, path='/system/app/z/z.apk', parts=(dict(),))
    d.apk('com.android.settings', shared_uid='android.uid.system', parts=(dict(),))


@case('GH-P14', 'AppCloud')
def _(d):
    d.apk('com.aura.oobe', cert=THIRD, signer_role='third', schemes=(1, 2, 3))
    f = d.file('/system/etc/permissions/privapp-permissions-aura.xml', magic='text')
    for p in ('INSTALL_PACKAGES', 'READ_LOGS', 'ACCESS_NETWORK_STATE'):
        d.add('privapp', file_id=f, package='com.aura.oobe', permission='android.permission.' + p, deny=0)


@case('GH-P14', 'maker and Google, a denied permission, a weak permission, an app that is not there', rows=0)
def _(d):
    d.apk('com.oem.store')
    d.apk('com.android.vending', cert=GOOGLE, signer_role='third')
    d.apk('com.third.denied', cert=THIRD, signer_role='third')
    d.apk('com.third.weak', cert=THIRD, signer_role='third')
    f = d.file('/system/etc/permissions/privapp.xml', magic='text')
    for package, p, deny in (('com.oem.store', 'INSTALL_PACKAGES', 0), ('com.android.vending', 'INSTALL_PACKAGES', 0), ('com.third.denied', 'INSTALL_PACKAGES', 1),
                             ('com.third.weak', 'BLUETOOTH_PRIVILEGED', 0), ('com.absent', 'INSTALL_PACKAGES', 0)):
        d.add('privapp', file_id=f, package=package, permission='android.permission.' + p, deny=deny)


def grants(d, package, fixed=1, *names):
    f = d.file('/vendor/etc/default-permissions/%s.xml' % package, magic='text')
    for name in names or ('READ_SMS', 'CAMERA'):
        d.add('default_perms', file_id=f, package=package, permission='android.permission.' + name, fixed=fixed)


@case('GH-P16', 'carrier app reads messages for good')
def _(d):
    d.apk('com.carrier.iq', cert=THIRD, signer_role='third')
    grants(d, 'com.carrier.iq')


@case('GH-P16', 'the maker\'s own app; an app that is not there', rows=2, severity={'low', 'info'})
def _(d):
    d.apk('com.oem.sms')
    grants(d, 'com.oem.sms')
    grants(d, 'com.absent')


@case('GH-P16', 'grants that can be taken back, harmless fixed grants', rows=0)
def _(d):
    d.apk('com.verizon.mips.services', cert=THIRD, signer_role='third')
    grants(d, 'com.verizon.mips.services', 0)
    grants(d, 'com.verizon.mips.services', 1, 'VIBRATE')


@case('GH-P35', 'asked for, with the right to install', severity='medium')
def _(d): d.apk('com.miui.analytics', cleartext=1, uses=('INTERNET',), granted=('INSTALL_PACKAGES',))


@case('GH-P35', 'asked for')
def _(d): d.apk('com.oem.push', cleartext=1, uses=('INTERNET',))


@case('GH-P35', 'old app that may install others, by default')
def _(d): d.apk('com.old', target_sdk=25, uses=('INTERNET', 'INSTALL_PACKAGES'))


@case('GH-P35', 'forbidden, new app, no network, ordinary app, overlay, target not known', rows=0)
def _(d):
    d.apk('com.a', cleartext=0, target_sdk=25, uses=('INTERNET',))
    d.apk('com.b', uses=('INTERNET',))
    d.apk('com.c', cleartext=1)
    d.apk('com.d', cleartext=1, uses=('INTERNET',), is_priv=0)
    d.apk('com.e', cleartext=1, uses=('INTERNET',), is_overlay=1)
    d.apk('com.f', target_sdk=None, uses=('INTERNET', 'INSTALL_PACKAGES'))
    d.apk('com.g', target_sdk=25, uses=('INTERNET',))
    d.apk('com.android.managedprovisioning', target_sdk=25, signer_role='platform', uses=('INTERNET', 'INSTALL_PACKAGES'))


@case('GH-P36', 'BLU: com.gionee.saletimesender', severity='low')
def _(d): d.apk('com.gionee.saletimesender', debuggable=1, is_priv=0, path='/system/app/s/s.apk')


@case('GH-P36', 'privileged')
def _(d): d.apk('com.x', debuggable=1)


@case('GH-P36', 'finished apps, an app of the owner', rows=0)
def _(d):
    d.apk('com.a')
    d.apk('com.b', debuggable=None)
    d.apk('io.appium.settings', debuggable=1, is_system=0, is_priv=0, path='/data/app/x/base.apk')


@case('GH-P37', 'BLU: amigo')
def _(d):
    platform(d)
    d.apk('amigo', cert=TESTPLATFORM, shared_uid='android.uid.system', schemes=(1, 2))


@case('GH-P37', 'framework not at hand: one against the majority')
def _(d):
    for n in range(3):
        d.apk('com.sys%d' % n, shared_uid='android.uid.system')
    d.apk('com.odd', cert=THIRD, shared_uid='android.uid.phone')


@case('GH-P37', 'own user ids, several signers, signer not read, platform not known', rows=0)
def _(d):
    platform(d)
    d.apk('com.android.bluetooth', cert=THIRD, shared_uid='android.uid.bluetooth')
    d.apk('com.android.media', cert=THIRD, shared_uid='android.media')
    two = d.apk('com.rotated', cert=THIRD, shared_uid='android.uid.system')
    d.add('apk_signers', apk_id=two, scheme=3, cert_sha256=OEM)
    d.apk('com.unread', shared_uid='android.uid.system', schemes=())
    d.apk('com.sideloaded', cert=THIRD, shared_uid='android.uid.system', is_system=0)


@case('GH-P37', 'two packages, two signers, no framework', rows=0)
def _(d):
    d.apk('com.a', shared_uid='android.uid.system')
    d.apk('com.b', cert=THIRD, shared_uid='android.uid.system')


@case('GH-B28', 'BLU: a platform key known from Gionee')
def _(d):
    platform(d, cert='c2d992c8a4cda2eed55f69357d6759937878e9a0f0b629524e88aa81ed65f802')
    d.prop('ro.product.brand', 'BLU')


@case('GH-B28', 'framework not at hand, a fingerprint of another maker')
def _(d):
    for n in range(2):
        d.apk('com.sys%d' % n, cert='c9009d01ebf9f5d0302bc71b2fe9aa9a47a432bba17308a3111b75d7b2149025', shared_uid='android.uid.system')
    d.prop('ro.build.fingerprint', 'google/walleye/walleye:8.0.0/OPD1/4:user/release-keys')


@case('GH-B28', 'a home-built system that borrows a name', severity='info')
def _(d):
    platform(d, cert='c9009d01ebf9f5d0302bc71b2fe9aa9a47a432bba17308a3111b75d7b2149025')
    d.prop('ro.product.brand', 'google')
    d.prop('ro.lineage.version', '20')


@case('GH-B28', 'a sister brand, a chip maker\'s name beside it, a key that no list knows, a signature that does not hold', rows=0)
def _(d):
    platform(d, cert='c9009d01ebf9f5d0302bc71b2fe9aa9a47a432bba17308a3111b75d7b2149025')
    d.prop('ro.product.brand', 'Redmi')
    d.prop('ro.product.manufacturer', 'alps')
    d.prop('ro.product.other', 'google', loaded=0)


@case('GH-B28', 'a key that no list knows', rows=0)
def _(d):
    platform(d)
    d.prop('ro.product.brand', 'Samsung')


@case('GH-B28', 'a claim', rows=0)
def _(d):
    d.apk('android', cert='c9009d01ebf9f5d0302bc71b2fe9aa9a47a432bba17308a3111b75d7b2149025', signer_state='failed')
    d.prop('ro.product.brand', 'google')


@case('GH-B29', 'T95: a released Pixel 2 with the AOSP key')
def _(d):
    platform(d, cert=TESTPLATFORM)
    d.prop('ro.build.fingerprint', 'google/walleye/walleye:8.0.0/OPD1/4:user/release-keys')


@case('GH-B29', 'the key of verified boot')
def _(d):
    d.prop('ro.build.tags', 'release-keys')
    d.add('avb', kind='vbmeta', partition='vbmeta', state='verified', key_sha1=AVB4096, at=0)


@case('GH-B29', 'test keys that say so, a stray package, a list that only names the key', rows=0)
def _(d):
    platform(d)
    d.prop('ro.build.tags', 'release-keys')
    d.apk('amigo', cert=TESTPLATFORM, shared_uid='android.uid.system')
    d.add('avb', kind='vbmeta', partition='vbmeta', state='failed', key_sha1=AVB4096, at=0)


@case('GH-B29', 'test keys that say so', rows=0)
def _(d):
    platform(d, cert=TESTPLATFORM)
    d.prop('ro.build.tags', 'test-keys')


@case('GH-B32', 'a bug report of another system')
def _(d):
    d.add('device', key='vbmeta_digest', value='ab' * 32)
    d.add('live_properties', file_id=d.file('/getprop.txt'), key='ro.boot.vbmeta.digest', value='cd' * 32, line=1)


@case('GH-B32', 'the same digest in upper case', rows=0)
def _(d):
    d.add('device', key='vbmeta_digest', value='ab' * 32)
    d.add('live_properties', file_id=d.file('/getprop.txt'), key='ro.boot.vbmeta.digest', value='AB' * 32, line=1)


# ---------------------------------------------------------------- names of others, and what a reference does not have
@case('GH-P09', 'a privileged package with a name of Google\'s')
def _(d): d.apk('com.google.android.updater', cert=THIRD, subject='CN=Someone')


@case('GH-P09', 'the store itself, signed by the platform', severity='low')
def _(d): d.apk('com.android.vending', cert=OEM, is_priv=0, subject='O=Maker')


@case('GH-P09', 'a certificate that says Google and is not known', severity='info')
def _(d): d.apk('com.google.android.new', cert=THIRD, subject='CN=Android,OU=Android,O=Google Inc.')


@case('GH-P09', 'Google\'s own key, an overlay, a stub without code, a claim, an app of the owner', rows=0)
def _(d):
    d.apk('com.google.android.gms', cert=GOOGLE)
    d.apk('com.google.android.overlay.gmsconfig', cert=OEM, is_overlay=1)
    d.apk('com.google.android.wifi.resources', cert=OEM, has_code=0)
    d.apk('com.google.android.claimed', cert=THIRD, signer_state='failed')
    d.apk('com.google.android.own', cert=THIRD, is_system=0)
    d.apk('com.googlefan.app', cert=THIRD)


def needs_network(d, f, *names):
    for name in names:
        d.add('elf_symbols', file_id=f, name=name, defined=0)


@case('GH-N04', 'Ragentek: a root service of its own that listens')
def _(d):
    d.add('reference', ref=1, kind='service', name='netd', value='/system/bin/netd')
    f = d.file('/system/bin/debugs', bl=0)
    needs_network(d, f, 'listen', 'accept', 'inet_addr')
    d.service('debugs', '/system/bin/debugs', exec_file_id=f)


@case('GH-N04', 'known by its name or its bytes, of another user, local sockets only, no reference', rows=0)
def _(d):
    d.add('reference', ref=1, kind='service', name='netd', value='/system/bin/netd')
    for n, (name, bl, user, imports) in enumerate((('netd', 2, 'root', ('listen', 'inet_ntop')), ('other', 1, 'root', ('listen', 'inet_ntop')), ('third', 0, 'radio', ('listen', 'inet_ntop')),
                                                   ('fourth', 0, 'root', ('listen', 'accept')), ('fifth', None, 'root', ('listen', 'inet_ntop')))):
        f = d.file('/system/bin/x%d' % n, bl=bl)
        needs_network(d, f, *imports)
        d.service(name, '/system/bin/x%d' % n, exec_file_id=f, user=user)


def same_build(d, fingerprint='a/b/c:14/X/1:user/release-keys', ref=1):
    d.db.execute('UPDATE scan SET fingerprint=?', ('a/b/c:14/X/1:user/release-keys',))
    d.add('reference', ref=ref, kind='about', name='fingerprint', value=fingerprint)
    d.add('reference', ref=ref, kind='about', name='sdk', value='34')


@case('GH-N09', 'Vo1d: another debuggerd in the same build')
def _(d):
    same_build(d)
    d.add('reference', ref=1, kind='file', name='/system/bin/debuggerd', value='ab' * 32)
    d.file('/system/bin/debuggerd', bl=2)


@case('GH-N09', 'the same bytes, another program, a reference of another build', rows=0)
def _(d):
    same_build(d, 'a/b/c:14/X/2:user/release-keys')
    d.add('reference', ref=1, kind='file', name='/system/bin/debuggerd', value='ab' * 32)
    d.add('reference', ref=1, kind='file', name='/system/bin/ls', value='ab' * 32)
    d.file('/system/bin/debuggerd', bl=2)
    d.file('/system/bin/bootanimation', bl=1)
    d.file('/system/bin/ls', bl=2)


A11Y = dict(kind='service', permission='android.permission.BIND_ACCESSIBILITY_SERVICE')


@case('GH-P17', 'RottenSys: an accessibility service that goes online')
def _(d): d.apk('com.android.services.securewifi', granted=('INTERNET',), parts=(A11Y,), is_bl=0)


@case('GH-P17', 'a keyboard by another signer')
def _(d): d.apk('com.ime', granted=('INTERNET',), parts=(dict(A11Y, permission='android.permission.BIND_INPUT_METHOD'),), is_bl=2)


@case('GH-P17', 'what the reference has, without the Internet, another service, no reference, an app of the owner', rows=0)
def _(d):
    d.apk('com.android.talkback', granted=('INTERNET',), parts=(A11Y,), is_bl=1)
    d.apk('com.offline', parts=(A11Y,), is_bl=0)
    d.apk('com.print', granted=('INTERNET',), parts=(dict(A11Y, permission='android.permission.BIND_PRINT_SERVICE'),), is_bl=0)
    d.apk('com.unknown', granted=('INTERNET',), parts=(A11Y,))
    d.apk('com.own', granted=('INTERNET',), parts=(A11Y,), is_bl=0, is_system=0)


def runtime(d, needed, bl=2, zygote=1, resolved=None, name='libandroid_runtime.so'):
    f = d.file('/system/lib64/' + name, bl=bl)
    d.add('elf', file_id=f, soname=name, zygote_loaded=zygote)
    d.add('elf_needed', file_id=f, soname=needed, resolved_file_id=resolved)
    for kind, value in (('library', ''), ('needed', 'libc.so')):
        d.add('reference', ref=1, kind=kind, name='libandroid_runtime.so', value=value)


@case('GH-Z02', 'Triada: the runtime asks for binder.so')
def _(d):
    same_build(d)
    runtime(d, 'binder.so')


@case('GH-Z02', 'for a library that the reference has', severity='low')
def _(d):
    same_build(d)
    runtime(d, 'libmtklog.so', resolved=d.file('/system/lib64/libmtklog.so', bl=1))


@case('GH-Z02', 'as in the reference, a library of its own, not in every app', rows=0)
def _(d):
    same_build(d)
    runtime(d, 'libc.so')
    runtime(d, 'binder.so', name='libvendorthing.so', bl=0)
    runtime(d, 'binder.so', zygote=0)


@case('GH-Z02', 'a reference of another release', rows=0, sdk=33)
def _(d):
    same_build(d)
    runtime(d, 'binder.so')


@case('GH-Z07', 'Vo1d: debuggerd beside debuggerd_real')
def _(d):
    d.file('/system/bin/debuggerd', bl=2)
    d.file('/system/bin/debuggerd_real', bl=0)


@case('GH-Z07', 'an unchanged program beside a leftover, word sizes, no reference, no program', rows=0)
def _(d):
    d.file('/system/bin/a', bl=1)
    d.file('/system/bin/a.orig', bl=0)
    d.file('/system/bin/linker', bl=0)
    d.file('/system/bin/linker64', bl=0)
    d.file('/system/bin/b')
    d.file('/system/bin/b_real')
    d.file('/system/etc/c', bl=0, magic='text')
    d.file('/system/etc/c.bak', bl=0, magic='text')


@case('GH-Z09', 'BADBOX 2.0: libanl.so')
def _(d): needs_network(d, d.file('/system/lib/libanl.so', bl=0, size=90000), 'dlopen', 'connect')


@case('GH-Z09', 'a small stand-in, one that the reference has, one without imports, no reference', rows=0)
def _(d):
    needs_network(d, d.file('/vendor/lib/libpthread.so', bl=0, size=4000), 'dlopen')
    needs_network(d, d.file('/vendor/lib/librt.so', bl=1, size=90000), 'dlopen')
    d.file('/vendor/lib/libutil.so', bl=0, size=90000)
    needs_network(d, d.file('/vendor/lib/libnsl.so', size=90000), 'dlopen')


# ---------------------------------------------------------------- trust and network
def ca(d, digest, store='system', subject='CN=Vendor Internal CA', folder='cacerts'):
    d.add('ca_certs', file_id=d.file('/system/etc/security/%s/%s.0' % (folder, digest[:8]), magic='text'), store=store, subject=subject, sha256=digest, is_ca=1, not_after='2040-01-01')


@case('GH-C01', 'an authority of the maker')
def _(d): ca(d, 'ab' * 32)


@case('GH-C01', 'an authority for hotspots', severity='medium')
def _(d): ca(d, 'ab' * 32, store='wfa')


@case('GH-C01', 'an authority for location servers', severity='low')
def _(d): ca(d, 'ab' * 32, folder='cacerts_supl')


@case('GH-C01', 'authorities Android has, had and draws from; one the owner added', rows=0)
def _(d):
    ca(d, '96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6'.upper(), subject=ROOT)
    for (digest,) in d.db.execute("SELECT sha256 FROM ca_roots WHERE removed<>'' LIMIT 3").fetchall():
        ca(d, digest)
    for (digest,) in d.db.execute("SELECT sha256 FROM ca_roots WHERE store='mozilla' LIMIT 1").fetchall():
        ca(d, digest)
    ca(d, 'cd' * 32, store='user')


@case('GH-C03', 'a name that leads elsewhere')
def _(d): d.add('hosts_entries', file_id=d.file('/system/etc/hosts', magic='text'), line=3, ip='203.0.113.9', host='update.example')


@case('GH-C03', 'the stock file and a block list', rows=0)
def _(d):
    f = d.file('/system/etc/hosts', magic='text')
    for n, (ip, host) in enumerate((('127.0.0.1', 'localhost'), ('::1', 'ip6-localhost'), ('ff02::1', 'ip6-allnodes'), ('0.0.0.0', 'ads.example'), ('127.0.0.1', 'track.example'),
                                    ('255.255.255.255', 'broadcasthost'))):
        d.add('hosts_entries', file_id=f, line=n + 1, ip=ip, host=host)


@case('GH-C04', 'preset in a file and in an action', rows=2)
def _(d):
    d.prop('net.dns1', '203.0.113.1')
    d.action('setprop', 'net.dns2 203.0.113.2')


@case('GH-C04', 'empty, public resolvers, the emulator', rows=0)
def _(d):
    d.prop('net.dns1', '')
    d.prop('net.dns2', '8.8.8.8')
    d.prop('net.dnssearch.x', '')
    d.action('setprop', 'net.dns1 10.0.2.3', rc='/init.goldfish.rc')
    d.action('setprop', 'net.dns1 ""')


@case('GH-C05', 'name queries led elsewhere, a copy of everything', rows=2)
def _(d):
    d.script('/system/bin/iptables', '-t nat -A OUTPUT -p udp --dport 53 -j DNAT --to 203.0.113.1', path='/vendor/bin/init.net.sh')
    d.action('exec', '- root -- /system/bin/ip6tables -t mangle -A POSTROUTING -j TEE --gateway fd00::9')


@case('GH-C05', 'sharing, dropping, taking a rule away, a word in a comment', rows=0)
def _(d):
    d.script('iptables', '-t nat -A POSTROUTING -o rmnet0 -j MASQUERADE', path='/vendor/bin/init.net.sh')
    d.script('/system/bin/iptables', '-A INPUT -i lo -j ACCEPT')
    d.script('iptables', '-t nat -D OUTPUT -p udp -j DNAT --to 203.0.113.1', path='/vendor/bin/x.sh')
    d.script('echo', 'REDIRECT -j DNAT done', path='/vendor/bin/y.sh')


@case('GH-C06', 'preset proxy')
def _(d): d.prop('net.gprs.http-proxy', '203.0.113.2:8080')


@case('GH-C06', 'empty values', rows=0)
def _(d):
    d.prop('net.gprs.http-proxy', '')
    d.prop('http_proxy', ':0')


@case('GH-C09', 'FortiOS: a link in a language folder')
def _(d): d.file('/migadmin/lang/custom/x', ftype='link', magic=None, link_target='/')


@case('GH-C09', 'links of Android, links inside a served folder', rows=0)
def _(d):
    d.file('/d', ftype='link', magic=None, link_target='/sys/kernel/debug')
    d.file('/etc', ftype='link', magic=None, link_target='/system/etc')
    d.file('/system/alt', ftype='link', magic=None, link_target='/')
    d.file('/var/www/index.html', ftype='link', magic=None, link_target='home.html')
    d.file('/vendor/www/readme', link_target=None)


@case('GH-C10', 'root password and a key', rows=2)
def _(d):
    d.add('passwd', file_id=d.file('/etc/passwd', magic='text'), user='root', uid=0, hash='absxcfbgXtb3o', shell='/bin/sh')
    d.add('ssh_keys', file_id=d.file('/root/.ssh/authorized_keys', magic='text'), user='root', fp='SHA256:abc', comment='dev@factory')


@case('GH-C10', 'root digest in a shadow file')
def _(d): d.add('passwd', file_id=d.file('/etc/shadow', magic='text'), user='root', uid=None, hash='$6$ab$cdefghijklmnop')


@case('GH-C10', 'a key the owner put there', severity='medium')
def _(d): d.add('ssh_keys', file_id=d.file('/data/ssh/authorized_keys', magic='text'), user='shell', fp='SHA256:abc')


@case('GH-C10', 'service users of a maker, locked entries, an ordinary user', rows=0)
def _(d):
    f = d.file('/vendor/etc/passwd', magic='text')
    for user, uid, digest in (('vendor_qti_diag', 2901, ''), ('root', 0, 'x'), ('root', 0, '*'), ('root', 0, '!$6$ab$cdefghijklmnop'), ('root', 0, ''), ('guest', 1000, 'absxcfbgXtb3o')):
        d.add('passwd', file_id=f, user=user, uid=uid, hash=digest)


# ---------------------------------------------------------------- recordings of a watch
@case('GH-W01', 'certain: seen by a reference, or by a step down and up')
def _(d): d.span('half')


@case('GH-W01', 'only probable, only suspected, and a heart that is double', rows=0)
def _(d):
    d.span('half', 'probable')
    d.span('half', 'suspected')
    d.span('double')


@case('GH-W02', 'right to 135, then 68')
def _(d): d.span('half', 'probable')


@case('GH-W02', 'certain and suspected ones are told elsewhere', rows=0)
def _(d):
    d.span('half')
    d.span('half', 'suspected')


@case('GH-W03', 'a run at 75')
def _(d): d.span('half', 'suspected')


@case('GH-W03', 'more than suspected', rows=0)
def _(d): d.span('half', 'probable')


@case('GH-W04', 'double')
def _(d): d.span('double')


@case('GH-W04', 'half, and merely too high', rows=0)
def _(d):
    d.span('half')
    d.span('high')


@case('GH-W05', 'through a walk break', severity='high')
def _(d): d.span('cadence')


@case('GH-W05', 'close to the steps for minutes', severity='medium')
def _(d): d.span('cadence', 'probable')


@case('GH-W05', 'frozen is not cadence', rows=0)
def _(d): d.span('frozen')


@case('GH-W06', 'one value for minutes')
def _(d): d.span('frozen', 'probable')


@case('GH-W06', 'a pause is no value', rows=0)
def _(d): d.span('pause')


@case('GH-W07', 'half a minute', severity='low')
def _(d): d.span('dropout', seconds=30)


@case('GH-W07', 'minutes', severity='medium')
def _(d): d.span('dropout', seconds=300)


@case('GH-W07', 'paused, and a gap of the whole device', rows=0)
def _(d):
    d.span('pause')
    d.span('gap')


@case('GH-W08', 'a header of size 0', severity='high')
def _(d): d.recording('unterminated')


@case('GH-W08', 'it announced itself again', severity='medium')
def _(d): d.span('reboot', 'probable')


@case('GH-W08', 'nobody had stopped it', severity='low')
def _(d): d.span('reboot', 'suspected')


@case('GH-W08', 'a pause, and a file cut off in a copy', rows=0)
def _(d):
    d.span('pause')
    d.recording('short')


@case('GH-W09', '791 days')
def _(d): d.span('clock', words='the clock jumps forward by 68342403 s')


@case('GH-W09', 'rounding at a lap; times in a damaged file', rows=0)
def _(d): d.span('clock', words='the clock goes back by 1 s')


@case('GH-W09', 'times in a damaged file', rows=0)
def _(d): d.span('clock', words='the clock jumps forward by 68342403 s', state='textmode')


@case('GH-W10', 'a copy as text', severity='info')
def _(d): d.recording('textmode', missing=19)


@case('GH-W10', 'cut off', severity='low')
def _(d): d.recording('short', missing=3)


@case('GH-W10', 'not ended by its recorder', rows=0)
def _(d): d.recording('unterminated')


@case('GH-W11', '12 %')
def _(d):
    f = d.recording()
    d.add('watch_accuracy', file_id=f, recording=1, reference=2, scope='all', seconds=600, bias=-9.0, low=-30.0, high=12.0, mape=12.0)


@case('GH-W11', '9 %, and what is left without the stretches', rows=0)
def _(d):
    f = d.recording()
    d.add('watch_accuracy', file_id=f, recording=1, reference=2, scope='all', seconds=600, bias=-4.0, low=-20.0, high=12.0, mape=9.0)
    d.add('watch_accuracy', file_id=f, recording=1, reference=3, scope='outside', seconds=600, bias=-4.0, low=-20.0, high=12.0, mape=19.0)


@case('GH-W12', 'too low, not half')
def _(d): d.span('low')


@case('GH-W12', 'half', rows=0)
def _(d): d.span('half')



def check(d, package, state, why=None, low=1, high=None, scheme='android', **apk):
    a = d.apk(package, **apk)
    a = d.db.execute('SELECT file_id FROM apks WHERE apk_id=?', (a,)).fetchone()[0]
    d.add('apk_checks', file_id=a, scheme=scheme, min_sdk=low, max_sdk=high, state=state, why=why, at=9)


@case('GH-B21', 'a package whose digest is another')
def _(d): check(d, 'com.example.a', 'failed', 'the archive is not what was signed: its digest is another')


@case('GH-B21', 'schemes that name different signers')
def _(d): check(d, 'com.example.a', 'failed', 'v1 and v2 are signed with different certificates', low=None, scheme='signers')


@case('GH-B21', 'stripped by the maker, verified, a scheme for other releases', rows=0)
def _(d):
    check(d, 'com.example.s', 'stripped', 'classes.dex, which the manifest lists, was taken out; the rest is as signed')
    check(d, 'com.example.v', 'verified', low=24)
    check(d, 'com.example.o', 'failed', 'no signature that these releases look at', low=1, high=23)
    check(d, 'com.example.u', 'unsupported', 'a certificate larger than is read')
    check(d, 'com.example.n', 'failed', 'a lineage', scheme='v3.1')


def boot(d, kind='vbmeta', partition='vbmeta', state='verified', **row):
    row = {'by_partition': None, 'key_sha1': 'aa' * 20, 'rollback': 5, 'flags': 0, 'why': None if state == 'verified' else 'as it is', 'at': 0, **row}
    d.add('avb', kind=kind, partition=partition, state=state, **row)


@case('GH-B22', 'a changed list')
def _(d): boot(d, state='failed', why='the structure is not what was signed: its hash is another')


@case('GH-B22', 'a list without signature', severity='medium')
def _(d): boot(d, state='unsigned', key_sha1=None)


@case('GH-B22', 'signed lists, an algorithm that is not verified, a list that is not there', rows=0)
def _(d):
    boot(d)
    boot(d, partition='vbmeta_system', by_partition='vbmeta')
    boot(d, partition='vbmeta_vendor', by_partition='vbmeta', state='missing')
    boot(d, partition='odm', by_partition='vbmeta', state='unsupported')


@case('GH-B23', 'a system that is another')
def _(d): boot(d, 'hashtree', 'system', 'differs', by_partition='vbmeta_system', why='signed is aa, the bytes come to bb')


@case('GH-B23', 'with the check switched off', severity='high')
def _(d):
    boot(d, flags=3)
    boot(d, 'hash', 'boot', 'differs', by_partition='vbmeta')


@case('GH-B23', 'a footer that contradicts the list', severity='high')
def _(d): boot(d, 'hash', 'boot', 'other footer', by_partition='vbmeta')


@case('GH-B23', 'partitions as signed, not checked, not there; an old table that is consistent', rows=0)
def _(d):
    boot(d, 'hashtree', 'vendor', by_partition='vbmeta')
    boot(d, 'hash', 'dtbo', 'not checked', by_partition='vbmeta')
    boot(d, 'hash', 'modem', 'missing', by_partition='vbmeta')
    boot(d, 'table', 'oem', 'consistent')


@case('GH-B24', 'a chained list by somebody else')
def _(d): boot(d, partition='vbmeta_system', by_partition='vbmeta', state='other key', want_sha1='bb' * 20, why='vbmeta expects key bb')


@case('GH-B24', 'a table behind the file system, signed by another key than the one in the ramdisk')
def _(d): boot(d, 'table', 'system', 'other key', by_partition='the partition itself', key_sha1=None, why='the table over the root is not signed by verity_key')


@case('GH-B24', 'chains to the keys that are expected, and to what is not there', rows=0)
def _(d):
    boot(d, partition='recovery', by_partition='vbmeta', want_sha1='aa' * 20)
    boot(d, partition='boot', by_partition='vbmeta', state='missing', want_sha1='bb' * 20)


@case('GH-B25', 'all counters at zero')
def _(d):
    boot(d, rollback=0)
    boot(d, partition='vbmeta_system', by_partition='vbmeta', rollback=0)


@case('GH-B25', 'one counter above zero; a counter beyond 63 bits', rows=0)
def _(d):
    boot(d, rollback=0)
    boot(d, partition='vbmeta_system', by_partition='vbmeta', rollback=1777939200)
    boot(d, partition='vbmeta_vendor', by_partition='vbmeta', rollback=None)



def module(d, name='com.example.m', **row):
    d.add('apex', file_id=d.file(f'/system/apex/{name}.apex', magic='zip'), name=name, avb_key_sha1='aa' * 20, cert_sha256='ab' * 32,
          **{'container': 'verified', 'vbmeta': 'verified', 'payload': 'same', 'key': 'same', 'original': None, **row})


@case('GH-B26', 'a payload that was changed')
def _(d): module(d, payload='differs')


@case('GH-B26', 'another key beside the payload; an original that is not named', rows=2)
def _(d):
    module(d, key='other')
    module(d, 'com.example.c', original='other')


@case('GH-B26', 'modules as signed, without container signature, without tree, compressed', rows=0)
def _(d):
    module(d)
    module(d, 'com.example.u', container='unsigned')
    module(d, 'com.example.n', payload=None, key=None)
    module(d, 'com.example.c', original='same')
    module(d, 'com.example.s', container='stripped')



@case('GH-B27', 'a package that was changed')
def _(d): d.add('ota', file_id=d.file('/update.zip', magic='zip'), state='failed', why='the package is not what was signed', cert_sha256='ab' * 32, at=99)


@case('GH-B27', 'packages as signed, by a digest that is not verified', rows=0)
def _(d):
    d.add('ota', file_id=d.file('/a.zip', magic='zip'), state='verified', cert_sha256='ab' * 32, at=99, accepted=0)
    d.add('ota', file_id=d.file('/b.zip', magic='zip'), state='unsupported', why='a digest that a recovery does not take', at=99)


def update(d, artifact, cert=True, **sig):
    f = d.file('/payload.bin', artifact_id=artifact, path='payload.bin')
    if cert:
        d.file('/META-INF/com/android/otacert', artifact_id=artifact, path='META-INF/com/android/otacert')
    d.add('payload_sigs', file_id=f, at=99, **{'what': 'payload', 'state': 'verified', 'whose': 'package', 'keys': 1, 'sha256': 'ab' * 32, **sig})


@case('GH-B30', 'a payload that was changed after it was signed')
def _(d): update(d, 7, state='no key fits', whose=None)


@case('GH-B30', 'a payload that is not the one of the list beside it', rows=2)
def _(d):
    update(d, 7)
    d.add('payload_checks', artifact_id=7, place='payload.bin', what='FILE_HASH', expected='a', computed='b', state='differs')
    d.add('payload_checks', artifact_id=7, place='payload.bin', what='METADATA_SIZE', expected='1', computed='2', state='differs')


@case('GH-B30', 'an update for another phone; one without a certificate; one whose digests were not computed', rows=0)
def _(d):
    update(d, 7)
    update(d, 8, cert=False, state='no key fits', whose=None)
    update(d, 9, state='no key', whose=None, keys=0)
    d.add('payload_checks', artifact_id=9, place='payload.bin', what='FILE_HASH', expected='a', computed=None, state='not computed')
    d.add('payload_checks', artifact_id=9, place='system', what='SHA-256', expected='a', computed='b', state='differs')


def firmware(d, name, **row):
    d.add('firmware_signs', file_id=d.file(f'/firmware/{name}'), at=99, **{'maker': 'qualcomm', 'signer': 'oem', 'state': 'verified', 'cert_sha256': 'ab' * 32, **row})


@case('GH-B31', 'a segment that was changed; parts of an image', rows=3)
def _(d):
    firmware(d, 'tz.mbn', state='failed', why='segment 3 is not what its hash was made over', why_at=4096)
    firmware(d, 'lk.img', maker='mediatek', signer='image', part='lk', state='failed', why='the content is not what was signed', why_at=512)
    firmware(d, 'preloader.bin', maker='mediatek', signer='preloader', state='failed', why='the code is not what was signed', cert_sha256=None)


@case('GH-B31', 'images as signed, unsigned, of a form that is not known, with segments in other files', rows=0)
def _(d):
    firmware(d, 'tz.mbn')
    firmware(d, 'mcfg_sw.mbn', signer=None, state='unsigned', cert_sha256=None)
    firmware(d, 'lk.img', maker='mediatek', signer='image', part='lk', state='unsupported', why='certificates of a form that is not known')
    firmware(d, 'modem.mdt', state='incomplete', why='18 of 19 segments are not in this file')
# ---------------------------------------------------------------- captures of traffic
def odd(d, kind, value, score=100, f=None, **flow):
    f = f or d.capture()
    d.add('traffic_oddities', file_id=f, flow=d.flow(f, **flow), at=100, kind=kind, packet=7, score=score, value=value)


@case('GH-T01', 'two answers, two distances')
def _(d): odd(d, 'dns_forged', 'two answers within 3 ms')


@case('GH-T01', 'two answers from one distance; a single odd answer', rows=0)
def _(d):
    odd(d, 'dns_odd', 'x', score=40)
    odd(d, 'dns_forged', 'x', score=60)


@case('GH-T02', 'Wallbleed')
def _(d): odd(d, 'dns_over_read', b'DDDDXXXX')


@case('GH-T02', 'no surplus byte', rows=0)
def _(d): odd(d, 'dns_forged_never', b'x')


@case('GH-T03', 'the other side went on')
def _(d): odd(d, 'rst_injected', 'the side it claims to come from went on', score=160)


@case('GH-T03', 'resets like all others', rows=0)
def _(d):
    odd(d, 'rst_odd', 'x', score=80)
    odd(d, 'rst_injected', 'x', score=90)


@case('GH-T04', 'one name unanswered, another answered')
def _(d):
    f = d.capture()
    d.flow(f, 'blocked.example', protocol='quic', packets_in=0, packets_out=4, last_us=2000000)
    d.flow(f, 'other.example', protocol='quic', last_us=2000000)


@case('GH-T04', 'QUIC is dropped for all; one packet only', rows=0)
def _(d):
    d.flow(d.capture(), 'a.example', protocol='quic', packets_in=0, packets_out=4, last_us=2000000)
    f = d.capture()
    d.flow(f, 'b.example', protocol='quic', packets_in=0, packets_out=1, last_us=0)
    d.flow(f, 'c.example', protocol='quic')


def leak(d, value, kind='imei', **more):
    f = d.capture()
    d.add('leaks', **{**dict(file_id=f, flow=d.flow(f, protocol='http'), at=10, packet=3, kind=kind, form='plain', spot='http head', outward=1, inside_tls=0, known=0, value=value), **more})


@case('GH-T05', 'IMEI in a request')
def _(d): leak(d, '490154203237518')


@case('GH-T05', 'inside TLS, in an answer', rows=0)
def _(d):
    leak(d, '490154203237518', inside_tls=1)
    leak(d, '490154203237518', outward=0)


@case('GH-T06', 'HTTP')
def _(d): d.flow(d.capture(), protocol='http', state='bad', why='in the clear: http')


@case('GH-T06', 'FTP', severity='high')
def _(d): d.flow(d.capture(), protocol='ftp', state='bad', why='in the clear: ftp')


@case('GH-T06', 'a captive portal check, DNS', rows=0)
def _(d):
    f = d.capture()
    d.flow(f, 'connectivitycheck.gstatic.com', protocol='http', state='bad', why='in the clear: http')
    d.flow(f, 'dns.example', protocol='dns', state=None)


@case('GH-T07', 'expired, for another name, signed by itself', rows=3)
def _(d):
    f = d.capture()
    for chain in ('expired', 'name_mismatch', 'self_signed'):
        d.session(f, chain.replace('_', '-') + '.example', dict(state='bad', why='certificate: ' + chain), chain=chain)


@case('GH-T07', 'a router, a private authority, a handshake that broke off', rows=0)
def _(d):
    f = d.capture()
    d.session(f, 'router.lan', dict(state='not_visible', local=1), chain='self_signed')
    d.session(f, 'api.example', dict(state='not_visible', why='private CA'), chain='unknown_ca')
    d.session(f, 'old.example', dict(state='bad', why='certificate: expired'), chain='expired', app_data=0)


@case('GH-T08', 'one authority for three domains')
def _(d):
    f = d.capture()
    for n in ('one.example', 'two.invalid', 'three.test'):
        d.session(f, 'www.' + n, chain='unknown_ca', issuer='CN=Somebody')


@case('GH-T08', 'a well-known name; nothing followed', severity='medium')
def _(d): d.session(d.capture(), 'www.google.com', chain='unknown_ca', issuer='CN=Somebody', app_data=0)


@case('GH-T08', 'a maker with its own authority', rows=0)
def _(d):
    f = d.capture()
    d.session(f, 'a.vendor.example', chain='unknown_ca', issuer='CN=Vendor Device CA')
    d.session(f, 'b.vendor.example', chain='unknown_ca', issuer='CN=Vendor Device CA')
    d.session(f, 'c.other.example', chain='unknown_ca', issuer='CN=Other CA')


@case('GH-T09', 'TLS 1.0, and RC4 in TLS 1.2', rows=2)
def _(d):
    f = d.capture()
    d.session(f, 'old.example', version=769, cipher=53)
    d.session(f, 'rc4.example', version=771, cipher=5)


@case('GH-T09', 'TLS 1.2 with CBC, TLS 1.3, no answer', rows=0)
def _(d):
    f = d.capture()
    d.session(f, 'a.example', cipher=49171)
    d.session(f, 'b.example', version=772, cipher=4865)
    d.session(f, 'c.example', version=None, cipher=None)


def beacon(d, party, score=0.97, **more):
    d.add('beacons', **{**dict(file_id=d.capture(), src='192.0.2.10', party=party, dport=443, n=30, score=score, period=60.0, jitter=0.01, bytes=9000, short=1, packet=3, at=24), **more})


@case('GH-T10', 'every minute', severity='info')
def _(d): beacon(d, 'home.example')


@case('GH-T10', 'every minute, to an address without a name', severity='low')
def _(d): beacon(d, '198.51.100.77')


@case('GH-T10', 'push messages, irregular calls', rows=0)
def _(d):
    beacon(d, 'mtalk.google.com')
    beacon(d, 'web.example', score=0.5)


def ask(d, f, names, qtype=1, server='192.0.2.1', site=None):
    for n, name in enumerate(names):
        d.add('dns_messages', file_id=f, flow=1, at=24 + n, packet=n + 1, us=n, response=0, client='192.0.2.10', server=server, qname=name, qtype=qtype,
              site=site or '.'.join(name.split('.')[-2:]))


@case('GH-T11', 'long names of one domain')
def _(d): ask(d, d.capture(), [f'{n:032x}abcdef.tunnel.example' for n in range(60)], site='tunnel.example')


@case('GH-T11', 'names that are hexadecimal throughout')
def _(d): ask(d, d.capture(), [f'{n * 7919:032x}.' + '0a' * 30 + '.' + f'{n:020x}' for n in range(25)])


@case('GH-T11', 'reverse lookups, a content network', rows=0)
def _(d):
    f = d.capture()
    ask(d, f, [f'{n}.2.0.192.in-addr.arpa' for n in range(185)], qtype=12, site='in-addr.arpa')
    ask(d, f, [f'edge-{n}.cdn.example' for n in range(90)], site='cdn.example')


@case('GH-T12', 'another resolver, and encrypted DNS', rows=2)
def _(d):
    f = d.capture()
    d.add('resolvers', file_id=f, at=24, address='192.0.2.1', by='dhcp', packet=1)
    ask(d, f, ['a.example'], server='203.0.113.53')
    d.flow(f, 'dns.google', dport=853)


@case('GH-T12', 'the resolver of the network', rows=0)
def _(d):
    f = d.capture()
    d.add('resolvers', file_id=f, at=24, address='192.0.2.1', by='dhcp', packet=1)
    ask(d, f, ['a.example'])


@case('GH-T13', 'asked for, never connected; an address', rows=2, severity={'critical', 'high'})
def _(d):
    f = d.capture()
    d.add('indicators', kind='domain', value='evil.example', label='family', source='list')
    d.add('indicators', kind='ip', value='203.0.113.9', source='list')
    ask(d, f, ['www.evil.example'])
    d.flow(f, 'x.example', dst='203.0.113.9')


@case('GH-T13', 'a name that only ends with the same letters', rows=0)
def _(d):
    d.add('indicators', kind='domain', value='evil.example', label='family', source='list')
    ask(d, d.capture(), ['notevil.example', 'evil.example.org'], site='x.example')


@case('GH-T14', 'a copy that differs')
def _(d): odd(d, 'tcp_overlap', b'GET', score=0)


@case('GH-T14', 'nothing that differs', rows=0)
def _(d): odd(d, 'rst_odd', 'x', score=40)


@case('GH-T15', 'addresses in turn')
def _(d): odd(d, 'dns_two_answers', 'two answers within 900 ms', score=10)


@case('GH-T15', 'a forged answer is told elsewhere', rows=0)
def _(d): odd(d, 'rst_odd', 'x', score=60)


@case('GH-T16', 'three domains')
def _(d):
    f = d.capture()
    for n in ('one.example', 'two.invalid', 'three.test'):
        d.session(f, 'www.' + n, alert_client=48)


@case('GH-T16', 'one app with a wrong clock; a server that closes', rows=0)
def _(d):
    f = d.capture()
    for n in ('a', 'b', 'c', 'd'):
        d.session(f, n + '.one.example', alert_client=42)
        d.session(f, n + '.example', alert_client=0)


import live_cases  # noqa: E402, F401

def missing(d, f, names, rcode=3):
    for n, name in enumerate(names):
        d.add('dns_messages', file_id=f, flow=1, at=24 + n, packet=n + 1, us=n, response=1, rcode=rcode, client='192.0.2.10', server='192.0.2.1', qname=name, qtype=1,
              site='.'.join(name.split('.')[-2:]))


@case('GH-T17', 'made-up domains beside true ones')
def _(d):
    f = d.capture()
    missing(d, f, [f'xq{n}zk.example' + str(n) for n in range(25)])
    missing(d, f, [f'true{n}.test' + str(n) for n in range(4)], rcode=0)


@case('GH-T17', 'a search list, random names of one label, a network without Internet', rows=0)
def _(d):
    f = d.capture()
    missing(d, f, [f'host{n}.corp.example' for n in range(40)] + [f'random{n}' for n in range(40)])
    missing(d, f, [f'true{n}.test' + str(n) for n in range(4)], rcode=0)
    missing(d, d.capture(), [f'site{n}.test' + str(n) for n in range(40)])


@case('GH-T18', 'an alert from further away')
def _(d): odd(d, 'tls_alert_odd', 'fatal alert 40 with time to live 250', score=60)


@case('GH-T18', 'resets', rows=0)
def _(d): odd(d, 'rst_odd', 'x', score=60)


def honest(d):
    """One phone with every look-alike that can stand side by side on an honest device."""
    apart = {'a stray package and CtsShim with public keys beside the maker\'s platform', 'two packages, two signers, no framework', 'values of a finished build; switched off ports',
             'CtsShim, an ordinary app, an app of the owner, a platform that GH-B04 tells', 'own user ids, several signers, signer not read, platform not known',
             'test keys that say so', 'test keys that say so, a stray package, a list that only names the key', 'a reference of another release',
             'the same bytes, another program, a reference of another build'}
    image = [0]

    def add(table, **row):
        if table == 'avb_images':
            image[0] += 1
            row['image_id'] = image[0]
        if table == 'avb_descriptors':
            row['image_id'] = 1
        plain(table, **row)
    plain, d.add = d.add, add
    platform(d)
    for c in CASES:
        # a recording of a watch is no part of a phone; what one rule leaves silent, another tells
        if not c.rows and not c.rule.startswith(('GH-W', 'GH-L')) and c.what not in apart and c.what != 'CtsShim with its known bytes, an ordinary app, an app of the owner':
            c.plant(d)
    d.apk(SHIM[0], cert=TESTKEY, sha256=SHIM[1])
