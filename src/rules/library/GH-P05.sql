-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P05
--@ title: A preinstalled app runs commands that come from outside the phone
--@ severity: medium
--@ axis: behaviour
--@ certainty: path found
--@ witness: bytes of an image
--@ needs: plugin apk, plugin code
--@ case: Adups FOTA, 2016; CoolReaper, 2014; cases from memory
--@ lookalike: apps that run a fixed command (logcat, getprop, ping) and show or send what it prints: the command itself must come from
--|  the network, a pushed message or a text message
--@ explain: A path was found in the code of this app on which what a server, a pushed message or a text message
--|  says becomes the command line of a program that is started. That is a remote shell with the rights of the app.
--|
--|  It does not prove that a command was ever sent. Tools for remote support have the same path by design.
--@ verify: gifthorse cat {input} {path} > x.apk && gifthorse callers x.apk '->exec('
--@ next: Keep the firmware file and this report. Report it to the maker. Disable the app: adb shell pm disable-user --user 0 PACKAGE; that does
--|  not remove it, and a factory reset brings it back.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s: %s to %s%s, %s', a.package, f.src, f.sink, CASE WHEN f.mids='' THEN '' ELSE ' by way of '||f.mids END, f.path) AS evidence,
       a.package||' '||f.sink AS subject
FROM apks a JOIN code_flows f USING(apk_id)
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND f.level=3
  AND f.src IN ('NET_IN','PUSH_IN','SMS_IN') AND f.sink IN ('EXEC','EXEC_SU')
  AND NOT EXISTS (SELECT 1 FROM code_flows g WHERE g.apk_id=f.apk_id AND g.level=3 AND g.sink=f.sink AND (g.src IN ('NET_IN','PUSH_IN','SMS_IN'))
    AND (g.length<f.length OR (g.length=f.length AND g.path<f.path)));
