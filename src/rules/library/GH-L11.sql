-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L11
--@ title: Compiled code lies in the cache whose source is not on the phone
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live path /data/dalvik-cache
--@ case: Keenadu, 2026 (vndx_10x); T95 television box, 2023 (Corejava)
--@ lookalike: newer systems keep such code in /data/misc/apexdata; an entry whose jar or app lies at the path that its name spells
--|  is not matched; an entry of an app that was removed may be left over for a while
--@ explain: The cache of compiled code holds an entry, and no file lies at the path its name spells: what was compiled was there
--|  once, and was taken away or hidden. Loaders of known cases left such entries, and the folders that are named here.
--|
--|  Removed apps can leave entries behind. Without root the cache cannot be listed, and this check then says nothing.
--@ verify: ls -lR /data/dalvik-cache   # on the phone, as root
--@ next: Keep the firmware file and what was pulled.
WITH listed(file_id, line, path) AS (SELECT file_id, line, path FROM live_files WHERE path LIKE '/data/%' UNION SELECT file_id, NULL, dpath FROM
    files WHERE dpath LIKE '/data/%' AND attrs>=2)
SELECT l.file_id AS file_id, l.line AS at, l.path AS evidence, l.path AS subject FROM listed l
WHERE l.path LIKE '/data/system/Corejava%' OR l.path LIKE '/data/system/shared\_prefs/open\_preference.xml' ESCAPE '\'
  OR (l.path LIKE '/data/dalvik-cache/%/%@classes.%' AND NOT EXISTS(SELECT 1 FROM files f WHERE
    f.dpath='/'||replace(substr(l.path, 20+instr(substr(l.path,20),'/'), instr(l.path,'@classes.')-20-instr(substr(l.path,20),'/')),'@','/'))
    AND NOT EXISTS(SELECT 1 FROM live_files f WHERE
    f.path='/'||replace(substr(l.path, 20+instr(substr(l.path,20),'/'), instr(l.path,'@classes.')-20-instr(substr(l.path,20),'/')),'@','/')));
