-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N14
--@ title: A start-up service runs outside the sandbox meant for services
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin properties, user-build
--@ case: Pork Explosion, 2016: a factory mode left in sold phones
--@ lookalike: the console service has the shell label, is disabled and belongs to developers; services that run as the user
--|  shell with the shell label have no more rights than the debugging shell; scripts of the recovery system are another system
--@ explain: Android shuts every service into a compartment of its own (SELinux). This service is put into one that is not meant
--|  for services: su, init, kernel, or the debugging shell with the rights of the administrator. If it can be made to do
--|  something, little stops it.
--|
--|  Factory tests are the usual reason. The label alone does not show that the service can be reached from outside.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset},+10p'
--@ next: Keep the firmware file and this report first. Ask the maker why the service needs the label; look for a newer build.
SELECT s.file_id AS file_id, s.line AS at,
       printf('service %s runs %s with label %s, user %s%s', s.name, s.exec_path, s.seclabel, COALESCE(s.user,'root'),
              CASE WHEN COALESCE(s.disabled,0) THEN ', disabled' ELSE '' END) AS evidence,
       CASE WHEN b.build_type IN ('userdebug','eng') THEN 'info'
            WHEN s.seclabel='u:r:shell:s0' OR COALESCE(s.disabled,0) THEN 'medium' END AS severity,
       'service '||s.name AS subject
FROM init_services s JOIN files f ON f.file_id=s.file_id, scan b
WHERE COALESCE(f.image,'') NOT LIKE '%recovery%' AND f.path NOT LIKE '%recovery%'
  AND (s.seclabel IN ('u:r:su:s0','u:r:init:s0','u:r:kernel:s0')
    OR (s.seclabel='u:r:shell:s0' AND COALESCE(s.user,'root')='root' AND s.name<>'console'))
UNION ALL
SELECT a.file_id, a.line, 'on '||COALESCE(a.trigger,'?')||': '||a.cmd||' '||a.args,
       CASE WHEN b.build_type IN ('userdebug','eng') THEN 'info' END, 'action '||substr(a.args,1,instr(a.args,' ')-1)
FROM init_actions a JOIN files f ON f.file_id=a.file_id, scan b
WHERE a.cmd IN ('exec','exec_background') AND (a.args LIKE 'u:r:su:s0 %' OR a.args LIKE 'u:r:kernel:s0 %')
  AND COALESCE(f.image,'') NOT LIKE '%recovery%' AND f.path NOT LIKE '%recovery%';
