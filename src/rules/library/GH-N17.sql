-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N17
--@ title: A library is forced into other programs at start-up
--@ severity: critical
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin properties, knowledge named_exceptions
--@ case: the general means of injection; no single case
--@ lookalike: Android 5 and 6 preloaded libsigchain.so, MediaTek preloads its crash reporter: listed by name in
--|  data/named_exceptions.tsv. Memory-checking builds set wrap properties; on developer builds the row is lowered
--@ explain: A setting tells the system to load one more library into programs that did not ask for it. That library can see and
--|  change everything the programs do. Android's own start-up files have no need for it today.
--|
--|  Chip makers use it for debugging. What the library does has to be read from the library: the setting only says that it is
--|  loaded everywhere.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file, the named library and this report first. Have the library examined. Keep private accounts off
--|  the phone until then.
WITH preload(file_id, line, libs, what) AS (
  SELECT a.file_id, a.line, ltrim(substr(a.args, 11)), a.cmd||' '||a.args FROM init_actions a
  WHERE a.cmd IN ('export','setenv') AND (a.args LIKE 'LD!_PRELOAD %' ESCAPE '!' OR a.args LIKE 'LD!_PRELOAD=%' ESCAPE '!')
  UNION ALL
  SELECT a.file_id, a.line, 'wrap', a.cmd||' '||a.args FROM init_actions a WHERE a.cmd='setprop' AND a.args LIKE 'wrap.%'
  UNION ALL
  SELECT p.file_id, p.line, 'wrap', p.key||'='||p.value FROM properties p WHERE p.loaded=1 AND p.key LIKE 'wrap.%' AND p.value LIKE '%LD!_PRELOAD%' ESCAPE '!'),
-- one row a library: the value is a list with colons or spaces
part(file_id, line, what, lib, rest) AS (
  SELECT file_id, line, what, '', replace(replace(ltrim(libs,'= '),' ',':'),'=',':')||':' FROM preload
  UNION ALL
  SELECT file_id, line, what, substr(rest, 1, instr(rest,':')-1), substr(rest, instr(rest,':')+1) FROM part WHERE rest<>'')
SELECT p.file_id AS file_id, p.line AS at, p.what AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'low' END AS severity,
       p.lib AS subject
FROM part p, scan s
WHERE p.lib<>'' AND NOT EXISTS (SELECT 1 FROM named_exceptions n WHERE n.kind='ld_preload' AND n.name=p.lib);
