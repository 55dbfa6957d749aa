-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C06
--@ title: The firmware presets a proxy for network traffic
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin properties
--@ case: configuration that redirects traffic
--@ lookalike: empty values, :0 and proxies that a carrier sets for one access point are not matched; a proxy that the owner or
--|  an employer set is no part of the firmware
--@ explain: With this setting connections pass through a computer that the firmware names. Its owner sees which servers are
--|  used and can read what is not encrypted.
--|
--|  Company and carrier editions of a phone do this openly.
--@ verify: gifthorse cat {input} {path} | grep -n proxy
--@ next: Keep the firmware file and this report. Find out who runs the address; ask the seller whether the phone is a company
--|  or carrier edition.
SELECT p.file_id AS file_id, p.line AS at, p.key||'='||p.value AS evidence, p.key AS subject
FROM properties p
WHERE p.loaded=1 AND p.key IN ('http_proxy','https_proxy','net.gprs.http-proxy','net.http-proxy','persist.sys.http_proxy','persist.sys.proxy')
  AND trim(p.value) NOT IN ('',':0','null','none');
