-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N01
--@ title: Set-user-id root program in a finished build
--@ severity: critical
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: attributes, plugin properties, user-build, knowledge bl_priv_files
--@ case: ZTE Score M sync_agent, 2012
--@ lookalike: clatd is set-id but owned by AID_CLAT, not root; run-as, ping, netcfg and pppd-ril were set-id in old Android and
--|  are listed with path, mode and owner in data/bl_priv_files.tsv
--@ explain: This program runs with all rights of the system (root), whoever starts it. Finished Android builds for sale carry
--|  no such program; developer builds do. In 2012 a phone shipped with one that opened a root command line to anybody who knew
--|  a fixed word.
--|
--|  Apps cannot use it directly on Android 4.3 and newer, but the debugging shell and system services can. The mode alone does
--|  not show what the program does or whether anybody used it.
--@ verify: gifthorse ls {input} {path}; gifthorse cat {input} {image} > part.img && { dump.erofs --path={path} part.img || debugfs -R 'stat {path}' part.img; }
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}, before anything is updated, reset or flashed.
--|  Keep private accounts off the phone. Ask the maker what the program is for, with the digest; if you may be a target, ask a
--|  digital-security helpline first.
SELECT f.file_id AS file_id, NULL AS at,
       printf('mode 0%o owner %d group %d%s', f.mode, f.uid, f.gid,
              CASE WHEN s.build_type IS NULL THEN ', build type not known' ELSE ', build type '||s.build_type END||
              CASE WHEN f.attrs>1 THEN ', mode and owner by the phone''s own word' ELSE '' END) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' WHEN s.build_type IS NULL THEN 'high' END AS severity
FROM files f, scan s
WHERE f.ftype='file' AND f.attrs>0
  -- 0111: it can be executed; 04000 with owner root, or 02000 with group root
  AND (f.mode & 73)<>0 AND (((f.mode & 2048)<>0 AND f.uid=0) OR ((f.mode & 1024)<>0 AND f.gid=0))
  AND NOT EXISTS (SELECT 1 FROM bl_priv_files b
                  WHERE b.path=f.dpath AND CAST(b.mode AS INTEGER)=(f.mode & 4095)
                    AND CAST(b.uid AS INTEGER)=f.uid AND CAST(b.gid AS INTEGER)=f.gid);
