-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B32
--@ title: The running phone reports other signed lists than these files hold
--@ severity: high
--@ axis: provenance
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin avb, live properties, vbmeta digest
--@ case: from memory: units sold with another system than the maker's published package of the same name
--@ lookalike: upper and lower case are one digest; where a list along the chain is missing, or verification is switched off, nothing can be computed and
--|  nothing is matched. A report of another build, region or date has another digest: look at the fingerprint in it first
--@ explain: When a phone starts, its boot loader computes one digest over all signed lists of verified boot and hands it to the system. The same
--|  digest was computed here from the files. They are not the same, so the phone that wrote this report did not start with the lists that lie here.
--|
--|  The usual reason is that the report and the files are of two builds. The report is the phone's own word: a system that was changed can
--|  write anything into it.
--@ verify: gifthorse scan {input} -f integrity   # the digest, and: adb shell getprop ro.boot.vbmeta.digest
--@ next: Keep the firmware file and this report first. Take a new bug report of the unit, see that its fingerprint is that of the files, and compare again.
SELECT p.file_id AS file_id, p.line AS at, printf('%s=%s, the lists here come to %s', p.key, p.value, d.value) AS evidence
FROM live_properties p, device d
WHERE p.key='ro.boot.vbmeta.digest' AND p.value<>'' AND d.key='vbmeta_digest' AND lower(p.value)<>lower(d.value);
