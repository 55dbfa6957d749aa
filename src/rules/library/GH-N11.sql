-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N11
--@ title: A system file is marked so that nobody can change or delete it
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: attributes
--@ case: the xHelper family, 2020
--@ lookalike: the flags for fs-verity, extents and case-insensitive folders are normal and not matched; scripts that owners use
--|  to repair television boxes set the same flag
--@ explain: A file-system flag keeps this file from being changed, renamed or deleted, even by the administrator, until the
--|  flag is taken off. Android does not ship files so marked. Malicious software has used the flag to survive removal; so have
--|  people who wanted to lock something else out.
--@ verify: gifthorse cat {input} {image} > part.img && debugfs -R 'stat {path}' part.img | grep Flags
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}. Let the file be compared with the maker's
--|  published build.
SELECT f.file_id AS file_id, NULL AS at,
       printf('inode flags 0x%x%s%s', f.iflags, CASE WHEN f.iflags & 16 THEN ' immutable' ELSE '' END,
              CASE WHEN f.iflags & 32 THEN ' append-only' ELSE '' END) AS evidence
FROM files f
-- 0x10 immutable, 0x20 append only
WHERE f.ftype='file' AND f.attrs=1 AND (f.iflags & 48)<>0;
