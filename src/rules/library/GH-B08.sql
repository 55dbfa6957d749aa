-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B08
--@ title: The debugging port is open, or open without asking
--@ severity: critical
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties, user-build
--@ case: T95 television box, 2023; adb open by default
--@ lookalike: developer builds (userdebug, eng) are debuggable on purpose: told as info. A port of -1, 0 or empty is off. USB
--|  debugging that is merely switched on is GH-B20
--@ explain: Android has a port for developers (adb) through which a computer can read the phone, install apps and run commands.
--|  On a phone for sale it is off, asks before it lets a computer in, and never gives root. The settings named here take one of
--|  these protections away; a TCP port means that the whole network can try, not only a cable.
--|
--|  The setting stands in the firmware. Whether the port answers on your phone also depends on which file is loaded last.
--@ verify: gifthorse cat {input} {path} | grep -nE 'adb|ro\.(secure|debuggable)'
--@ next: Keep the firmware file and this report first. Keep the phone off networks that others use and off unknown cables. Then
--|  ask the maker for a build without the setting; a factory reset does not remove it.
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info'
            WHEN p.key='ro.debuggable' THEN CASE WHEN s.build_type IS NULL THEN 'medium' ELSE 'high' END
            WHEN s.build_type IS NULL THEN 'high' END AS severity,
       p.key AS subject
FROM properties p, scan s
WHERE p.loaded=1 AND ((p.key='ro.debuggable' AND p.value='1')
   OR (p.key IN ('ro.secure','ro.adb.secure') AND p.value='0')
   OR (p.key='service.adb.root' AND p.value='1')
   OR (p.key IN ('service.adb.tcp.port','persist.adb.tcp.port','persist.internet_adb_enable') AND p.value NOT IN ('','-1','0')));
