-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C10
--@ title: A login for somebody is built into the firmware
--@ severity: critical
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin passwd
--@ case: recorders of the HiSilicon family, 2013 to 2020; network operators, 2025
--@ lookalike: makers' passwd files on Android list service users without a password and are not matched; locked entries (*, !,
--|  x) neither; a key the owner put under /data is told as medium
--@ explain: The firmware holds a password (as a digest) or a key with which somebody can log in as the administrator. It is the
--|  same on every device with this firmware, and whoever knows it once knows it for all. Phones have no such login.
--|
--|  It is of use only where a login server runs (see GH-N07), and it does not show that anybody logged in.
--@ verify: gifthorse cat {input} {path} | grep -nE '^root:|^ssh-'
--@ next: Keep the firmware file and this report first. Take the device off networks you share. Ask the maker whose login it is;
--|  changing the password on the device may not last.
SELECT k.file_id AS file_id, k.line AS at,
       printf('authorised key %s for %s, %s', k.fp, COALESCE(k.user,'a user'), COALESCE(NULLIF(k.comment,''),'without a name')) AS evidence,
       CASE WHEN f.dpath LIKE '/data/%' THEN 'medium' END AS severity, k.fp AS subject
FROM ssh_keys k JOIN files f ON f.file_id=k.file_id
UNION ALL
SELECT p.file_id, p.line, printf('%s uid %s has a password digest of form %s', p.user, COALESCE(p.uid,'not given'),
       CASE WHEN substr(p.hash,1,1)='$' THEN '$'||substr(p.hash,2,instr(substr(p.hash,2),'$')) ELSE 'DES' END), NULL, 'password '||p.user
FROM passwd p
WHERE (p.uid=0 OR (p.uid IS NULL AND p.user='root'))
  AND ((substr(p.hash,1,1)='$' AND length(p.hash)>12) OR (length(p.hash)=13 AND p.hash NOT GLOB '*[^./0-9A-Za-z]*'));
