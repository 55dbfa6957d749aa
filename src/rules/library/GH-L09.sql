-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L09
--@ title: Names are looked up, or traffic is sent, by a way that was set on the phone
--@ severity: low
--@ axis: behaviour
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live settings
--@ case: DNS changers; interception by a proxy
--@ lookalike: the well-known public resolvers (Google, Cloudflare, Quad9, AdGuard) and empty values are not matched; a resolver, a
--|  filter or a VPN that the owner chose looks the same: it is a question
--@ explain: A setting of the phone sends name queries to a server of somebody's choice, or all traffic through a proxy or a VPN.
--|  Whoever runs it sees which servers the phone talks to.
--|
--|  Owners set such things themselves, against advertisements or at work.
--@ verify: settings list global | grep -E 'private_dns|proxy'   # on the phone
--@ next: Ask the owner whether they set it and who runs it.
SELECT s.file_id AS file_id, s.line AS at, s.key||'='||s.value AS evidence, s.space||' '||s.key||' '||COALESCE(s.user,'')||' '||s.line AS subject
FROM live_settings s
WHERE (s.key='private_dns_specifier' AND s.value NOT IN
    ('','null','dns.google','one.one.one.one','1dot1dot1dot1.cloudflare-dns.com','dns.adguard.com','dns.adguard-dns.com','dns.quad9.net'))
  OR (s.key IN ('http_proxy','global_http_proxy_host','global_proxy_pac_url','always_on_vpn_app') AND s.value NOT IN ('','null',':0'));
