-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B20
--@ title: USB debugging is switched on from the start
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties, user-build
--@ case: a public dump of a BLU phone: persist.sys.usb.config=mtp,adb in a user build
--@ lookalike: developer builds do this on purpose: told as info. mtp, none and charging alone are normal; settings files for
--|  single carriers that the phone does not load are judged where they lie
--@ explain: The connection through which a computer can control the phone is on when it leaves the factory, instead of after
--|  the owner asked for it. The phone still asks before it lets a new computer in, unless another setting takes that away
--|  (GH-B08, GH-B10).
--|
--|  It is a small door by itself and usually an oversight.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report. Switch it off: Settings, Developer options, USB debugging; and revoke the
--|  authorisations there.
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value||', build type '||COALESCE(s.build_type,'not known') AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' END AS severity, p.key AS subject
FROM properties p, scan s
WHERE p.loaded=1 AND p.key IN ('persist.sys.usb.config','persist.vendor.usb.config','sys.usb.config')
  AND ','||replace(p.value,' ','')||',' LIKE '%,adb,%';
