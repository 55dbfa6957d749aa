-- SPDX-License-Identifier: Apache-2.0
-- Who was talked to, and whether it was secure. Reads c_flows, c_dns_answers, c_tls_sessions, c_tls_certs, tls_ciphers, public_sites, intercept_names; makes d_captures,
-- d_flows, d_parties, d_beacons. A connection is good where its certificate was seen and leads to a root; bad where everybody on the way reads it, or where what was seen
-- is wrong; not visible where the capture cannot tell. Never good for want of evidence.
-- The tables of content are many rows here, and are joined by the flow they belong to.
CREATE INDEX IF NOT EXISTS c_flows_id ON c_flows(blob_id, id);
CREATE INDEX IF NOT EXISTS c_tls_sessions_flow ON c_tls_sessions(blob_id, flow);
CREATE INDEX IF NOT EXISTS c_tls_certs_flow ON c_tls_certs(blob_id, flow);
CREATE INDEX IF NOT EXISTS c_leaks_flow ON c_leaks(blob_id, flow);
CREATE INDEX IF NOT EXISTS c_oddities_flow ON c_traffic_oddities(blob_id, flow);
INSERT INTO d_captures WITH RECURSIVE up(capture, blob, depth) AS (SELECT blob_id, blob_id, 0 FROM c_captures UNION SELECT capture, m.blob_id, depth+1 FROM up JOIN c_members m
	ON m.child=up.blob WHERE depth<16) SELECT (SELECT scan_id FROM cur), capture, min(p.place_id) FROM up JOIN places p ON p.blob_id=up.blob
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 GROUP BY capture;
-- Addresses and the names whose answers held them.
DROP TABLE IF EXISTS temp.resolved;
CREATE TEMP TABLE resolved AS SELECT a.blob_id, a.value, a.us, a.client, lower(CAST(a.qname AS TEXT)) AS qname FROM c_dns_answers a WHERE a.type IN (1,28) AND a.qname<>'' AND a.blob_id IN (SELECT blob_id FROM d_captures WHERE scan_id=(SELECT scan_id FROM cur));
CREATE INDEX temp.resolved_client ON resolved(blob_id, value, client, us, qname);
CREATE INDEX temp.resolved_value ON resolved(blob_id, value, us, qname);
INSERT OR IGNORE INTO d_names SELECT DISTINCT (SELECT scan_id FROM cur), lower(CAST(qname AS TEXT)), gh_site(lower(CAST(qname AS TEXT))) FROM c_dns_messages
	WHERE qname NOT NULL AND blob_id IN (SELECT blob_id FROM d_captures WHERE scan_id=(SELECT scan_id FROM cur));
-- One row a TLS connection: the first session of a flow.
DROP TABLE IF EXISTS temp.ts;
CREATE TEMP TABLE ts AS SELECT s.blob_id, s.flow, s.version, s.chain, s.why, s.issuer, s.app_data, s.resumed, s.alert_client, s.ech, s.grp, k.name AS cipher_name, k.grade
	FROM c_tls_sessions s LEFT JOIN tls_ciphers k ON CAST(k.id AS INTEGER)=s.cipher WHERE s.blob_id IN (SELECT blob_id FROM d_captures WHERE scan_id=(SELECT scan_id FROM cur)) GROUP BY s.blob_id, s.flow HAVING min(s.n);
CREATE INDEX temp.ts_flow ON ts(blob_id, flow);

-- One row a connection, in one pass: who it was with, and what is to be said of it.
DROP TABLE IF EXISTS temp.tf;
CREATE TEMP TABLE tf AS SELECT f.place_id, f.blob_id, f.id, f.proto, f.src, f.dst, f.dport, f.local, f.first_us, f.last_us, f.packet, f.at, f.bytes_out, f.bytes_in, f.protocol, f.app,
	coalesce(f.own, f.by_dns, f.by_cert, f.dst) AS party,
	CASE WHEN f.own NOT NULL THEN f.name_by WHEN f.by_dns NOT NULL THEN 'dns' WHEN f.by_cert NOT NULL THEN 'certificate' ELSE 'address' END AS by,
	gh_site(coalesce(f.own, f.by_dns, f.by_cert)) AS site, s.version, s.chain, s.issuer, CASE
	WHEN f.proto NOT IN ('tcp','udp') THEN '|'
	WHEN f.stream_out+f.stream_in=0 THEN '|no data'
	WHEN s.flow NOT NULL AND s.version IS NULL THEN '|no answer'
	WHEN s.flow NOT NULL AND s.version<768 THEN 'bad|SSL 2.0'
	WHEN s.flow NOT NULL AND s.version=768 THEN 'bad|SSL 3.0'
	WHEN s.flow NOT NULL AND s.version IN (769,770) THEN 'bad|TLS 1.'||(s.version-769)
	WHEN s.grade='fail' THEN 'bad|cipher '||s.cipher_name
	WHEN s.chain='unknown_ca' THEN 'not_visible|private CA: '||coalesce(s.issuer,'')
	WHEN s.chain='self_signed' AND f.local THEN 'not_visible|signed by itself, in the local network'
	WHEN s.chain='self_signed' THEN 'bad|certificate signed by itself'
	WHEN s.chain IN ('expired','not_yet_valid','name_mismatch','bad_signature','not_valid') THEN 'bad|certificate: '||CASE s.chain WHEN 'expired' THEN 'expired'
		WHEN 'not_yet_valid' THEN 'not valid yet' WHEN 'name_mismatch' THEN 'for another name' WHEN 'bad_signature' THEN 'wrong signature' ELSE coalesce(s.why,'not valid') END
	WHEN s.chain='good' AND s.why LIKE '%name that was asked%' THEN 'not_visible|'||s.why
	WHEN s.chain='good' AND s.why NOT NULL THEN 'bad|'||s.why
	WHEN s.chain='good' THEN 'good|'
	WHEN s.chain='not_visible' AND s.version=772 THEN 'not_visible|TLS 1.3 hides the certificate'
	WHEN s.chain='not_visible' THEN 'not_visible|a resumed session shows no certificate'
	WHEN s.flow NOT NULL THEN 'not_visible|the certificate is not in the capture'
	WHEN f.protocol='quic' THEN 'not_visible|QUIC hides the certificate'
	WHEN f.protocol='ssh' THEN 'not_visible|SSH'
	WHEN f.protocol='tls' THEN 'not_visible|the handshake is not in the capture'
	WHEN f.protocol IN ('dns','dhcp','ntp','mdns','llmnr','nbns','ssdp') THEN '|'
	WHEN f.local AND f.protocol NOT NULL THEN '|'
	WHEN f.protocol NOT NULL THEN 'bad|in the clear: '||f.protocol
	WHEN f.local THEN '|'
	ELSE 'not_visible|protocol not known' END AS verdict
	FROM (SELECT h.place_id, f.*, CAST(f.name AS TEXT) AS own,
		CASE WHEN f.name IS NULL THEN coalesce((SELECT qname FROM resolved r WHERE r.blob_id=f.blob_id AND r.value=f.dst AND r.us<=f.first_us AND r.client=f.src
			ORDER BY r.us DESC, r.qname DESC LIMIT 1), (SELECT qname FROM resolved r WHERE r.blob_id=f.blob_id AND r.value=f.dst ORDER BY r.us, r.qname LIMIT 1)) END AS by_dns,
		CASE WHEN f.name IS NULL THEN (SELECT lower(substr(names, 1, instr(names||' ', ' ')-1)) FROM c_tls_certs c WHERE c.blob_id=f.blob_id AND c.flow=f.id AND c.position=0
			AND c.names IS NOT NULL LIMIT 1) END AS by_cert
		FROM d_captures h JOIN c_flows f USING(blob_id) WHERE h.scan_id=(SELECT scan_id FROM cur) LIMIT -1) f -- the limit: names are looked up once, not in each place they are used
	LEFT JOIN ts s ON s.blob_id=f.blob_id AND s.flow=f.id;
-- An authority that Android does not know, and that signs for names of different owners or of those whose certificates are public, reads along. One that signs for
-- one owner is that owner's own.
DROP TABLE IF EXISTS temp.strange;
CREATE TEMP TABLE strange AS SELECT blob_id, issuer FROM tf WHERE chain IN ('unknown_ca','self_signed') AND issuer NOT NULL AND site NOT NULL GROUP BY 1, 2
	HAVING count(DISTINCT site)>=3 OR max(site IN (SELECT site FROM public_sites)) OR max(EXISTS(SELECT 1 FROM intercept_names x WHERE instr(lower(issuer), lower(x.name))>0));
UPDATE tf SET verdict='bad|signed by '||issuer||', which Android does not know and which signs for others'' names' WHERE chain IN ('unknown_ca','self_signed')
	AND (verdict LIKE 'not_visible|private CA%' OR verdict LIKE 'not_visible|signed by itself%' OR verdict='bad|certificate signed by itself')
	AND EXISTS(SELECT 1 FROM strange x WHERE x.blob_id=tf.blob_id AND x.issuer=tf.issuer);
CREATE INDEX temp.tf_party ON tf(party);
INSERT OR IGNORE INTO d_flows SELECT (SELECT scan_id FROM cur), place_id, blob_id, id, party, by, site, nullif(substr(verdict, 1, instr(verdict,'|')-1),''),
	nullif(substr(verdict, instr(verdict,'|')+1),'') FROM tf;

-- Parties: the worst of its connections is a party's state.
DROP VIEW IF EXISTS temp.pf;
CREATE TEMP VIEW pf AS SELECT *, nullif(substr(verdict, instr(verdict,'|')+1),'') AS why, CASE substr(verdict,1,3) WHEN 'bad' THEN 3 WHEN 'not' THEN 2 WHEN 'goo' THEN 1 ELSE 0 END AS rank
	FROM tf WHERE dst NOT LIKE 'ff%:%' AND dst<>'255.255.255.255' AND NOT (local AND CAST(dst AS INTEGER)>=224);
DROP TABLE IF EXISTS temp.pp;
CREATE TEMP TABLE pp AS SELECT party, max(rank) AS rank, min(by) AS by, min(local) AS local, count(DISTINCT dst) AS addresses, min(first_us) AS first_us, max(last_us) AS last_us,
	gh_sum(bytes_out) AS bytes_out, gh_sum(bytes_in) AS bytes_in, count(*) AS flows, min(place_id) AS place_id, min(packet) AS packet, min(dst) AS dst FROM pf GROUP BY party;
INSERT INTO d_parties SELECT (SELECT scan_id FROM cur), row_number() OVER (ORDER BY rank DESC, bytes_out+bytes_in DESC, party)-1, party, by, local, addresses, first_us, last_us,
	bytes_out, bytes_in, flows,
	(SELECT group_concat(x, ' ') FROM (SELECT DISTINCT protocol AS x FROM pf q WHERE q.party=pp.party AND protocol NOT NULL ORDER BY 1)),
	CASE rank WHEN 3 THEN 'bad' WHEN 2 THEN 'not_visible' WHEN 1 THEN 'good' END,
	(SELECT group_concat(x, '; ') FROM (SELECT DISTINCT why AS x FROM pf q WHERE q.party=pp.party AND q.rank=pp.rank AND why NOT NULL ORDER BY 1 LIMIT 3)),
	(SELECT group_concat(x, ' ') FROM (SELECT DISTINCT CASE version WHEN 772 THEN '1.3' WHEN 771 THEN '1.2' WHEN 770 THEN '1.1' WHEN 769 THEN '1.0' WHEN 768 THEN 'SSL3' END AS x
		FROM pf q WHERE q.party=pp.party AND version NOT NULL ORDER BY 1)),
	(SELECT group_concat(x, ' ') FROM (SELECT DISTINCT CAST(app AS TEXT) AS x FROM pf q WHERE q.party=pp.party AND app NOT NULL ORDER BY 1)), place_id, packet,
	(SELECT country FROM d_networks w WHERE w.scan_id=(SELECT scan_id FROM cur) AND w.address=pp.dst), (SELECT owner FROM d_networks w WHERE w.scan_id=(SELECT scan_id FROM cur)
		AND w.address=pp.dst), (SELECT group_concat(x, ' ') FROM (SELECT substr(value, instr(value,char(9))+1) AS x FROM d_given g WHERE g.scan_id=(SELECT scan_id FROM cur)
		AND g.key='names' AND substr(value, 1, instr(value,char(9))-1)=pp.party ORDER BY 1 LIMIT 3)) FROM pp;
DROP TABLE temp.pp;

-- Calls home: connections to one party, by how regular their times and sizes are.
INSERT INTO d_beacons SELECT scan_id, place_id, src, party, dport, n, json_extract(b,'$[0]'), json_extract(b,'$[1]'), json_extract(b,'$[2]'), bytes, json_extract(b,'$[3]'), packet, at FROM (
	SELECT (SELECT scan_id FROM cur) AS scan_id, f.place_id, f.src, f.party, f.dport, count(*) AS n, gh_beacon(f.first_us, f.bytes_out, c.first_us, c.last_us) AS b,
		gh_sum(f.bytes_out) AS bytes, min(f.packet) AS packet, min(f.at) AS at FROM tf f
		JOIN c_captures c ON c.blob_id=f.blob_id WHERE f.proto IN ('tcp','udp') AND NOT f.local AND coalesce(f.protocol,'') NOT IN ('dns','ntp','dhcp','mdns','ssdp','llmnr','nbns')
		AND f.dport NOT IN (53,123,853,5223,5228,5229,5230) AND f.party NOT IN (SELECT name FROM quiet_names)
		GROUP BY f.blob_id, f.src, f.party, f.dport HAVING count(*)>=4) WHERE b NOT NULL;
DROP VIEW temp.pf; DROP TABLE temp.strange; DROP TABLE temp.ts; DROP TABLE temp.resolved; DROP TABLE temp.tf;
