-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T07
--@ title: A certificate that does not prove who the other side is
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: expired, self-signed and misnamed certificates in public captures
--@ lookalike: A private authority that signs for one owner only, and the local network (a router's own page), are not counted: their apps may know
--| them. A handshake that ended without data is not counted.
--@ explain: The server showed a certificate that was expired, for another name, signed by itself or wrongly signed, and data followed all the same.
--| So the app does not check, or knows this certificate. An app that does not check talks to anybody.
--|
--| Only certificates that were visible are judged: TLS 1.3 hides them.
--@ verify: tshark -r {input} -Y 'tls.handshake.certificate' -V
--@ next: Keep the capture. Find the app; do not use it for anything that matters until it is explained.
SELECT f.file_id AS file_id, min(s.at) AS at, 'packet '||min(s.packet)||': '||f.party||': '||f.why||', issuer '||coalesce(s.issuer,'?') AS evidence,
	f.party||' '||s.chain AS subject FROM tls_sessions s JOIN flows f USING(file_id, blob_id, flow)
	WHERE s.chain IN ('expired','not_yet_valid','name_mismatch','self_signed','bad_signature','not_valid') AND s.app_data=1 AND f.state='bad' AND f.why NOT LIKE
	'signed by%' AND NOT f.local GROUP BY f.file_id, f.party, s.chain;
