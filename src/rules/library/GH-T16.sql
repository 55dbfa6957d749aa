-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T16
--@ title: Apps break off because they do not trust the certificate
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: pinning that notices a proxy: alerts 48, 46 and 42 (RFC 8446, 6)
--@ lookalike: One app with a wrong clock or a server with a wrong certificate breaks off too: at least three different domains are asked for.
--@ explain: Connections to at least three unrelated domains were ended by the phone with the words unknown authority or bad certificate. Apps that
--| know the certificate they expect do this when somebody puts another one in its place.
--|
--| In TLS 1.3 such alerts are encrypted, so that this is seen rarely. A phone whose clock is wrong does it too.
--@ verify: tshark -r {input} -Y 'tls.alert_message.desc==48 || tls.alert_message.desc==46 || tls.alert_message.desc==42'
--@ next: Check the phone's clock. Try another network: if the apps work there, this one puts certificates in between.
SELECT s.file_id AS file_id, min(s.at) AS at, 'packet '||min(s.packet)||': '||count(*)||' connections to '||count(DISTINCT
	f.site)||' domains, first '||min(f.party) AS evidence, 'alerts' AS subject FROM tls_sessions s JOIN flows f USING(file_id, blob_id, flow)
	WHERE s.alert_client IN (42,46,48) AND f.site NOT NULL GROUP BY s.file_id HAVING count(DISTINCT f.site)>=3;
