-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L08
--@ title: The phone says of itself that it is unlocked, unverified or not enforcing
--@ severity: high
--@ axis: integrity
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live properties
--@ case: counterfeit phones; refurbished phones that were unlocked
--@ lookalike: green, locked, enforcing are not matched; a developer's or an owner's own choice looks the same and is told with what
--|  it means
--@ explain: At start-up the boot loader tells the system in which state it is: green, checked with the maker's key; yellow, with
--|  another key; orange, not checked; red, failed. Other lines tell whether it is locked and whether the rules of SELinux
--|  are enforced.
--|
--|  Yellow means that somebody put their own key and system on it and locked it again. A changed system can write green
--|  here: this line can warn, it cannot reassure.
--@ verify: getprop | grep -E 'verifiedbootstate|flash.locked|veritymode|vbmeta.device_state'   # on the phone
--@ next: Photograph the screen at start-up. Keep the firmware file and what was pulled. Compare with the maker's build.
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value||CASE WHEN p.key='ro.boot.verifiedbootstate' AND p.value='yellow' THEN
    COALESCE(', key '||(SELECT k.value FROM live_properties k WHERE k.key IN ('ro.boot.vbmeta.public_key_digest','ro.boot.avb_key_digest') LIMIT
    1),', its key is not told') ELSE '' END AS evidence,
  CASE WHEN p.key='ro.boot.verifiedbootstate' AND p.value IN ('yellow','red') THEN 'critical' WHEN p.key IN
    ('ro.boot.flash.locked','ro.boot.vbmeta.device_state') THEN 'medium' END AS severity,
  p.key AS subject
FROM live_properties p
WHERE (p.key='ro.boot.verifiedbootstate' AND p.value NOT IN ('green','')) OR (p.key='ro.boot.flash.locked' AND p.value='0') OR
    (p.key='ro.boot.veritymode' AND p.value IN ('disabled','logging'))
  OR (p.key='ro.boot.vbmeta.device_state' AND p.value='unlocked')
UNION ALL
SELECT min(f.file_id), min(f.at), 'SELinux is '||f.value, NULL, 'selinux' FROM live_facts f WHERE f.kind='selinux' AND f.value<>'Enforcing' GROUP BY
    f.value;
