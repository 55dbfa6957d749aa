-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T04
--@ title: QUIC to one name never answered while other traffic works
--@ severity: info
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: published measurements of QUIC filtering by name (USENIX Security 2025), from memory
--@ lookalike: Many firewalls drop all QUIC, and phones then use TCP without harm. One unanswered packet, or a capture in which nothing is answered,
--| is not counted.
--@ explain: The phone asked this name by QUIC at least twice within one connection and no answer came for five seconds, while other QUIC connections
--| in the same capture were answered. Filtering by name looks like this; so does a server without QUIC, and a lost path.
--|
--| This alone proves no interference.
--@ verify: tshark -r {input} -Y 'quic' -T fields -e frame.number -e ip.dst -e tls.handshake.extensions_server_name
--@ next: Compare with another network. If the same name answers there by QUIC, it is filtered here.
WITH q AS MATERIALIZED (SELECT file_id, at, packet, packets_out, packets_in, party, sport, first_us, last_us, local FROM flows WHERE protocol='quic')
	SELECT f.file_id AS file_id, f.at AS at, 'packet '||f.packet||': '||f.packets_out||' packets to '||f.party||', none back' AS evidence,
	 f.party||' '||f.sport AS subject FROM q f
	WHERE f.packets_in=0 AND f.packets_out>=2 AND f.last_us-f.first_us>=300000 AND NOT f.local
	AND EXISTS(SELECT 1 FROM q g WHERE g.file_id=f.file_id AND g.packets_in>0 AND g.first_us<=f.last_us+5000000 AND g.last_us>=f.first_us-5000000)
	AND EXISTS(SELECT 1 FROM captures c WHERE c.file_id=f.file_id AND c.last_us-f.last_us>=5000000);
