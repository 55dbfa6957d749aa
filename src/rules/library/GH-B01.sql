-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B01
--@ title: Verified boot rests on a signing key that everybody has
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin avb, verified lists, knowledge known_keys
--@ case: Lenovo tablets and a game handheld with the AOSP key in stock vbmeta
--@ lookalike: home-built systems (LineageOS, GSI) use the same key because nobody asked for another; on a developer build the
--|  row is lowered. An image's own footer that no vbmeta points to is lowered too. A list that names such a key and whose
--|  signature does not hold was not made with it: GH-B22
--@ explain: At start-up the phone checks its system against a signature. Here the signature was made with a test key from
--|  Android's public source code. Its private half is on the internet, so anybody can change the system and sign it again, and
--|  the phone will still say that everything is in order.
--|
--|  It does not show that somebody did change anything. It shows that a good start-up check of this phone proves little.
--@ verify: gifthorse cat {input} {image} | python3 -c 'import sys,struct,hashlib; d=sys.stdin.buffer.read()[{offset}:];
--|  a=struct.unpack_from(">Q",d,12)[0]; o,n=struct.unpack_from(">QQ",d,64); print(hashlib.sha1(d[256+a+o:256+a+o+n]).hexdigest())'   # against
--|  data/known_keys.tsv; avbtool info_image prints the same as "Public key (sha1)"
--@ next: Keep the firmware file and this report first. Then ask the maker for a build signed with a key of its own; until then
--|  treat the phone as one whose software anybody near it could have replaced.
SELECT a.file_id AS file_id, a.at AS at,
       printf('%s is signed with key %s (%s)', COALESCE(a.partition,'an image without a partition name'), a.pubkey_sha1, k.name) AS evidence,
       CASE WHEN a.partition IS NULL OR a.partition NOT LIKE 'vbmeta%' THEN 'medium'
            WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END AS severity,
       COALESCE(a.partition,'-') AS subject
FROM avb_images a JOIN known_keys k ON k.digest=lower(a.pubkey_sha1), scan s
-- modules are judged by GH-B05
WHERE k.role='test' AND a.state='verified' AND COALESCE(a.partition,'') NOT LIKE 'apex%'
UNION ALL
SELECT d.file_id, d.at,
       printf('%s hands the check of %s to key %s (%s)', COALESCE(a.partition,'an image'), d.partition, d.key_sha1, k.name),
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' END,
       'chain '||d.partition
FROM avb_descriptors d JOIN avb_images a ON a.image_id=d.image_id JOIN known_keys k ON k.digest=lower(d.key_sha1), scan s
WHERE d.kind='chain' AND a.state='verified' AND k.role='test';
