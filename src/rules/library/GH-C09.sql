-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C09
--@ title: A link opens the whole file system to a served folder
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin ext4, plugin erofs, plugin tar, plugin cpio
--@ case: FortiOS symbolic link, 2025
--@ lookalike: /d, /sdcard, /etc and the links of boot loaders lie outside served folders and are not matched; links between
--|  pages of one folder stay inside
--@ explain: Files in this folder are handed out by a web server. A link in it leads to the root of the file system or to its
--|  settings, so the server hands those out too. Such a link was left behind in firewalls in 2025 and survived their updates.
--|
--|  The link is visible; whether a server uses the folder on this device was not examined.
--@ verify: gifthorse ls {input} {path}
--@ next: Keep the firmware file and this report first. Do not update the device before a copy was taken: the update may remove
--|  the link but not what was read through it.
SELECT f.file_id AS file_id, NULL AS at, f.path||' -> '||f.link_target AS evidence
FROM files f
WHERE f.ftype='link'
  AND (f.link_target IN ('/','/.','/etc','/etc/','/root','/root/','/data','/data/','/proc','/var') OR f.link_target LIKE '/etc/%' OR f.link_target LIKE '/root/%')
  AND (f.path LIKE '%/www/%' OR f.path LIKE '%/html/%' OR f.path LIKE '%/htdocs/%' OR f.path LIKE '%/webroot/%' OR f.path LIKE '%/migadmin/%');
