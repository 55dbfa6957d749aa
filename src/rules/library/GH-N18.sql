-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N18
--@ title: A kernel module is loaded from changeable storage
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin script
--@ case: rootkits of the Demodex kind (from memory); television-box firmware
--@ lookalike: modules in /vendor/lib/modules, /lib/modules, vendor_dlkm and system_dlkm are part of the signed system and not
--|  matched
--@ explain: A kernel module runs with more rights than anything else on the phone. Here one is loaded at start-up from storage
--|  that is not signed, so whoever can write there once controls the phone from below, out of sight of every app.
--|
--|  The kernel may refuse modules without the maker's signature. The module itself is not part of the firmware and was not
--|  examined.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report first. If you hold the phone, do not reset it before the named module was
--|  copied from it.
WITH root(prefix) AS (VALUES ('/data/'),('/cache/'),('/sdcard/'),('/mnt/'),('/storage/')),
load(file_id, line, cmd, args) AS (
  SELECT a.file_id, a.line, a.cmd, a.args FROM init_actions a WHERE a.cmd='insmod'
  UNION ALL
  SELECT c.file_id, c.line, c.cmd, c.args FROM script_cmds c
  WHERE c.cmd IN ('insmod','modprobe') OR c.cmd LIKE '%/insmod' OR c.cmd LIKE '%/modprobe'
     OR ((c.cmd LIKE '%busybox' OR c.cmd LIKE '%toybox') AND (c.args LIKE 'insmod %' OR c.args LIKE 'modprobe %')))
SELECT DISTINCT l.file_id AS file_id, l.line AS at, l.cmd||' '||l.args AS evidence, l.args AS subject
FROM load l JOIN root p ON instr(' '||l.args, ' '||p.prefix)>0
WHERE instr(' '||l.args, ' /mnt/vendor/')=0;
