-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N07
--@ title: A remote-login or shell server is started with the phone
--@ severity: critical
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin script
--@ case: telnet in recorders of the HiSilicon family, 2013 to 2020; television boxes and projectors
--@ lookalike: Android's own console service runs a shell for builders, is disabled and starts only on debuggable builds;
--|  Android 4 declared a disabled service sshd that nothing starts; adbd is judged by GH-B08. Xiaomi's finished builds declare
--|  a service su_daemon whose program is not in the image: lowered
--@ explain: A program is started with the phone that lets somebody log in and run commands: telnet, secure shell, a raw network
--|  shell, or a permanent root helper. Phones have no use for one. Who can reach it depends on the network and on the password,
--|  if there is one.
--|
--|  Factories and developers use such servers and forget them. That it is there does not show that anybody connected.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset},+12p'
--@ next: Keep the firmware file and this report first. Then take the phone off every network you share. Ask the maker for a
--|  build without it; a factory reset does not remove it. If you may be a target, ask a digital-security helpline before you
--|  change anything.
WITH daemon(name) AS (VALUES ('telnetd'),('utelnetd'),('dropbear'),('sshd'),('daemonsu'),('ku.sud')),
hit(file_id, line, what, disabled, name, there) AS (
  SELECT s.file_id, s.line, trim(s.exec_path||' '||COALESCE(s.args,'')), COALESCE(s.disabled,0), s.name,
         EXISTS (SELECT 1 FROM files x WHERE x.dpath=s.exec_path)
  FROM init_services s
  WHERE EXISTS (SELECT 1 FROM daemon d WHERE s.exec_path LIKE '%/'||d.name)
     OR s.exec_path LIKE '%/su'
     OR (s.exec_path LIKE '%/busybox' AND (' '||s.args||' ') LIKE '% telnetd %')
     OR ((s.exec_path LIKE '%/nc' OR s.exec_path LIKE '%/netcat') AND (' '||s.args||' ') LIKE '% -l%'))
SELECT h.file_id AS file_id, h.line AS at,
       'service '||h.name||' runs '||h.what||CASE WHEN h.disabled THEN ' (disabled, but an action starts it)' ELSE '' END
       ||CASE WHEN h.there THEN '' ELSE ' (that program is not among the files examined)' END AS evidence,
       CASE WHEN b.build_type IN ('userdebug','eng') AND h.what LIKE '%/su%' THEN 'info'
            WHEN NOT h.there THEN 'low'
            WHEN h.disabled THEN 'high' END AS severity,
       'service '||h.name AS subject
FROM hit h, scan b
WHERE h.disabled=0
   OR EXISTS (SELECT 1 FROM init_actions a WHERE a.cmd IN ('start','restart','enable') AND trim(a.args)=h.name)
UNION ALL
SELECT a.file_id, a.line, 'on '||COALESCE(a.trigger,'?')||': '||a.cmd||' '||a.args, NULL, 'action '||d.name
FROM init_actions a JOIN daemon d ON (' '||a.args||' ') LIKE '%/'||d.name||' %'
WHERE a.cmd IN ('exec','exec_background')
UNION ALL
SELECT c.file_id, c.line, trim(c.cmd||' '||COALESCE(c.args,'')), NULL, 'script '||d.name
FROM script_cmds c JOIN daemon d ON c.cmd=d.name OR c.cmd LIKE '%/'||d.name
UNION ALL
SELECT c.file_id, c.line, trim(c.cmd||' '||COALESCE(c.args,'')), NULL, 'script '||CASE WHEN c.args LIKE 'telnetd%' THEN 'telnetd' ELSE 'nc' END
FROM script_cmds c
WHERE ((c.cmd='busybox' OR c.cmd LIKE '%/busybox' OR c.cmd='toybox' OR c.cmd LIKE '%/toybox')
       AND (c.args='telnetd' OR c.args LIKE 'telnetd %' OR (c.args LIKE 'nc %' AND (' '||c.args) LIKE '% -l%')))
   OR ((c.cmd='nc' OR c.cmd='netcat' OR c.cmd LIKE '%/nc' OR c.cmd LIKE '%/netcat') AND (' '||c.args) LIKE '% -l%');
