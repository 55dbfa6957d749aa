-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N08
--@ title: At start-up the phone runs a program from changeable storage
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin script
--@ case: Vo1d, 2024 (install-recovery.sh as the hook; its payload lay in /system/xbin); xHelper, 2020
--@ lookalike: start-up scripts write to /data and /cache all the time (logs, calibration): only a path that is run counts.
--|  /mnt/vendor holds a maker's own read-only partitions and is not matched. The stock install-recovery.sh runs applypatch and
--|  log. A disabled service counts only if an action starts it, and is lowered (a test service of a Samsung phone of 2014)
--@ explain: The system of a phone is signed; the storage for apps and downloads is not. Here a start-up script or service runs
--|  a program from that unsigned storage, with the rights of the system. Whatever is put there once comes back at every start,
--|  and no signature check sees it.
--|
--|  Makers use this for test programs. The program itself is not in the firmware and was not examined: only the place that runs
--|  it.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report first. If you hold the phone, do not reset it: a copy of the named file from
--|  the phone is the evidence that decides. Ask a specialist to take it.
WITH root(prefix) AS (VALUES ('/data/'),('/cache/'),('/sdcard/'),('/mnt/'),('/storage/')),
live(file_id, line, name, exec_path, args, disabled) AS (
  SELECT s.file_id, s.line, s.name, s.exec_path, COALESCE(s.args,''), COALESCE(s.disabled,0) FROM init_services s
  WHERE COALESCE(s.disabled,0)=0 OR EXISTS (SELECT 1 FROM init_actions a WHERE a.cmd IN ('start','restart','enable') AND trim(a.args)=s.name)),
run(file_id, line, what, target, later) AS (
  SELECT c.file_id, c.line, trim(c.cmd||' '||COALESCE(c.args,'')), c.cmd, 0 FROM script_cmds c
  UNION ALL
  -- a shell or a wrapper is given the program as its first word
  SELECT c.file_id, c.line, trim(c.cmd||' '||c.args), ltrim(c.args), 0 FROM script_cmds c
  WHERE c.args IS NOT NULL AND (c.cmd IN ('sh','.','source','exec','nohup','setsid','eval','/system/bin/sh','/vendor/bin/sh')
        OR c.cmd LIKE '%/bin/nohup' OR c.cmd LIKE '%/bin/setsid')
  UNION ALL
  SELECT s.file_id, s.line, 'service '||s.name||' '||trim(s.exec_path||' '||s.args), s.exec_path, s.disabled FROM live s
  UNION ALL
  SELECT s.file_id, s.line, 'service '||s.name||' '||trim(s.exec_path||' '||s.args), ltrim(s.args), s.disabled FROM live s
  WHERE s.exec_path IN ('/system/bin/sh','/vendor/bin/sh')
  UNION ALL
  SELECT a.file_id, a.line, a.cmd||' '||a.args, ltrim(substr(a.args, instr(a.args,'-- ')+3)), 0 FROM init_actions a
  WHERE a.cmd IN ('exec','exec_background') AND instr(a.args,'-- ')>0)
SELECT r.file_id AS file_id, r.line AS at, r.what||CASE WHEN r.later THEN ' (disabled, but an action starts it)' ELSE '' END AS evidence,
       CASE WHEN r.later THEN 'medium' END AS severity,
       CASE WHEN instr(r.target||' ',' ')>0 THEN substr(r.target, 1, instr(r.target||' ',' ')-1) END AS subject
FROM run r JOIN root p ON substr(r.target, 1, length(p.prefix))=p.prefix
WHERE substr(r.target, 1, 12)<>'/mnt/vendor/' AND substr(r.target, 1, 13)<>'/mnt/product/';
