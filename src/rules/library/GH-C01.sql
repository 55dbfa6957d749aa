-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-C01
--@ title: The system trusts a certificate authority that Android does not
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin cert, knowledge ca_roots
--@ case: study of preinstalled software, 2019 and 2020: makers and carriers add authorities
--@ lookalike: authorities that Android once shipped and later removed are listed with their dates and stay silent on old
--|  phones; roots of the public web programme that Android draws from are listed too; authorities the owner added live in
--|  another store
--@ explain: A certificate authority vouches for web sites and servers. The phone believes whatever an authority on its list
--|  says, so whoever holds the key of one more authority can pose as any site or server for apps that rely on the system's
--|  list, read what you send and change what you get.
--|
--|  Makers, carriers and states have added authorities for reasons of their own. That one is listed does not show that it was
--|  ever used against anybody. Android's list never held it; that is all that is certain.
--@ verify: gifthorse cat {input} {path} | openssl x509 -noout -subject -issuer -dates -fingerprint -sha256
--@ next: Keep the firmware file, the certificate and this report first. Ask the maker who holds the key. Until you know, use
--|  apps that pin their own keys for what matters. Android 4 and newer can switch it off: Settings, Security, Trusted
--|  credentials.
SELECT c.file_id AS file_id, NULL AS at,
       printf('%s, store %s, SHA-256 %s, valid until %s', COALESCE(c.subject,'subject not read'), c.store, lower(c.sha256),
              COALESCE(c.not_after,'not read')) AS evidence,
       -- a store of a single service: Wi-Fi sign-on, location servers
       CASE WHEN c.store IN ('wfa','apex_wifi') THEN 'medium' WHEN f.dpath LIKE '%/cacerts!_supl/%' ESCAPE '!' THEN 'low' END AS severity, lower(c.sha256) AS subject
FROM ca_certs c JOIN files f ON f.file_id=c.file_id
WHERE c.store IN ('system','apex_conscrypt','google','apex_google','apex_wifi','wfa')
  AND NOT EXISTS (SELECT 1 FROM ca_roots r WHERE r.sha256=lower(c.sha256));
