-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P36
--@ title: A preinstalled app can be taken over with a debugger
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk, plugin properties, user-build
--@ case: com.gionee.saletimesender on a public dump of a BLU phone
--@ lookalike: on developer builds all apps can be debugged: told as info. An app without special rights endangers its own data
--|  only: low. Apps the owner installed are not matched
--@ explain: This app was delivered in a finished build with a mark that belongs to development: debuggable. Whoever can reach
--|  the debugging port can act as the app and read its data, and anything that the app may do.
--|
--|  USB debugging must be on for it. It is usually a sign of a hurried build, and often of a test signature too.
--@ verify: gifthorse cat {input} {path} > x.apk && aapt2 dump badging x.apk | grep -E 'package:|application-debuggable'
--@ next: Keep USB debugging off. If the app is not needed: adb shell pm disable-user --user 0 PACKAGE; that does not remove it.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s%s%s, build type %s', a.package, CASE WHEN COALESCE(a.shared_uid,'')='' THEN '' ELSE ', user id '||a.shared_uid END,
              CASE WHEN a.is_priv=1 THEN ', privileged' ELSE '' END, COALESCE(s.build_type,'not known')) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'info'
            WHEN COALESCE(a.is_priv,0)=0 AND COALESCE(a.shared_uid,'') NOT LIKE 'android.uid.%' THEN 'low'
            WHEN s.build_type IS NULL THEN 'medium' END AS severity,
       a.package AS subject
FROM apks a, scan s
WHERE a.is_system=1 AND a.debuggable=1;
