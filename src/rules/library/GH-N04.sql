-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N04
--@ title: A root service beyond the trusted build takes connections from the network
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc, plugin elf, plugin properties, reference
--@ case: Ragentek, 2016; HiSilicon and Xiongmai recorders, 2020; Vo1d television boxes, 2024
--@ lookalike: services that the reference has under this name, or a program that it has with these bytes, are not matched; nor are programs that
--|  listen on local sockets only: the program also has to handle Internet addresses. A program that changed under a known name counts only
--|  against a reference of this very build. A reference of another maker knows other services
--@ explain: A service that runs with full rights is started with the phone. Its program can wait for connections, and handles Internet
--|  addresses. The build that you gave as trusted has no such service, or another program
--|  for it.
--|
--|  Services of chip makers differ from model to model: a reference of the same model says most. It does not show that the service listens to
--|  other computers, or to whom it answers.
--@ verify: gifthorse cat {input} {path} > x && readelf -Ws x | grep -E ' UND .*(listen|accept|inet_|getaddrinfo)'
--@ next: Keep the firmware file and this report first. On the running phone: adb shell ss -ltnp shows who listens. Compare with the maker's published
--|  build.
WITH same(ref) AS (
  SELECT r.ref FROM reference r JOIN scan s ON r.kind='about' AND r.name='fingerprint' AND r.value=s.fingerprint)
SELECT f.file_id AS file_id, NULL AS at,
       printf('service %s: %s, as %s, imports %s', s.name, s.exec_path, COALESCE(NULLIF(s.user,''),'root'),
              (SELECT group_concat(name, ' ') FROM (SELECT DISTINCT y.name AS name FROM elf_symbols y WHERE y.file_id=f.file_id AND y.defined=0
                AND y.name IN ('accept','accept4','listen','inet_ntoa','inet_ntop','inet_addr','inet_pton','getaddrinfo','gethostbyname') ORDER BY 1))) AS evidence,
       s.name AS subject
FROM init_services s JOIN files f ON f.file_id=s.exec_file_id
WHERE COALESCE(NULLIF(s.user,''),'root')='root' AND f.bl<>1 AND f.ftype='file'
  AND (NOT EXISTS (SELECT 1 FROM reference r WHERE r.kind='service' AND r.name=s.name)
    OR EXISTS (SELECT 1 FROM reference r JOIN same x ON x.ref=r.ref WHERE r.kind='file' AND r.name=f.dpath))
  AND EXISTS (SELECT 1 FROM elf_symbols y WHERE y.file_id=f.file_id AND y.defined=0 AND y.name IN ('accept','accept4','listen'))
  AND EXISTS (SELECT 1 FROM elf_symbols y WHERE y.file_id=f.file_id AND y.defined=0
              AND y.name IN ('inet_ntoa','inet_ntop','inet_addr','inet_pton','getaddrinfo','gethostbyname'));
