-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T02
--@ title: A DNS answer that holds more than was asked: bytes of somebody's memory
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: Wallbleed (Fan et al., NDSS 2025): a DNS injector sent up to 125 bytes of its memory
--@ lookalike: An answer whose question differs in letters only, a truncated answer, one put together from fragments: not counted. A question that
--| merely differs is told by another rule.
--@ explain: The question in this answer goes on behind the end of the query. A resolver repeats the question it was asked; a machine that trusts a
--| length in a malformed query copies what lies behind it in its own memory. The surplus bytes are in the facts, as they came. The defect was
--| described in 2024 and was repaired since, so it is rare.
--|
--| It shows a faulty machine on the way that answers DNS queries, not whose it is.
--@ verify: gifthorse query {input} "SELECT packet, hex(value) FROM traffic_oddities WHERE kind='dns_over_read'"
--@ next: Keep the capture: the surplus bytes are evidence about the machine on the way. Use encrypted DNS.
SELECT o.file_id AS file_id, o.at AS at, 'packet '||o.packet||': '||length(CAST(o.value AS BLOB))||' surplus bytes: '||lower(substr(hex(o.value),1,64)) AS
	evidence, 'packet '||o.packet AS subject
	FROM traffic_oddities o WHERE o.kind='dns_over_read';
