-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T08
--@ title: An authority that Android does not know signs for other people's names
--@ severity: critical
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, knowledge public_sites, knowledge intercept_names
--@ case: interception with a national root (Kazakhstan, 2019) and by programmes that read along, from memory
--@ lookalike: A maker or an app with an authority of its own signs for that owner's names only, and is told as private CA. A router's own page lies
--| in the local network.
--@ explain: Certificates for names of different owners, or for a name whose certificates are always public, come from one authority that no Android
--| has shipped. Whoever holds its key reads and changes these connections. If data went on, the phone or the app trusts that authority.
--|
--| A company's own phone, an analyst's proxy or a virus scanner does this on purpose and with consent. The capture does not show consent.
--@ verify: tshark -r {input} -Y 'tls.handshake.certificate' -T fields -e frame.number -e x509sat.printableString -e x509sat.uTF8String
--@ next: Ask whoever runs the network or manages the phone. If nobody can explain it, look into Settings, Security, Trusted credentials, and leave
--| the network.
SELECT s.file_id AS file_id, min(s.at) AS at, 'packet '||min(s.packet)||': '||s.issuer||' signs for '||count(DISTINCT
	f.site)||' domains, among them '||min(f.party)||CASE WHEN max(s.app_data)=1 THEN ', data followed' ELSE ', no data followed' END AS evidence,
	CASE WHEN max(s.app_data)=0 THEN 'medium' END AS severity, s.issuer AS subject FROM tls_sessions s JOIN flows f USING(file_id, blob_id, flow) WHERE s.chain IN
	('unknown_ca','self_signed') AND f.site NOT NULL AND s.issuer NOT NULL
	GROUP BY s.file_id, s.issuer HAVING count(DISTINCT f.site)>=3 OR max(f.site IN (SELECT site FROM public_sites)) OR max(EXISTS(SELECT 1 FROM intercept_names x
	WHERE instr(lower(s.issuer),lower(x.name))>0));
