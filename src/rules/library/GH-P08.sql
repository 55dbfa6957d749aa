-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P08
--@ title: Messages, calls or contacts leave the phone from an app without an icon
--@ severity: medium
--@ axis: behaviour
--@ certainty: path found
--@ witness: bytes of an image
--@ needs: plugin apk, plugin code
--@ case: Adups FOTA, 2016; case from memory
--@ lookalike: the apps for messages, calls and contacts themselves, and sync adapters, known by what they offer to Android and not by
--|  name; Bluetooth's own service, which hands the address book to a car; apps with an icon, which the owner opens
--@ explain: A path was found on which stored or incoming text messages, the call log or the address book go into
--|  a connection or a text message. The app has no icon: nobody opens it, it acts by itself.
--|
--|  It does not prove that anything was sent, nor to whom. Backup of the maker's own looks the same.
--@ verify: gifthorse cat {input} {path} > x.apk && gifthorse callers x.apk CONTENT_URI
--@ next: Keep the firmware file and this report. For somebody at risk: change nothing before help has looked. Otherwise disable the app: adb shell pm
--|  disable-user --user 0 PACKAGE.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s: %s to %s%s, %s', a.package, f.src, f.sink, CASE WHEN f.mids='' THEN '' ELSE ' by way of '||f.mids END, f.path) AS evidence,
       a.package||' '||f.sink AS subject
FROM apks a JOIN code_flows f USING(apk_id)
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND f.level=3
  AND f.src IN ('SMS_READ','SMS_IN','CALLLOG','CONTACTS') AND f.sink IN ('NET_OUT','SMS_SEND') AND COALESCE(a.has_launcher,0)=0
  AND COALESCE(a.shared_uid,'')<>'android.uid.bluetooth'
  AND NOT EXISTS (SELECT 1 FROM apk_components k JOIN apk_intents i USING(component_id) WHERE k.apk_id=a.apk_id
    AND i.action IN ('android.provider.Telephony.SMS_DELIVER','android.intent.action.DIAL','android.content.SyncAdapter'))
  AND NOT EXISTS (SELECT 1 FROM code_flows g WHERE g.apk_id=f.apk_id AND g.level=3 AND g.sink=f.sink AND (g.src IN ('SMS_READ','SMS_IN','CALLLOG','CONTACTS'))
    AND (g.length<f.length OR (g.length=f.length AND g.path<f.path)));
