-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N02
--@ title: Program carries a power that leads to root
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: attributes, plugin properties, user-build, knowledge bl_priv_files
--@ case: ZTE Score M sync_agent, 2012: the same effect by the older means
--@ lookalike: run-as and simpleperf_app_runner may change user on every phone and are listed; network, wake-up and priority
--|  powers of chip makers' programs (NET_ADMIN, NET_BIND_SERVICE, BLOCK_SUSPEND, SYS_NICE) do not lead to root and are not
--|  matched
--@ explain: The file system gives this program a single power of the administrator whoever starts it: to become any user, to
--|  ignore file permissions, to look into other programs, to load code into the kernel, or to administer the system. Each of
--|  them can be turned into full control. Android gives such powers to two small tools and binds both to debuggable apps.
--|
--|  Makers add diagnostic tools of this kind. The power alone does not show what the program does with it.
--@ verify: gifthorse cat {input} {image} > part.img && debugfs -R 'ea_get {path} security.capability' part.img   # or getcap on a mounted copy
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}. Ask the maker what the program is for. Do not
--|  enable USB debugging on the phone until that is answered: the debugging shell is who could start it.
SELECT f.file_id AS file_id, NULL AS at,
       printf('capabilities 0x%x mode 0%o owner %d group %d, build type %s', f.caps, f.mode, f.uid, f.gid, COALESCE(s.build_type,'not known')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' WHEN s.build_type IS NULL THEN 'medium' END AS severity
FROM files f, scan s
-- 2687170: DAC_OVERRIDE(1) SETGID(6) SETUID(7) SYS_MODULE(16) SYS_PTRACE(19) SYS_ADMIN(21), as bits
WHERE f.ftype='file' AND f.attrs=1 AND (f.caps & 2687170)<>0
  AND NOT EXISTS (SELECT 1 FROM bl_priv_files b
                  WHERE b.path=f.dpath AND ((f.caps & 2687170) & ~CAST(b.caps AS INTEGER))=0);
