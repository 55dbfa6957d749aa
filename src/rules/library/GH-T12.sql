-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T12
--@ title: DNS sent past the network's own resolver
--@ severity: info
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, resolvers, knowledge encrypted_dns
--@ case: devices with a resolver of their own, as in public captures
--@ lookalike: Android's Private DNS and browsers use encrypted DNS on purpose, and are told as what they are.
--@ explain: The network told the phone which resolvers to use (DHCP), and names were asked elsewhere: at another server, or by encrypted DNS. The
--| owner may have set that; so may an app, to be seen by nobody in the network.
--|
--| Names that were asked by encrypted DNS are not visible in this capture.
--@ verify: tshark -r {input} -Y 'dns || tcp.port==853' -T fields -e frame.number -e ip.dst -e dns.qry.name
--@ next: Look whether Private DNS is set in Android's settings. If not, find the app that asks.
WITH given AS MATERIALIZED (SELECT DISTINCT file_id, address FROM resolvers), told AS MATERIALIZED (SELECT DISTINCT file_id FROM resolvers),
	asked AS MATERIALIZED (SELECT file_id, server, min(at) AS at, min(packet) AS packet, count(DISTINCT qname) AS n FROM dns_messages WHERE response=0 AND file_id IN (SELECT
	file_id FROM told) GROUP BY file_id, server)
	SELECT a.file_id AS file_id, a.at AS at, 'packet '||a.packet||': '||a.n||' names asked at '||a.server AS evidence, 'dns '||a.server AS subject FROM asked a
	WHERE NOT EXISTS(SELECT 1 FROM given g WHERE g.file_id=a.file_id AND g.address=a.server)
	UNION ALL SELECT f.file_id, min(f.at), 'packet '||min(f.packet)||': encrypted DNS with '||f.party||' port '||f.dport, 'encrypted '||f.party FROM flows f WHERE
	(f.dport=853 OR f.party IN (SELECT name FROM encrypted_dns)) AND f.stream_out>0
	AND f.file_id IN (SELECT file_id FROM told) GROUP BY f.file_id, f.party, f.dport;
