-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L10
--@ title: Debugging over the network is switched on
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: the phone's own word
--@ needs: plugin live, live properties
--@ case: T95 and HY300 television boxes: adb on port 5555
--@ lookalike: debugging over the cable is not matched: it is on while the phone is being looked at; -1, 0 and an empty port mean off
--@ explain: Whoever is in the same network can ask this phone for a debugging connection. Where it does not ask for a key, nobody
--|  has to agree.
--|
--|  Somebody who develops apps may have switched it on.
--@ verify: getprop | grep adb.tcp.port   # on the phone
--@ next: Keep the firmware file and what was pulled. Use the phone in no network that you care about; switch it off in the
--|  developer settings, and look whether it comes back after a restart.
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value||CASE WHEN EXISTS(SELECT 1 FROM live_properties q WHERE q.key='ro.adb.secure' AND
    q.value='0') THEN ', and no key is asked for' ELSE '' END
    AS evidence, CASE WHEN EXISTS(SELECT 1 FROM live_properties q WHERE q.key='ro.adb.secure' AND q.value='0') THEN 'critical' END AS severity, p.key
    AS subject
FROM live_properties p WHERE p.key IN ('service.adb.tcp.port','persist.adb.tcp.port','service.adb.tls.port') AND CAST(p.value AS INTEGER)>0;
