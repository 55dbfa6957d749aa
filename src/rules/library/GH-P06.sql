-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P06
--@ title: Any app can make a privileged app do what it may not do itself
--@ severity: medium
--@ axis: behaviour
--@ certainty: path found
--@ witness: bytes of an image
--@ needs: plugin apk, plugin code
--@ case: Unisoc CVE-2022-27250; Ulefone CVE-2024-13915; EngineerMode, 2017
--@ lookalike: doors that are guarded by a permission of signature level, and doors behind which the code checks who calls: neither is
--|  matched. A launcher icon is a door that the owner opens, and is not matched either
--@ explain: A part of this app can be called by every other app without a permission worth the name, and a path
--|  was found from there to a deed that needs the rights of the system: running a program, installing, erasing, changing protected
--|  settings.
--|
--|  It does not prove that the path can be driven at will: conditions on the way were not worked out.
--@ verify: gifthorse cat {input} {path} > x.apk && gifthorse callers x.apk NAME
--@ next: Keep the firmware file and this report. Report it to the maker. Disable the app if it is not needed: adb shell pm disable-user --user 0
--|  PACKAGE.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s: %s %s, guard %s, to %s, %s', a.package, f.kind, f.entry, f.guard, f.sink, f.path) AS evidence,
       a.package||' '||f.entry||' '||f.sink AS subject
FROM apks a JOIN code_flows f USING(apk_id)
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND (a.is_priv=1 OR a.shared_uid LIKE 'android.uid.%')
  AND f.level=2 AND f.src IN ('INTENT_IN','BINDER_IN') AND f.kind IS NOT NULL AND f.path IS NOT NULL
  AND (f.guard='none' OR f.guard LIKE 'normal%' OR f.guard LIKE 'dangerous%')
  AND f.sink IN ('EXEC','EXEC_SU','PKG_INSTALL','PKG_DELETE','WIPE','SETPROP','GRANT_PERM','REBOOT','SECURE_SETTING','SMS_SEND','OTA_APPLY')
  AND NOT EXISTS (SELECT 1 FROM apk_intents i WHERE i.apk_id=f.apk_id AND i.component_id=f.component_id AND i.category='android.intent.category.LAUNCHER')
  AND NOT EXISTS (SELECT 1 FROM code_flows g WHERE g.apk_id=f.apk_id AND g.component_id=f.component_id AND g.sink=f.sink AND g.level=2
    AND g.src IN ('INTENT_IN','BINDER_IN') AND g.path IS NOT NULL
    AND (g.length<f.length OR (g.length=f.length AND g.path<f.path)));
