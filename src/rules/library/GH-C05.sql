-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C05
--@ title: A start-up script redirects or copies network traffic
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin script, plugin initrc
--@ case: configuration that redirects traffic; BADBOX television boxes (from memory)
--@ lookalike: sharing the connection (MASQUERADE), accepting, dropping and counting are normal in makers' scripts and not
--|  matched; what netd does at run time is not a script
--@ explain: A script of the firmware tells the packet filter to send connections somewhere else than the app asked for, or to
--|  send a copy. All apps are concerned.
--|
--|  Makers use it to lead test traffic or a captive portal. The line itself says where the traffic goes.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report first. Find out who holds the address in the line. Use the phone for nothing
--|  private until then.
WITH line(file_id, line, cmd, args) AS (
  SELECT file_id, line, cmd, ' '||args||' ' FROM script_cmds WHERE cmd LIKE '%ip%tables%' OR args LIKE '%ip%tables %'
  UNION ALL
  SELECT file_id, line, cmd, ' '||args||' ' FROM init_actions WHERE cmd IN ('exec','exec_background') AND args LIKE '%ip%tables%'),
target(name) AS (VALUES ('REDIRECT'),('DNAT'),('TEE'),('TPROXY'))
SELECT l.file_id AS file_id, l.line AS at, trim(l.cmd||l.args) AS evidence,
       t.name||' '||COALESCE(NULLIF(trim(substr(l.args, instr(l.args,' '||t.name||' ')+length(t.name)+2)),''),'-') AS subject
FROM line l JOIN target t ON instr(l.args,' -j '||t.name||' ')>0 OR instr(l.args,' --jump '||t.name||' ')>0
-- -D takes a rule away
WHERE instr(l.args,' -D ')=0 AND instr(l.args,' --delete ')=0;
