-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P11
--@ title: Any app can open a factory or engineering app with system rights
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk, plugin properties, user-build
--@ case: OnePlus EngineerMode, 2017; Unisoc, 2022; factory apps of two brands, 2025
--@ lookalike: chip makers ship engineering apps whose doors are guarded by a signature permission, or switched off: not
--|  matched. Where the level of a guard is not known it is taken for a guard
--@ explain: An app for building or testing phones was left in a finished build. It has the rights of the system, and at least
--|  one of its parts can be called by every other app without a permission worth the name. On several brands such apps let any
--|  app become root, erase the phone or read its identifiers.
--|
--|  The name is taken from the package; what the open part can do was not analysed.
--@ verify: gifthorse cat {input} {path} > x.apk && aapt2 dump xmltree --file AndroidManifest.xml x.apk | grep -A8 -E 'E: (activity|service|receiver|provider)'
--@ next: Keep the firmware file and this report. Disable the app: adb shell pm disable-user --user 0 PACKAGE; that does not
--|  remove it, and a factory reset brings it back. Report it to the maker.
WITH door(apk_id, kind, name) AS (
  SELECT k.apk_id, k.kind, k.name FROM apk_components k
  WHERE k.exported=1 AND COALESCE(k.enabled,1)=1 AND k.kind<>'activity-alias'
    AND (COALESCE(k.permission,'')='' OR k.perm_level='none' OR k.perm_level LIKE 'normal%' OR k.perm_level LIKE 'dangerous%'))
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s, %s%d open parts, first: %s', a.package, CASE WHEN COALESCE(a.shared_uid,'')='' THEN 'privileged, ' ELSE 'user id '||a.shared_uid||', ' END,
              (SELECT count(*) FROM door d WHERE d.apk_id=a.apk_id),
              (SELECT d.kind||' '||d.name FROM door d WHERE d.apk_id=a.apk_id ORDER BY d.kind, d.name LIMIT 1)) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info' END AS severity,
       a.package AS subject
FROM apks a, scan s
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND COALESCE(a.is_overlay,0)=0
  AND (a.shared_uid LIKE 'android.uid.%' OR a.is_priv=1)
  AND (a.package LIKE '%engineer%' OR a.package LIKE '%factory%' OR a.package LIKE '%.mmi%' OR a.package LIKE '%testmode%' OR a.package LIKE '%.ftest%'
    OR a.package LIKE '%hiddenmenu%' OR a.package LIKE '%validationtools%')
  AND EXISTS (SELECT 1 FROM door d WHERE d.apk_id=a.apk_id);
