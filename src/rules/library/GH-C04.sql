-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C04
--@ title: The firmware presets who answers name queries
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties, plugin initrc
--@ case: configuration that redirects traffic
--@ lookalike: empty values and the well-known public resolvers are not matched; the emulator's init.goldfish.rc sets 10.0.2.3
--|  and is not loaded on a phone; a private resolver that the owner chose is no part of the firmware
--@ explain: Whoever answers name queries sees which servers the phone talks to and can send it to others. The firmware sets an
--|  address for this itself.
--|
--|  Android 8 and newer ignore this old setting. On older systems the network normally overrides it.
--@ verify: gifthorse cat {input} {path} | grep -n 'net.dns'
--@ next: Keep the firmware file and this report. Find out who runs the address.
WITH known(ip) AS (VALUES (''),('8.8.8.8'),('8.8.4.4'),('1.1.1.1'),('1.0.0.1'),('9.9.9.9'),('149.112.112.112'),('2001:4860:4860::8888'),('2001:4860:4860::8844'),
  ('0.0.0.0'),('127.0.0.1'),('::1'))
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value AS evidence, p.key AS subject
FROM properties p
WHERE p.loaded=1 AND p.key LIKE 'net.dns%' AND p.value NOT IN (SELECT ip FROM known)
UNION ALL
SELECT a.file_id, a.line, 'on '||COALESCE(a.trigger,'?')||': setprop '||a.args, substr(a.args, 1, instr(a.args||' ',' ')-1)
FROM init_actions a JOIN files f ON f.file_id=a.file_id
WHERE a.cmd='setprop' AND a.args LIKE 'net.dns%' AND trim(substr(a.args, instr(a.args||' ',' ')),' "') NOT IN (SELECT ip FROM known)
  AND f.name NOT IN ('init.goldfish.rc','init.ranchu.rc');
