-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N10
--@ title: A root switch is part of the firmware
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties, user-build
--@ case: xHelper, 2020; hand-rooted vendor builds
--@ lookalike: developer builds carry su on purpose: told as info. An owner who rooted the phone put it there himself: the
--|  finding says what is there, not who put it. A folder, a link or a text with that name is not matched
--@ explain: The firmware contains a program whose purpose is to hand out full rights (su, or the files of a root manager). Any
--|  program that is let through can then read everything on the phone and change the system. Television boxes and counterfeit
--|  phones are often sold this way; owners also do it themselves.
--|
--|  If you did not root this phone, somebody who had it before you did, or whoever built the firmware.
--@ verify: gifthorse cat {input} {path} | sha256sum && gifthorse cat {input} {path} | strings | grep -iE 'su |root|magisk' | head
--@ next: If it was not you: keep the firmware file and this report, note the SHA-256 {sha256}, and keep private accounts off
--|  the phone. Ask the seller. If it was you, nothing needs to be done.
SELECT f.file_id AS file_id, NULL AS at,
       printf('%s, %s, build type %s', f.dpath, COALESCE(f.magic,'type not known'), COALESCE(s.build_type,'not known')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' WHEN s.build_type IS NULL THEN 'medium' END AS severity
FROM files f, scan s
WHERE f.ftype='file'
  AND ((f.name='su' AND f.magic='elf')
    OR f.dpath IN ('/system/xbin/daemonsu','/system/bin/.ext/.su','/system/xbin/ku.sud','/system/xbin/supolicy','/system/bin/supolicy',
                   '/system/etc/init.d/99SuperSUDaemon','/.backup/.magisk','/sbin/magisk','/sbin/magiskinit')
    OR f.dpath LIKE '/overlay.d/sbin/magisk%');
