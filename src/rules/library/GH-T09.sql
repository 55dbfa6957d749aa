-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T09
--@ title: A TLS connection of a version or cipher that is broken
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, knowledge tls_ciphers
--@ case: RFC 8996 (TLS 1.0 and 1.1), RFC 7465 (RC4), RFC 6176
--@ lookalike: What a client merely offers is not counted: only what both sides agreed on.
--@ explain: What was agreed on is known to be weak: TLS before 1.2, or a cipher without encryption, with RC4, DES, 3DES or export keys, or without
--| knowing the other side. Whoever is on the way can break it with effort.
--|
--| It does not prove that anyone did.
--@ verify: tshark -r {input} -Y 'tls.handshake.type==2' -T fields -e frame.number -e tls.handshake.version -e tls.handshake.ciphersuite
--@ next: Find the app. Nothing that is still cared for needs this.
SELECT s.file_id AS file_id, min(s.at) AS at, 'packet '||min(s.packet)||': '||f.party||': '||CASE s.version WHEN 768 THEN 'SSL 3.0' WHEN 769 THEN 'TLS 1.0' WHEN
	770 THEN 'TLS 1.1' WHEN 771 THEN 'TLS 1.2' ELSE 'SSL' END||', '||coalesce(k.name,'cipher '||s.cipher) AS evidence,
	f.party||' '||s.version||' '||s.cipher AS subject 
	FROM tls_sessions s JOIN flows f USING(file_id, blob_id, flow) LEFT JOIN
	tls_ciphers k ON CAST(k.id AS INTEGER)=s.cipher
	WHERE s.version NOT NULL AND (s.version<771 OR k.grade='fail') GROUP BY s.file_id, f.party, s.version, s.cipher;
