-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P03
--@ title: A preinstalled app loads code that it takes from the network
--@ severity: medium
--@ axis: behaviour
--@ certainty: path found
--@ witness: bytes of an image
--@ needs: plugin apk, plugin code
--@ case: Triada, RottenSys, Cosiloon and others, 2016 to 2026; cases from memory
--@ lookalike: Google's own modules load parts of themselves, and are left out by their signer. Code that is loaded from the app's own
--|  files or assets is not matched
--@ explain: A path was found in the code of this app on which what a server sends becomes code that runs with
--|  the rights of the app. Whoever has the server, or the connection to it, decides what that code is; a check of a phone as it
--|  was sold cannot see it.
--|
--|  It does not prove that anything was ever loaded, nor what. Apps that mend themselves over the network look the same: SIG_VERIFY
--|  in the evidence means that a signature is checked somewhere on the way.
--@ verify: gifthorse cat {input} {path} > x.apk && gifthorse callers x.apk 'ClassLoader;-><init>'
--@ next: Keep the firmware file and this report. Ask the maker what is loaded, and from where. Disable the app: adb shell pm disable-user
--|  --user 0 PACKAGE; a factory reset brings it back.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s: %s to %s%s, %s', a.package, f.src, f.sink, CASE WHEN f.mids='' THEN '' ELSE ' by way of '||f.mids END, f.path) AS evidence,
       a.package||' '||f.sink AS subject
FROM apks a JOIN code_flows f USING(apk_id)
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND f.level=3
  AND f.src IN ('NET_IN','PUSH_IN','NET_HTTP_PLAIN') AND f.sink IN ('DEXLOAD','DEXLOAD_MEM','NATIVELOAD')
  AND (a.signer_role IS NULL OR a.signer_role<>'google')
  AND NOT EXISTS (SELECT 1 FROM code_flows g WHERE g.apk_id=f.apk_id AND g.level=3 AND g.sink=f.sink AND (g.src IN ('NET_IN','PUSH_IN','NET_HTTP_PLAIN'))
    AND (g.length<f.length OR (g.length=f.length AND g.path<f.path)));
