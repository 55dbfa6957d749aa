# SPDX-License-Identifier: Apache-2.0
"""Cases and look-alikes of family L: what a running phone says of itself."""
from cases import OEM, case


def said(d, name='getprop.txt'):
    return d.file('/' + name, magic='text', attrs=0)


def props(d, **pairs):
    f = said(d)
    for n, (key, value) in enumerate(pairs.items(), 1):
        d.add('live_properties', file_id=f, line=n, key=key.replace('__', '.'), value=value)


def app(d, package, system=0, path=None, **more):
    f = said(d, 'packages.txt')
    d.add('live_apps', file_id=f, line=1, package=package, system=system, path=path or ('/system/app/X' if system else '/data/app/x'), lists=more.pop('lists', 'all package'), **more)


def power(d, role, package):
    d.add('live_powers', file_id=said(d, 'device_policy.txt'), line=7, role=role, user=0, package=package, component=package + '/.X')


def socket(d, local, lport, uid, state='LISTEN', proto='tcp', program=None):
    d.add('live_sockets', file_id=said(d, 'netstat.txt'), line=3, proto=proto, local=local, lport=lport, state=state, uid=uid, program=program)


def pair(d, path, image='aa', phone='bb'):
    d.file(path, sha256=image * 32)
    d.file(path, sha256=phone * 32, attrs=2)


@case('GH-L01', 'a helper in the system partition')
def _(d):
    d.add('live_same_build', same=1)
    pair(d, '/system/bin/helper')


@case('GH-L01', 'laid over by a root manager', severity='medium')
def _(d):
    d.add('live_same_build', same=1)
    pair(d, '/system/bin/app_process64')
    d.add('live_mounts', file_id=said(d), line=1, device='magisk', dir='/system/bin/app_process64', type='tmpfs')


@case('GH-L01', 'another build; the same bytes; an updated module; data; two images; a file without hash', rows=0)
def _(d):
    pair(d, '/system/bin/of_another_build')
    d.file('/system/bin/sh', sha256='cc' * 32)
    d.file('/system/bin/sh', sha256='cc' * 32, attrs=2)


@case('GH-L01', 'the same build: alike, modules, data, denied', rows=0)
def _(d):
    d.add('live_same_build', same=1)
    pair(d, '/system/bin/sh', 'aa', 'aa')
    pair(d, '/apex/com.android.art/bin/dex2oat')
    pair(d, '/data/local/tmp/x')
    d.file('/system/bin/closed', sha256='aa' * 32)
    d.file('/system/bin/closed', sha256='', attrs=3)


@case('GH-L03', 'a television box with adb on the network, a program with the uid of the system', rows=2)
def _(d):
    socket(d, '0.0.0.0', 5555, 0)
    socket(d, '0.0.0.0', 5555, 0)
    socket(d, '::', 8888, 1000, proto='tcp6', program='x')


@case('GH-L03', 'wireless debugging that the owner switched on', severity='medium')
def _(d):
    socket(d, '0.0.0.0', 37001, 2000)
    d.add('live_settings', file_id=said(d), line=1, space='global', key='adb_wifi_enabled', value='1')


@case('GH-L03', 'an app, the phone itself, tethering, a connection, udp', rows=0)
def _(d):
    socket(d, '0.0.0.0', 8080, 10123)
    socket(d, '127.0.0.1', 5037, 0)
    socket(d, '::1', 80, 1000, proto='tcp6')
    socket(d, '::ffff:127.0.0.1', 80, 1000, proto='tcp6')
    socket(d, '0.0.0.0', 53, 1052)
    socket(d, '10.0.0.2', 4000, 1000, state='ESTABLISHED')
    socket(d, '0.0.0.0', 5353, 1000, state=None, proto='udp')


@case('GH-L04', 'an app that reads the screen and the notifications; one nobody lists', rows=2)
def _(d):
    app(d, 'com.watch')
    for role in ('accessibility', 'listener', 'admin'):
        power(d, role, 'com.watch')
    power(d, 'admin', 'com.notlisted')


@case('GH-L04', 'an app that owns the phone', severity='high')
def _(d):
    app(d, 'com.lock', installer='com.agent')
    power(d, 'device-owner', 'com.lock')


@case('GH-L04', 'tools of the system; a keyboard; a listener that is only allowed', rows=0)
def _(d):
    app(d, 'com.google.android.gms', system=1)
    power(d, 'admin', 'com.google.android.gms')
    app(d, 'com.key')
    power(d, 'ime-current', 'com.key')
    power(d, 'vpn', 'com.key')
    power(d, 'listener-live', 'com.key')


@case('GH-L05', 'two that were added, one listed and pulled', rows=2)
def _(d):
    f = said(d, 'cacerts_user.txt')
    d.add('live_files', file_id=f, line=3, path='/data/misc/user/0/cacerts-added/ab12.0', list='ls')
    d.file('/data/misc/user/0/cacerts-added/ab12.0', magic='text', attrs=2)
    d.file('/data/misc/user/10/cacerts-added/cd34.0', magic='text', attrs=2)


@case('GH-L05', 'an empty folder; one that was removed; the system store; the folder itself, denied', rows=0)
def _(d):
    f = said(d, 'files.json')
    d.add('live_files', file_id=f, line=3, path='/data/misc/user/0/cacerts-removed/ab12.0', list='ls')
    d.add('live_files', file_id=f, line=3, path='/data/misc/user/0/cacerts-added/x', list='files', state='Permission denied')
    d.file('/data/misc/user/0/cacerts-added', ftype='dir', attrs=2)
    d.file('/system/etc/security/cacerts/ab12.0', magic='text')


@case('GH-L06', 'the updater of the maker installs a game')
def _(d):
    app(d, 'com.wireless.update', system=1)
    app(d, 'com.game', installer='com.wireless.update', initiator='com.agent')


@case('GH-L06', 'Play, a maker\'s store by name, an installer and a store by what they answer to, a store of the owner, an update of the system', rows=0)
def _(d):
    for shop in ('com.android.vending', 'com.xiaomi.mipicks', 'com.maker.installer', 'com.maker.market', 'com.agent'):
        app(d, shop, system=1)
    app(d, 'org.fdroid.fdroid')
    d.add('live_components', file_id=said(d), line=1, kind='activity', action='android.intent.action.INSTALL_PACKAGE', package='com.maker.installer', component='x/y')
    apk = d.apk('com.maker.market', cert=OEM, path='/product/app/M/M.apk')
    d.add('apk_components', component_id=1, apk_id=apk, kind='activity', name='x', exported=1)
    d.add('apk_intents', component_id=1, apk_id=apk, action='android.intent.action.VIEW', scheme='market')
    for n, by in enumerate(('com.android.vending', 'com.xiaomi.mipicks', 'com.maker.installer', 'com.maker.market', 'org.fdroid.fdroid', 'com.gone', None)):
        app(d, f'com.a{n}', installer=by)
    app(d, 'com.sys', system=1, path='/data/app/sys', installer='com.agent')


@case('GH-L07', 'a package that no list knows')
def _(d):
    d.add('live_same_build', same=1)
    app(d, 'com.known', lists='all with-uninstalled')
    d.apk('com.hidden', cert=OEM, path='/system/priv-app/H/H.apk')
    d.apk('com.known', cert=OEM, path='/system/app/K/K.apk')


@case('GH-L07', 'another build; a list without the uninstalled ones; listed, switched off, an overlay, a module, an app of the owner', rows=0)
def _(d):
    d.apk('com.of.another.build', cert=OEM, path='/system/app/H/H.apk')
    app(d, 'com.x', lists='all')


@case('GH-L07', 'the same build: listed, overlay, module, app of the owner', rows=0)
def _(d):
    d.add('live_same_build', same=1)
    app(d, 'com.known', lists='package')
    app(d, 'com.off', lists='disabled with-uninstalled', disabled=1)
    d.apk('com.known', cert=OEM, path='/system/app/K/K.apk')
    d.apk('com.off', cert=OEM, path='/product/app/O/O.apk')
    d.apk('com.over', cert=OEM, path='/product/overlay/O.apk', is_overlay=1)
    d.apk('com.mod', cert=OEM, path='/apex/com.android.x/app/M/M.apk')
    d.apk('com.own', cert=OEM, path='/data/app/own/base.apk', is_system=0)


@case('GH-L08', 'locked again with a key of somebody else', severity='critical')
def _(d): props(d, ro__boot__verifiedbootstate='yellow', ro__boot__vbmeta__public_key_digest='ab12', ro__boot__flash__locked='1')


@case('GH-L08', 'unlocked and permissive', rows=4, severity=['high', 'medium'])
def _(d):
    props(d, ro__boot__verifiedbootstate='orange', ro__boot__flash__locked='0', ro__boot__veritymode='disabled')
    d.add('live_facts', file_id=said(d, 'selinux.txt'), at=0, kind='selinux', key='getenforce', value='Permissive')


@case('GH-L08', 'green, locked, enforcing', rows=0)
def _(d):
    props(d, ro__boot__verifiedbootstate='green', ro__boot__flash__locked='1', ro__boot__veritymode='enforcing', ro__boot__vbmeta__device_state='locked')
    d.add('live_facts', file_id=said(d, 'selinux.txt'), at=0, kind='selinux', key='getenforce', value='Enforcing')


@case('GH-L09', 'a resolver and a proxy of somebody', rows=2)
def _(d):
    f = said(d, 'settings_global.txt')
    d.add('live_settings', file_id=f, line=1, space='global', key='private_dns_specifier', value='dns.example')
    d.add('live_settings', file_id=f, line=2, space='global', key='http_proxy', value='10.0.0.1:8080')


@case('GH-L09', 'public resolvers, no proxy', rows=0)
def _(d):
    f = said(d, 'settings_global.txt')
    for n, (key, value) in enumerate((('private_dns_specifier', 'dns.google'), ('private_dns_mode', 'hostname'), ('http_proxy', ':0'), ('global_http_proxy_host', ''),
                                      ('always_on_vpn_app', 'null'))):
        d.add('live_settings', file_id=f, line=n, space='global', key=key, value=value)


@case('GH-L10', 'adb on a port, with a key')
def _(d): props(d, service__adb__tcp__port='5555', ro__adb__secure='1')


@case('GH-L10', 'adb on a port, without a key', severity='critical')
def _(d): props(d, persist__adb__tcp__port='5555', ro__adb__secure='0')


@case('GH-L10', 'off', rows=0)
def _(d): props(d, service__adb__tcp__port='-1', persist__adb__tcp__port='', service__adb__tls__port='0')


@case('GH-L11', 'an entry whose jar is gone, and the folder of a known case', rows=2)
def _(d):
    f = said(d, 'files.json')
    d.add('live_files', file_id=f, line=1, path='/data/dalvik-cache/arm64/data@system@vndx_10x.jar@classes.dex', list='files')
    d.add('live_files', file_id=f, line=2, path='/data/system/Corejava', list='files')


@case('GH-L11', 'entries of files that are there, pulled or listed', rows=0)
def _(d):
    f = said(d, 'files.json')
    d.file('/system/framework/services.jar', magic='zip')
    d.add('live_files', file_id=f, line=1, path='/data/dalvik-cache/arm64/system@framework@services.jar@classes.dex', list='files')
    d.add('live_files', file_id=f, line=2, path='/data/dalvik-cache/arm/system@app@X@X.apk@classes.vdex', list='files')
    d.add('live_files', file_id=f, line=3, path='/system/app/X/X.apk', list='files')
    d.add('live_files', file_id=f, line=4, path='/data/dalvik-cache/arm64', list='files')
