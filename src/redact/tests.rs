//! The engine as its callers see it.

use super::*;

fn key() -> PseudonymKey {
    PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal")
}

pub(super) fn learner() -> Learner {
    Learner::new(&Settings::default(), key()).expect("no rules of the user's")
}

pub(super) fn engine() -> Engine {
    learner().finish()
}

/// `text` with every mask written as `‹class›`.
fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("REDACTED-") {
        out.push_str(&rest[..at]);
        let length = pseudonym::mask_length(&rest.as_bytes()[at..]).expect("a mask");
        let class = rest[at + 9..].split('-').next().expect("a class");
        out.push('‹');
        out.push_str(class);
        out.push('›');
        rest = &rest[at + length..];
    }
    out + rest
}

fn masked(carrier: Carrier, text: &str) -> String {
    let bytes = engine().bytes(carrier, "test", text.as_bytes()).expect("it is redacted");
    shown(&String::from_utf8(bytes).expect("masks are ASCII"))
}

pub(super) fn check(carrier: Carrier, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, wanted)| {
            let got = masked(carrier, text);
            (got != *wanted).then(|| format!("{text:?}\n     got {got:?}\n  wanted {wanted:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn values_of_secret_named_keys_are_masked_in_every_notation() {
    check(
        Carrier::Text,
        &[
            ("password=hunter2", "password=‹pw›"),
            ("PASSWORD=hunter2 other", "PASSWORD=‹pw› other"),
            ("  \"password\": \"hunter2\",", "  \"password\": \"‹pw›\","),
            (
                "{\"a\":\"{\\\"password\\\":\\\"hun\\\\\\\"ter2\\\",\\\"b\\\":1}\"}",
                "{\"a\":\"{\\\"password\\\":\\\"‹pw›\\\",\\\"b\\\":1}\"}",
            ),
            ("{\"pin_password\": 12345678}", "{\"pin_password\": \"‹pw›\"}"),
            ("password: correct horse battery", "password: ‹pw›"),
            ("db_password = 'it''s' # comment", "db_password = '‹pw›' # comment"),
            ("export DB_PASSWORD=abc#1", "export DB_PASSWORD=‹pw›"),
            ("Environment=\"DB_PASSWORD=a b c\" \"X=1\"", "Environment=\"DB_PASSWORD=‹pw›\" \"X=1\""),
            ("spring.datasource.password=x,y", "spring.datasource.password=‹pw›"),
            ("<password>hunter2</password>", "<password>‹pw›</password>"),
            ("<name>fs.password</name>\n  <value>hunter2</value>", "<name>fs.password</name>\n  <value>‹pw›</value>"),
            ("<add key=\"Password\" value=\"hunter2\"/>", "<add key=\"Password\" value=\"‹pw›\"/>"),
            ("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: ‹pw›\n"),
            ("{\"name\": \"DB_PASSWORD\", \"value\": \"hunter2\"}", "{\"name\": \"DB_PASSWORD\", \"value\": \"‹pw›\"}"),
            (
                "Config { user: Some(\"a\"), password: Some(\"hunter2\"), n: 3 }",
                "Config { user: Some(\"a\"), password: Some(\"‹pw›\"), n: 3 }",
            ),
            ("Config { password: hunter2, n: 3 }", "Config { password: ‹pw›, n: 3 }"),
            ("level=info password=hunter2 user=bob", "level=info password=‹pw› user=bob"),
            ("GET /x?password=hunter2&b=1 HTTP/1.1", "GET /x?password=‹pw›&b=1 HTTP/1.1"),
            ("Server=x;Password=hun;ter2;Database=y", "Server=x;Password=‹pw›;Database=y"),
            ("Pwd={a;b c};Database=y", "Pwd={‹pw›};Database=y"),
            ("$cfg['password'] = 'hunter2';", "$cfg['password'] = '‹pw›';"),
            ("define('DB_PASSWORD', 'hunter2');", "define('DB_PASSWORD', '‹pw›');"),
            ("os.environ.get(\"DB_PASSWORD\", \"hunter2\")", "os.environ.get(\"DB_PASSWORD\", \"‹pw›\")"),
            ("password:\n  hunter2\n", "password:\n  ‹pw›\n"),
            ("password: |\n  hunter2\nother: 1\n", "password: |\n  ‹pw›\nother: 1\n"),
            ("\\u0026password=hunter2", "\\u0026password=‹pw›"),
            ("&quot;password&quot;:&quot;hunter2&quot;\n", "&quot;password&quot;:&quot;‹pw›&quot;\n"),
            (
                "\u{1b}[31mpassword\u{1b}[0m=\u{1b}[32mhunter2\u{1b}[0m",
                "\u{1b}[31mpassword\u{1b}[0m=\u{1b}[32m‹pw›\u{1b}[0m",
            ),
            ("password=hunter2\r\nx=1\r\n", "password=‹pw›\r\nx=1\r\n"),
            ("2026 INFO Generated root user password: x8Kq2mZw", "2026 INFO Generated root user password: ‹pw›"),
            ("Unseal Key 1: q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91L=", "Unseal Key 1: ‹key›"),
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '‹pw›'"),
            ("CREATE USER x IDENTIFIED BY 'hunter2';", "CREATE USER x IDENTIFIED BY '‹pw›';"),
            ("iggy --password hunter2 ping", "iggy --password ‹pw› ping"),
            ("machine h login u password hunter", "machine h login u password ‹pw›"),
            ("got token 3k144a5af729351d0fc58bdrj9a21mkr ok", "got token ‹tok› ok"),
            ("requirepass foobared", "requirepass ‹pw›"),
            ("rocommunity s3cret 10.0.0.0/8", "rocommunity ‹pw› 10.0.0.0/8"),
            ("password: ${DB_PASSWORD:-hunter2}", "password: ${DB_PASSWORD:-‹pw›}"),
            ("encrypt = \"q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91L=\"", "encrypt = \"‹key›\""),
            ("args: [\"--password\", \"hunter2\"]", "args: [\"--password\", \"‹pw›\"]"),
            ("CONSUL_HTTP_TOKEN=550e8400-e29b-41d4-a716-446655440000", "CONSUL_HTTP_TOKEN=‹tok›"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8m1v2n3b", "aws_secret_access_key = ‹key›"),
            ("msg=\"password=пароль1234\"", "msg=\"password=‹pw›\""),
        ],
    );
}

#[test]
fn headers_lose_their_credentials_and_keep_their_schemes() {
    check(
        Carrier::Text,
        &[
            ("Authorization: Bearer abc.def", "Authorization: Bearer ‹tok›"),
            ("-H 'Authorization: Basic dXNlcjpwYXNz'", "-H 'Authorization: Basic ‹tok›'"),
            ("authorization: \"SSWS 00abc\"", "authorization: \"SSWS ‹tok›\""),
            (
                "Authorization: Digest username=\"a\", realm=\"r\", response=\"0123\"",
                "Authorization: Digest username=\"a\", realm=\"r\", response=\"‹tok›\"",
            ),
            ("X-Api-Key: abcdef0123", "X-Api-Key: ‹key›"),
            ("Cookie: sid=abc; theme=dark", "Cookie: sid=‹cookie›; theme=‹cookie›"),
            ("Cookie: ghp_0123456789abcdefghijABCDEFGHIJ012345=abc", "Cookie: ‹tok›=‹cookie›"),
            (
                "Authorization = x8Kq2mZw91LpTr5v ghp_0123456789abcdefghijABCDEFGHIJ012345",
                "Authorization = ‹tok› ‹tok›",
            ),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101, Signature=0123456789abcdef",
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101, Signature=‹tok›",
            ),
            ("Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: sid=‹cookie›; Path=/; HttpOnly"),
            ("sending Bearer q8Zk2mXw91LpTr5v now", "sending Bearer ‹tok› now"),
        ],
    );
}

#[test]
fn urls_and_connection_strings_lose_only_their_credentials() {
    let pat = "9hV1Ku5qxQ02dNextK/llB7v8AnbJrBlscthOWRbkWii/hzcI/p+uCclPMcyK3J8jyI=";
    check(
        Carrier::Text,
        &[
            ("postgres://app:hunter2@db:5432/x?sslmode=require", "postgres://app:‹url›@db:5432/x?sslmode=require"),
            // A token for a user, and one in the name of a key.
            ("https://ghp_0123456789abcdefghijABCDEFGHIJ012345:-@h/x", "https://‹tok›:‹url›@h/x"),
            ("password/ghp_0123456789abcdefghijABCDEFGHIJ012345 = hunter2", "password/‹tok› = hunter2"),
            (
                "Cookie: ghp_0123456789abcdefghijABCDEFGHIJ012345=1; sid=abcdef0123456789",
                "Cookie: ‹tok›=‹cookie›; sid=‹cookie›",
            ),
            ("redis://:hunter2@cache:6379/0", "redis://:‹url›@cache:6379/0"),
            ("https://a:p@ss@host/x", "https://a:‹url›@host/x"),
            (&format!("iggy://{pat}@127.0.0.1:8090"), "iggy://‹tok›@127.0.0.1:8090"),
            ("iggy+tcp://svc:s3cretPassword@iggy-0.local:8090", "iggy+tcp://svc:‹url›@iggy-0.local:8090"),
            ("laser:q8Zk2mXw91LpTr5v@10.0.0.7:8090", "laser:‹url›@10.0.0.7:8090"),
            ("app:hunter2x@tcp(127.0.0.1:3306)/app", "app:‹url›@tcp(127.0.0.1:3306)/app"),
            (
                "https://ghp_0123456789abcdefghijABCDEFGHIJ012345:x-oauth-basic@github.com/",
                "https://‹tok›:x-oauth-basic@github.com/",
            ),
            ("postgres%3A%2F%2Fu%3Ahunter2%40host%2Fdb", "postgres%3A%2F%2Fu%3A‹url›%40host%2Fdb"),
            (
                "https://hooks.slack.com/services/T00000000/B00000000/q8Zk2mXw91LpTr5vq8Zk2mXw",
                "https://hooks.slack.com/services/‹url›",
            ),
            ("postgres://u:pa/ss@db:5432/x", "postgres://u:‹url›@db:5432/x"),
        ],
    );
}

#[test]
fn tokens_are_masked_wherever_they_stand() {
    check(
        Carrier::Text,
        &[
            ("x ghp_0123456789abcdefghijABCDEFGHIJ012345, y", "x ‹tok›, y"),
            ("ld_api_0123456789abcdef0123456789abcdef", "‹tok›"),
            ("bot 1234567890:AAabcdefghijklmnopqrstuvwxyz0123456", "bot ‹tok›"),
            ("acme_q8Zk2mXw91LpTr5vB3nM7cV4", "‹tok›"),
            ("{\"m\":\"x\\nacme_q8Zk2mXw91LpTr5vB3nM7cV4\"}", "{\"m\":\"x\\n‹tok›\"}"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U", "‹jwt›"),
            (
                "$argon2id$v=19$m=19456,t=2,p=1$y1LtJa56u72HdqxDscARUw$7ojyilbLvZxOJBRRTUYfOcGkc53fG/r4qBO3JCHM9o8",
                "$argon2id$v=19$m=19456,t=2,p=1$‹hash›",
            ),
            ("root:$6$abcdefgh01234567$q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5v.abc:19000:0", "root:$6$‹hash›:19000:0"),
            ("SCRAM-SHA-256$4096:abcdefghij==$abcdefghij=:abcdefghij=", "SCRAM-SHA-256$4096:‹hash›"),
        ],
    );
}

#[test]
fn private_keys_are_masked_line_by_line() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    check(
        Carrier::Text,
        &[
            (
                &format!("-----BEGIN PRIVATE KEY-----\n{line}\n{line}\nab==\n-----END PRIVATE KEY-----\nx"),
                "-----BEGIN PRIVATE KEY-----\n‹pem›\n‹pem›\n‹pem›\n-----END PRIVATE KEY-----\nx",
            ),
            (
                &format!("\"-----BEGIN RSA PRIVATE KEY-----\\n{line}\\n{line}\\n\""),
                "\"-----BEGIN RSA PRIVATE KEY-----\\n‹pem›\\n‹pem›\\n\"",
            ),
            (
                &format!(
                    "Aug 1 h x[1]: -----BEGIN PRIVATE KEY-----\nAug 1 h x[1]: {line}\nAug 1 h x[1]: {line}\nAug 1 h y[1]: done"
                ),
                "Aug 1 h x[1]: -----BEGIN PRIVATE KEY-----\nAug 1 h x[1]: ‹pem›\nAug 1 h x[1]: ‹pem›\nAug 1 h y[1]: done",
            ),
            (
                &format!("k: -----BEGIN PRIVATE KEY-----{line}{line}-----END PRIVATE KEY----- x"),
                "k: -----BEGIN PRIVATE KEY-----‹pem›-----END PRIVATE KEY----- x",
            ),
            (&format!("-----BEGIN PRIVATE KEY-----{line}: x"), "-----BEGIN PRIVATE KEY-----‹pem›: x"),
            // No block at all: the token before what looks like its end is one.
            (
                &format!("-----BEGIN PRIVATE KEY----- ghp_0123456789abcdefghijABCDEFGHIJ012345\t{line}: x"),
                "-----BEGIN PRIVATE KEY----- ‹tok›\t‹pem›: x",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUJ9Yb1Vd3qW0\n-----END CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUJ9Yb1Vd3qW0\n-----END CERTIFICATE-----\n",
            ),
            // Without its first and last line.
            (&format!("body: {line}\n"), "body: ‹key›\n"),
        ],
    );
}

#[test]
fn commands_lose_the_arguments_that_are_secrets() {
    check(
        Carrier::Text,
        &[
            ("mysql -uroot -phunter2 -P 3306", "mysql -uroot -p‹pw› -P 3306"),
            ("mysql -u root -p'hun ter2' db", "mysql -u root -p'‹pw›' db"),
            ("ssh -p 2222 host", "ssh -p 2222 host"),
            ("curl -u bob:hunter2 https://x", "curl -u bob:‹pw› https://x"),
            ("sshpass -p hunter2 ssh host", "sshpass -p ‹pw› ssh host"),
            ("redis-cli -a hunter2 ping", "redis-cli -a ‹pw› ping"),
            ("echo 'hunter2' | sudo -S ls", "echo '‹pw›' | sudo -S ls"),
            ("openssl rsa -in k -passin pass:hunter2", "openssl rsa -in k -passin pass:‹pw›"),
            ("/usr/bin/iggy -u iggy -p iggy stream list", "/usr/bin/iggy -u iggy -p ‹pw› stream list"),
            (
                "kubectl create secret generic x --from-literal=a=hunter2",
                "kubectl create secret generic x --from-literal=a=‹pw›",
            ),
            ("htpasswd -b f bob hunter2", "htpasswd -b f bob ‹pw›"),
            ("docker run -p 80:80 -e DB_PASSWORD=hunter2 x", "docker run -p 80:80 -e DB_PASSWORD=‹pw› x"),
            ("docker login -u u -p hunter2 reg", "docker login -u u -p ‹pw› reg"),
            ("\"Cmd\":[\"mysql\",\"-phunter2\"]", "\"Cmd\":[\"mysql\",\"-p‹pw›\"]"),
            ("cryptsetup luksOpen /dev/sdb1 x <<< hunter2", "cryptsetup luksOpen /dev/sdb1 x <<< ‹pw›"),
            ("grep x <<< hunter2", "grep x <<< hunter2"),
            ("echo hunter2 | kinit bob@EXAMPLE.ORG", "echo ‹pw› | kinit bob@EXAMPLE.ORG"),
            ("redis-cli AUTH app hunter2", "redis-cli AUTH app ‹pw›"),
            ("sqlplus scott/hunter2@orcl", "sqlplus scott/‹pw›@orcl"),
            ("rar a -hphunter2 x.rar dir", "rar a -hp‹pw› x.rar dir"),
            ("smbclient //h/share hunter2 -U bob", "smbclient //h/share ‹pw› -U bob"),
            ("smbclient -L host -U bob", "smbclient -L host -U bob"),
            ("net user bob hunter2x1 /add", "net user bob ‹pw› /add"),
            ("xfreerdp /v:host /u:bob /p:hunter2", "xfreerdp /v:host /u:bob /p:‹pw›"),
            ("ConvertTo-SecureString \"hunter2\" -AsPlainText", "ConvertTo-SecureString \"‹pw›\" -AsPlainText"),
        ],
    );
    check(
        Carrier::Argv,
        &[
            ("mysql\0-u\0root\0-phunter2\0", "mysql\0-u\0root\0-p‹pw›\0"),
            ("app\0--password\0-dash first\0--x\0", "app\0--password\0‹pw›\0--x\0"),
            ("app\0--api-key=a b\0", "app\0--api-key=‹key›\0"),
            ("sh\0-c\0mysql -phunter2 db\0", "sh\0-c\0mysql -p‹pw› db\0"),
        ],
    );
    check(
        Carrier::Text,
        &[
            (
                "type=PROCTITLE msg=audit(1:2): proctitle=6D7973716C002D7068756E74657232",
                "type=PROCTITLE msg=audit(1:2): proctitle=6D7973716C002D70‹pw›",
            ),
            (
                "type=EXECVE msg=audit(1:2): argc=3 a0=\"mysql\" a1=\"-phunter2\" a2=\"db\"",
                "type=EXECVE msg=audit(1:2): argc=3 a0=\"mysql\" a1=\"-p‹pw›\" a2=\"db\"",
            ),
        ],
    );
}

#[test]
fn environments_and_files_of_credentials_are_read_by_their_layout() {
    check(
        Carrier::Environ,
        &[(
            "A=1\0DB_PASSWORD=correct horse\0IGGY_ROOT_PASSWORD=iggy\0B=2\0",
            "A=1\0DB_PASSWORD=‹pw›\0IGGY_ROOT_PASSWORD=‹pw›\0B=2\0",
        )],
    );
    check(Carrier::Pgpass, &[("db:5432:*:app:hun:ter2\n", "db:5432:*:app:‹pw›\n")]);
    check(Carrier::UserSecret, &[("client * \"hunter2\" *\nbob:hunter2\n", "client * \"‹pw›\" *\nbob:‹pw›\n")]);
    check(
        Carrier::Toml,
        &[(
            "[a]\npassword = 12345678 # x\nkey_file = \"k\"\nb.token = 'abc'\n",
            "[a]\npassword = \"‹pw›\" # x\nkey_file = \"k\"\nb.token = '‹tok›'\n",
        )],
    );
}

#[test]
fn what_engineers_need_stays() {
    let kept = [
        "openssl req -new -key f.pem -keyout g.pem -kdf x",
        "password = \"/run/secrets/pw\"\nvalue = 1000",
        "request_id=550e8400-e29b-41d4-a716-446655440000 status=200",
        "commit 0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c (HEAD -> main)",
        "image: apache/iggy@sha256:0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c",
        "ssh-ed25519 key fingerprint SHA256:q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91L",
        "Server host key: ssh-ed25519 SHA256:YCAvrmv4bdLyiiHgpQf8Gx7hNa1SkM9HkBpguSiRP7m",
        "integrity=\"sha384-q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91Lq8Zk2mXw91LpTr5vq8Zk2\"",
        "unexpected token: string at line 4",
        "sshd[812]: Failed password for invalid user admin from 10.0.0.9 port 51514 ssh2",
        "authentication token manipulation error",
        "key: value mapping missing in document",
        "\"token_type\": \"Bearer\", \"expires_in\": 3600",
        "IGGY_ROOT_PASSWORD_FILE=/run/secrets/iggy_root_password",
        "valueFrom: {secretKeyRef: {name: iggy, key: root-password}}",
        "password: ${IGGY_ROOT_PASSWORD}",
        "ExecStart=/usr/bin/iggy --password=$IGGY_PW",
        "password: {{ .Values.auth.password }}",
        "encoding_secret = \"\"",
        "password=********",
        "\"token\":\"[REDACTED]\"",
        "public_key = \"q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91L=\"",
        "ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;",
        "fetching https://repo.example.org:8443/iggy/0.6.2/iggy.tar.gz?arch=amd64",
        "git@github.com:apache/iggy.git and npm i pkg@1.2.3 and ops@example.org",
        "backup 2026-08-21T03:40:00Z@node-1",
        "12:34:56 up 41 days, load average: 0.14, 0.22, 0.10",
        "passwd:         files systemd",
        "password\trequisite\t\t\tpam_deny.so",
        "at core::ops::function::FnOnce::call_once::h0123456789abcdef",
        "host api-production-eu-west-1a ready; sk-buff alloc failed on eth0; sk_lookup skipped",
        "ca_bundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JabcdefghijABCDEFGHIJ0123456789",
        "iggy_tokens_issued_total{node=\"0\"} 123456",
        "kernel.keys.maxkeys = 200",
        "cache_key=topics:orders:p3 primary_key=order_id partition_key=a",
        "wwn-0x5002538e40b1c2d3 -> ../../sda",
        "Started systemd-ask-password-console.path - Dispatch Password Requests",
    ];
    let cases: Vec<(&str, &str)> = kept.iter().map(|text| (*text, *text)).collect();
    check(Carrier::Text, &cases);
}

#[test]
fn a_secret_learned_in_one_place_is_masked_in_all_with_one_tag() {
    let mut learner = learner();
    learner.learn(Carrier::Environ, "environ", b"IGGY_ROOT_PASSWORD=Sup3r-Secret-Root-Pw!42\0").expect("it is read");
    let engine = learner.finish();
    let text = engine.text("a Sup3r-Secret-Root-Pw!42 b Sup3r-Secret-Root-Pw%2142 c password=Sup3r-Secret-Root-Pw!42");
    let tags: std::collections::BTreeSet<&str> = text.split("REDACTED-pw-").skip(1).map(|rest| &rest[..10]).collect();
    assert_eq!(tags.len(), 1, "{text}");
    assert_eq!(shown(&text), "a ‹pw› b ‹pw› c password=‹pw›");
    let summary = engine.summary();
    assert_eq!((summary.secrets_learned, summary.secrets_propagated), (1, 1));
    assert_eq!(summary.artifacts["report"].masks, 3);
    assert_eq!(summary.artifacts["report"].secrets, 1);
}

#[test]
fn a_default_password_is_masked_where_it_is_set_and_nowhere_else() {
    let mut learner = learner();
    learner.learn(Carrier::Environ, "environ", b"IGGY_ROOT_PASSWORD=iggy\0").expect("it is read");
    assert_eq!(shown(&learner.finish().text("iggy-server runs; password=iggy")), "iggy-server runs; password=‹pw›");
}

#[test]
fn masking_twice_is_masking_once() {
    let engine = engine();
    for text in [
        "password=hunter2",
        "postgres://u:hunter2@h/",
        "Cookie: a=b; c=d",
        "Authorization: Basic dXNlcjpwYXNz",
        "{\"secret\": 1234567890123}",
        "pwREDACTED-pw-xufcmizb3j-b64=w2xQ7p",
        "REDACTED-pw-xufcmizb3j_password=w2xQ7p",
        "$2y$gOOOOOOOOOOOOpw=pw=hunter2",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345REDACTED-pw-abcdefghijdata:data:",
    ] {
        let once = engine.text(text);
        assert_eq!(engine.text(&once), once, "{text}");
    }
}

#[test]
fn verifiers_in_a_binary_are_overwritten_at_equal_length() {
    let log = include_bytes!("../../tests/data/iggy-0.8.0-clean/state/log");
    let mut out = Vec::new();
    let summary = engine().equal_length_verifiers("state/log", &mut log.as_slice(), &mut out).expect("it is copied");
    assert_eq!(out.len(), log.len());
    assert!(summary.masks >= 4, "{summary:?}");
    let text = String::from_utf8_lossy(&out);
    for secret in include_str!("../../tests/data/secrets.txt").lines().filter(|line| line.starts_with('$')) {
        let parts: Vec<&str> = secret.split('$').collect();
        assert!(!text.contains(parts[4]) && !text.contains(parts[5]), "{secret}");
    }
    let changed = log.iter().zip(&out).filter(|(a, b)| a != b).count() as u64;
    assert!(changed <= summary.masks * 66, "{changed}");
}

#[test]
fn iggys_configuration_shows_only_what_is_listed() {
    let config = include_str!("../../tests/data/iggy-0.8.0-clean/runtime/current_config.toml");
    let out = engine().bytes(Carrier::IggyConfig, "current_config.toml", config.as_bytes()).expect("it is masked");
    let out = String::from_utf8(out).expect("text");
    let different: Vec<(String, &str)> = out
        .lines()
        .zip(config.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, b)| (shown(a), b.split('=').next().expect("a key")))
        .collect();
    let wanted =
        [("encoding_secret = \"‹pw›\"", "encoding_secret "), ("decoding_secret = \"‹pw›\"", "decoding_secret ")];
    assert_eq!(different.len(), 2, "{different:?}");
    for ((line, key), (wanted_line, wanted_key)) in different.iter().zip(wanted) {
        assert_eq!((line.replace("key›", "pw›").as_str(), *key), (wanted_line, wanted_key));
    }
    out.parse::<toml_edit::DocumentMut>().expect("it still parses");
}

#[test]
fn a_value_that_every_fifth_artifact_holds_is_a_word_of_this_host() {
    let propagated = |artifacts: usize, holding: usize, texts: usize| {
        let mut learner = learner();
        learner.learn(Carrier::Environ, "environ", b"DB_PASSWORD=Summer-Garden-1!\0").expect("it is learned");
        for number in 0..artifacts - 1 {
            let text = if number < holding { "we sat in Summer-Garden-1! all day" } else { "nothing" };
            for _ in 0..texts {
                learner.learn(Carrier::Text, &format!("{number}.log"), text.as_bytes()).expect("it is learned");
            }
        }
        learner.finish().summary().secrets_propagated
    };
    assert_eq!([propagated(40, 8, 1), propagated(40, 9, 1)], [1, 0]);
    assert_eq!([propagated(39, 9, 1), propagated(39, 38, 1)], [1, 1], "too few artifacts to tell");
    // Many texts of one report are one artifact, and 51 hits are too many wherever they are.
    assert_eq!([propagated(40, 1, 50), propagated(40, 1, 51)], [1, 0]);
}

#[test]
fn a_search_that_fails_is_told() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("a bad sector"))
        }
    }
    let engine = engine();
    engine.scan("state/unknown", &mut Broken).expect_err("it cannot be read");
    assert_eq!(engine.summary().failed.keys().collect::<Vec<_>>(), ["state/unknown"]);
}
