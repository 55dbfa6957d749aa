-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T15
--@ title: DNS answers that disagree or answer another question
--@ severity: info
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: two answers in turn to a repeated query, in public captures
--@ lookalike: This is the look-alike of forged answers: differing addresses from one and the same distance.
--@ explain: One query was answered twice with different addresses, from one distance, or with a question that was not the one asked. Servers that
--| give addresses in turn do this when a query is repeated.
--|
--| Alone it proves nothing; it is written down so that it can be compared.
--@ verify: tshark -r {input} -Y 'dns' -T fields -e frame.number -e dns.id -e dns.qry.name -e dns.a
--@ next: Nothing, unless other findings name the same resolver.
SELECT o.file_id AS file_id, o.at AS at, 'packet '||o.packet||': '||CASE o.kind WHEN 'dns_question_differs' THEN
	'the question of the answer is not the one that was asked' ELSE CAST(o.value AS TEXT) END AS evidence, o.kind||' '||o.packet AS subject
	FROM traffic_oddities o WHERE o.kind IN ('dns_two_answers','dns_question_differs');
