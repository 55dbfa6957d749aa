-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L05
--@ title: A certificate authority was added to the phone
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: the phone's own word
--@ needs: plugin live, live path /data/misc/user/0/cacerts-added
--@ case: interception by a network, a school or an employer
--@ lookalike: the folder is empty on most phones; a filter against advertisements or a debugging tool that the owner installed adds
--|  one as well: it is a question
--@ explain: Whoever holds the key of this authority can read connections of apps that trust added authorities.
--|
--|  The owner, an employer or a filter may have added it. On a phone without root its list cannot be read, and this check
--|  then says nothing.
--@ verify: ls -lZ /data/misc/user/0/cacerts-added   # on the phone, as root
--@ next: Look up in the settings, under encryption and credentials, which authority it is; ask who added it.
SELECT l.file_id AS file_id, l.line AS at, l.path AS evidence, l.path AS subject FROM live_files l WHERE l.path LIKE
    '/data/misc/user/%/cacerts-added/%' AND l.state IS NULL
UNION
SELECT f.file_id, NULL, f.dpath, f.dpath FROM files f WHERE f.dpath LIKE '/data/misc/user/%/cacerts-added/%' AND f.ftype='file'
  AND NOT EXISTS(SELECT 1 FROM live_files l WHERE l.path=f.dpath);
