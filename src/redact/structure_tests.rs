//! Secrets that are told by where they stand: in tables below a name, in pairs of a name and a value, in rows below a header.

use super::Carrier;
use super::tests::check;

#[test]
fn a_name_one_level_up_tells_what_the_children_of_a_table_are() {
    check(
        Carrier::Text,
        &[
            (
                r#"{"apiKeys":{"prod":"hunter2-Xq9","stage":"correct4horse"},"port":1}"#,
                r#"{"apiKeys":{"prod":"‹key›","stage":"‹key›"},"port":1}"#,
            ),
            (
                r#"{"token":{"type":"oauth2x","ttl":"3600secs1","path":"/auth/v1/t2","value":"hunter2-Xq9"}}"#,
                r#"{"token":{"type":"oauth2x","ttl":"3600secs1","path":"/auth/v1/t2","value":"‹tok›"}}"#,
            ),
            (r#"{"github-oauth":{"github.com":"hunter2-Xq9"}}"#, r#"{"github-oauth":{"github.com":"‹tok›"}}"#),
            (r#"m={\"tokens\":{\"ci\":\"hunter2-Xq9\"}}"#, r#"m={\"tokens\":{\"ci\":\"‹tok›\"}}"#),
            (
                "acl {\n  tokens {\n    agent = \"550e8400-e29b-41d4-a716-446655440000\"\n  }\n}",
                "acl {\n  tokens {\n    agent = \"‹tok›\"\n  }\n}",
            ),
            ("tokens:\n  ci: correct4horse\nn: 5\n", "tokens:\n  ci: ‹tok›\nn: 5\n"),
            ("tokens:\n  - correct4horse\n  - 'x9f_2Kq8-Zw1'\n", "tokens:\n  - ‹tok›\n  - '‹tok›'\n"),
            ("passwords = { alice = \"hunter2\" }", "passwords = { alice = \"‹pw›\" }"),
            ("tokens: {ci: correct4horse, n: b}", "tokens: {ci: ‹tok›, n: b}"),
            (
                "[secrets]\nprod = correct4horse\n[x]\na = correct4horse2\n",
                "[secrets]\nprod = ‹key›\n[x]\na = correct4horse2\n",
            ),
            ("'tokens' => ['ci' => 'correct4horse']", "'tokens' => ['ci' => '‹tok›']"),
            (
                "chpasswd:\n  list: |\n    root:hunter2\n    bob:horse\nx: a:b\n",
                "chpasswd:\n  list: |\n    root:‹pw›\n    bob:‹pw›\nx: a:b\n",
            ),
            ("tokens:\n  - name: ci\n    value: correct4horse\n", "tokens:\n  - name: ci\n    value: ‹tok›\n"),
            ("api_tokens: &t\n  ci: correct4horse\n", "api_tokens: &t\n  ci: ‹tok›\n"),
            (
                "tokens := map[string]string{\"ci\": \"correct4horse\"}",
                "tokens := map[string]string{\"ci\": \"‹tok›\"}",
            ),
            ("$passwords = array('root' => 'hunter2');", "$passwords = array('root' => '‹pw›');"),
            ("tokens = { :ci => \"correct4horse\" }", "tokens = { :ci => \"‹tok›\" }"),
            (
                "variable \"db_password\" {\n  type = \"string9\"\n  default = \"hunter2\"\n}",
                "variable \"db_password\" {\n  type = \"string9\"\n  default = \"‹pw›\"\n}",
            ),
            ("chpasswd:\n  list:\n    - root:hunter2\n", "chpasswd:\n  list:\n    - root:‹pw›\n"),
        ],
    );
}

#[test]
fn settings_and_texts_below_names_of_secrets_stay() {
    let kept = [
        r#"{"password":{"label":"Password","min":"At least 8","rule":{"name":"len8chars"}}}"#,
        r##"{"tokens":{"primary":"#ff00aa","font":"12.5rem","zone":"us-east-1","alg":"ES256","kind":"AES-256-GCM"}}"##,
        r#"{"auth-token":{"version":"1.2.3-rc4","resolved":"a1b2c3d4e5","integrity":"sha512x9f2Kq8Zw1LmN4p"}}"#,
        "secret:\n  name: iggy-creds-v2\n  key: password1\n  mountPath: /etc/iggy2/keys\n",
        ".token {\n  color: a1b2c3d4;\n}",
        "tokens:\n  type: string2\n  enabled: true\nrelease: correct4horse\n",
        "[token]\nprovider = fernet\nexpiration = 3600\n",
        "[password]\na = '''0\\a0x1y2''''\n",
        "password4j = { module = \"com.example:password4j\", group = \"org.x2\" }",
        "session: {id: correct4horse, host: node-1a2b3c}",
    ];
    let cases: Vec<(&str, &str)> = kept.iter().map(|text| (*text, *text)).collect();
    check(Carrier::Text, &cases);
}

#[test]
fn a_pair_of_a_name_and_a_value_may_stand_in_either_order_and_apart() {
    check(
        Carrier::Text,
        &[
            (
                r#"[{"value":"info","name":"LEVEL"},{"value":"hunter2","name":"DB_PASSWORD"}]"#,
                r#"[{"value":"info","name":"LEVEL"},{"value":"‹pw›","name":"DB_PASSWORD"}]"#,
            ),
            (
                "- value: hunter2\n  name: DB_PASSWORD\n- value: info\n  name: LEVEL\n",
                "- value: ‹pw›\n  name: DB_PASSWORD\n- value: info\n  name: LEVEL\n",
            ),
            ("<entry value=\"hunter2\" key=\"dbPassword\"/>", "<entry value=\"‹pw›\" key=\"dbPassword\"/>"),
            (
                "<property><value>hunter2</value><name>fs.password</name></property>",
                "<property><value>‹pw›</value><name>fs.password</name></property>",
            ),
            (
                r#"{"name":"DB_PASSWORD","secret":false,"value":"hunter2"}"#,
                r#"{"name":"DB_PASSWORD","secret":false,"value":"‹pw›"}"#,
            ),
            ("<key>Password</key>\n\t<string>hunter2</string>", "<key>Password</key>\n\t<string>‹pw›</string>"),
            ("<meta name=\"api-key\" content=\"hunter2x\">", "<meta name=\"api-key\" content=\"‹key›\">"),
            ("<meta content=\"hunter2x\" name=\"csrf-token\">", "<meta content=\"‹tok›\" name=\"csrf-token\">"),
            (
                "<input type=\"password\" name=\"pw\" value=\"hunter2\">",
                "<input type=\"password\" name=\"pw\" value=\"‹pw›\">",
            ),
            ("<input value=\"hunter2x\" name=\"csrf_token\">", "<input value=\"‹tok›\" name=\"csrf_token\">"),
            (
                "[{default_user, <<\"bob\">>}, {default_pass, <<\"hunter2\">>}].",
                "[{default_user, <<\"bob\">>}, {default_pass, <<\"‹pw›\">>}].",
            ),
            ("{password,\n  \"hunter2\"}.", "{password,\n  \"‹pw›\"}."),
            (
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b--",
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n‹pw›\r\n--b--",
            ),
            ("%7B%22password%22%3A%22hunter2%22%7D", "%7B%22password%22%3A%22‹pw›%22%7D"),
            ("next=user%3Db%26password%3Dhunter2%26x%3D1", "next=user%3Db%26password%3D‹pw›%26x%3D1"),
            ("%2522password%2522%253A%2522hunter2%2522", "%2522password%2522%253A%2522‹pw›%2522"),
        ],
    );
    check(
        Carrier::Text,
        &[
            (
                r#"{"ParameterValue":"hunter2","ParameterKey":"DBPassword"}"#,
                r#"{"ParameterValue":"‹pw›","ParameterKey":"DBPassword"}"#,
            ),
            (
                "- name: DB_PASSWORD\n  # by hand\n  value: hunter2\n",
                "- name: DB_PASSWORD\n  # by hand\n  value: ‹pw›\n",
            ),
            (
                "<property name=\"password\"><value>hunter2</value></property>",
                "<property name=\"password\"><value>‹pw›</value></property>",
            ),
            ("<entry key=\"password\">hunter2</entry>", "<entry key=\"password\">‹pw›</entry>"),
            (
                r#"{"apiKeys":[{"label":"ci1234567","value":"hunter2-Xq9"}]}"#,
                r#"{"apiKeys":[{"label":"ci1234567","value":"‹key›"}]}"#,
            ),
            ("%22api_key%22%3A%20%22hunter2%22", "%22api_key%22%3A%20%22‹key›%22"),
        ],
    );
    let kept = [
        "<label id=\"password\">Password1</label>",
        r#"{"value":"Enter password","key":"password"}"#,
        r#"{"value":"a","name":"LEVEL"},{"name":"DB_PASSWORD"}"#,
        "<input type=\"submit\" name=\"reset_password\" value=\"Reset\">",
        "- value: info\n- name: DB_PASSWORD\n",
        "const {password, \"x-header\": b} = c",
        "for (token, \"x\")\ncontent = get(\"content\")",
    ];
    let cases: Vec<(&str, &str)> = kept.iter().map(|text| (*text, *text)).collect();
    check(Carrier::Text, &cases);
}

#[test]
fn rows_below_a_header_lose_what_is_secret_in_them() {
    check(
        Carrier::Text,
        &[
            (
                "user,password,role\nbob,hunter2,admin\namy,horse,user\n",
                "user,password,role\nbob,‹pw›,admin\namy,‹pw›,user\n",
            ),
            (
                "\"id\",\"api_key\"\r\n\"1\",\"hunter2-Xq9\"\r\n\"2\",\"a\"\"b,3456x\"\r\n",
                "\"id\",\"api_key\"\r\n\"1\",\"‹key›\"\r\n\"2\",\"‹key›\"\r\n",
            ),
            ("user|password|n\nbob|hunter2|1\n", "user|password|n\nbob|‹pw›|1\n"),
            ("\"Id\",\"Temp Password\"\n\"1\",\"hunter2\"\n", "\"Id\",\"Temp Password\"\n\"1\",\"‹pw›\"\n"),
            ("name;passwort\nbob;hunter2\n", "name;passwort\nbob;‹pw›\n"),
            ("user\ttoken\tn\nbob\thunter2-Xq9\t1\n", "user\ttoken\tn\nbob\t‹tok›\t1\n"),
            (
                "| user | Password |\n|---|:--|\n| bob | `hunter2` |\n\n| a | b1c |\n",
                "| user | Password |\n|---|:--|\n| bob | `‹pw›` |\n\n| a | b1c |\n",
            ),
            (
                " user | password \n------+----------\n bob  | hunter2\n(1 row)\n",
                " user | password \n------+----------\n bob  | ‹pw›\n(1 row)\n",
            ),
            (
                "-[ RECORD 1 ]-----\nuser     | bob\npassword | hunter2\n",
                "-[ RECORD 1 ]-----\nuser     | bob\npassword | ‹pw›\n",
            ),
            (
                "│ user │ password │\n├──────┼──────────┤\n│ bob  │ hunter2  │\n└──────┴──────────┘\n",
                "│ user │ password │\n├──────┼──────────┤\n│ bob  │ ‹pw›  │\n└──────┴──────────┘\n",
            ),
            (
                "+------+--------+\n| user | token  |\n+------+--------+\n| bob  | x9f2Kq8Zw |\n+------+--------+\n",
                "+------+--------+\n| user | token  |\n+------+--------+\n| bob  | ‹tok› |\n+------+--------+\n",
            ),
        ],
    );
    let kept = [
        "a, password, b\nc, hunter2, d\n",
        "word,n\npassword,x\nhunter2,y\n",
        "f(user,password,role)\ng(bob,hunter2,admin)\n",
        "user,password,role\nbob,hunter2\n",
        "token,n\nthe,512\nsha256,3\n",
        "| Token | Means |\n|---|---|\n| YYYY | 4-digit year |\n| password | x |\n",
        "| Password | n |\n|---|---|\n| required | 1 |\n| optional2 words | 2 |\n",
    ];
    let cases: Vec<(&str, &str)> = kept.iter().map(|text| (*text, *text)).collect();
    check(Carrier::Text, &cases);
}

#[test]
fn pairs_of_a_user_and_a_password_lose_the_password() {
    check(
        Carrier::Text,
        &[
            ("npmAuthIdent: \"bob:hunter2-Xq9\"", "npmAuthIdent: \"bob:‹pw›\""),
            ("basic.auth.user.info=bob:hunter2-Xq9", "basic.auth.user.info=bob:‹pw›"),
            ("{\"auth\":\"Ym9iOmh1bnRlcjI=\"}", "{\"auth\":\"‹tok›\"}"),
            ("//h/:_auth=hunter2\n", "//h/:_auth=‹tok›\n"),
            ("//h/s /mnt cifs user=bob%hunter2,uid=0 0 0", "//h/s /mnt cifs user=bob%‹pw›,uid=0 0 0"),
            ("net { a sha256; shared-secret \"hunter2x\"; }", "net { a sha256; shared-secret \"‹key›\"; }"),
        ],
    );
    let kept = [
        "let auth = poly1305::Context::from_key(key2, 1)",
        "auth: ldap:uid",
        "http_auth: db:5432",
        "basic.auth.user.info=node-1:8090",
        "//h/s /mnt cifs user=bob,a=%d 0 0",
    ];
    let cases: Vec<(&str, &str)> = kept.iter().map(|text| (*text, *text)).collect();
    check(Carrier::Text, &cases);
}

#[test]
fn files_of_credentials_are_read_by_their_layout() {
    check(
        Carrier::IpsecSecrets,
        &[(
            "# x : PSK \"a\"\n10.0.0.1 : PSK 0sAbc\nbob : EAP \"hunter2\"\n: RSA key.pem \"pass phrase\"\n: RSA key.pem\n",
            "# x : PSK \"‹pw›\"\n10.0.0.1 : PSK ‹pw›\nbob : EAP \"‹pw›\"\n: RSA key.pem \"‹pw›\"\n: RSA key.pem\n",
        )],
    );
    check(
        Carrier::Bundler,
        &[(
            "---\nBUNDLE_PATH: \"/a/b2/c\"\nBUNDLE_GEMS__EXAMPLE__COM: \"bob:hunter2\"\n",
            "---\nBUNDLE_PATH: \"/a/b2/c\"\nBUNDLE_GEMS__EXAMPLE__COM: \"bob:‹pw›\"\n",
        )],
    );
    check(Carrier::Docker, &[("{\"auth\": \"hunter2\"}", "{\"auth\": \"‹tok›\"}")]);
    check(Carrier::Digest, &[("bob:Private Area:939e7578ed9e3c518a452acee763bce9\n", "bob:Private Area:‹pw›\n")]);
    check(Carrier::UserSecret, &[("[smtp.x]:587 bob:hunter2\n", "[smtp.x]:587 bob:‹pw›\n")]);
    check(Carrier::SecondLine, &[("bob\nhunter2\n", "bob\n‹pw›\n"), ("a text\nof lines\n", "a text\nof lines\n")]);
}

#[test]
fn a_number_in_text_that_is_toml_gets_quotes() {
    check(
        Carrier::Text,
        &[
            ("host = \"a\"\ndb_password = 12345678\n", "host = \"a\"\ndb_password = \"‹pw›\"\n"),
            ("host = a\ndb_password = 12345678\n", "host = a\ndb_password = ‹pw›\n"),
            ("x = true\nDB_PASSWORD=12345678\n", "x = true\nDB_PASSWORD=‹pw›\n"),
        ],
    );
}
