//! What people write about secrets, and statements and tickets that hold them.

use super::Carrier;
use super::tests::check;

#[test]
fn secrets_told_to_people_are_masked_and_what_is_said_about_them_is_not() {
    let joined = |cases: &[(&str, &str)]| check(Carrier::Text, cases);
    joined(&[
        ("wallet passphrase: correct horse battery staple, kept", "wallet passphrase: ‹pw›, kept"),
        ("wallet passphrase: prompt the operator for it", "wallet passphrase: prompt the operator for it"),
        ("a=1 passphrase: hunter2x was typed", "a=1 passphrase: ‹pw› was typed"),
        ("the password for bob is 'hunter2x'", "the password for bob is '‹pw›'"),
        ("the password for bob is 'expired'", "the password for bob is 'expired'"),
        ("Password for admin: hunter22", "Password for admin: ‹pw›"),
        ("Password for admin: denied", "Password for admin: denied"),
        ("[sudo] password for bob: sudo: 1 incorrect attempt", "[sudo] password for bob: sudo: 1 incorrect attempt"),
        ("Using username and password for Iggy", "Using username and password for Iggy"),
        ("username or password are wrong", "username or password are wrong"),
        ("username and password Hunter2x!", "username and password ‹pw›"),
        ("login bob password hunter", "login bob password ‹pw›"),
        ("Password\nHunter2x!\n", "Password\n‹pw›\n"),
        ("password\nusername\nlast_login2\n", "password\nusername\nlast_login2\n"),
        ("Token\nRFC3339Nano\n", "Token\nRFC3339Nano\n"),
        ("vault_unseal=q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5vq8Zk2mXw91L=", "vault_unseal=‹key›"),
        ("vault_unseal=awskms auto_unseal=true", "vault_unseal=awskms auto_unseal=true"),
        ("opened db,password=hunter2,x=1", "opened db,password=‹pw›,x=1"),
        ("opened db,password_file=/run/pw,x=1", "opened db,password_file=/run/pw,x=1"),
        ("fooKEY-q8Zk2mXw91LpTr5vB3nM7cV4", "‹tok›"),
        ("PartitionKEY-orders-and-payments-2026", "PartitionKEY-orders-and-payments-2026"),
        ("'API_KEY' , '\"q8Zk2mXw91\"'", "'API_KEY' , '\"‹key›\"'"),
        ("['password', 'token', 'sha256sum', 'api_key']", "['password', 'token', 'sha256sum', 'api_key']"),
        (
            "\"authorization\", \"content-type\", \"X-Request-Id2\"",
            "\"authorization\", \"content-type\", \"X-Request-Id2\"",
        ),
    ]);
}

#[test]
fn statements_and_tickets_lose_what_is_secret_in_them() {
    check(
        Carrier::Text,
        &[
            (
                "INSERT INTO users(name,password) VALUES('a','pw')",
                "INSERT INTO users(name,password) VALUES('a','‹pw›')",
            ),
            (
                "insert into `u` (`id`, `api_key`, `n`) values\n (1, N'k1', 'x'), (2, 'k2', 'y');",
                "insert into `u` (`id`, `api_key`, `n`) values\n (1, N'‹key›', 'x'), (2, '‹key›', 'y');",
            ),
            (
                "INSERT INTO t(password_hint, token_type) VALUES ('mother', 'bearer')",
                "INSERT INTO t(password_hint, token_type) VALUES ('mother', 'bearer')",
            ),
            ("INSERT INTO t(id, name) VALUES (1, 'x')", "INSERT INTO t(id, name) VALUES (1, 'x')"),
            (
                "$krb5asrep$23$svc@EXAMPLE.ORG:0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c$0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c x",
                "$krb5asrep$23$svc@EXAMPLE.ORG:‹hash› x",
            ),
            ("ls $krb5cc_dir $krb5asrep$23$", "ls $krb5cc_dir $krb5asrep$23$"),
            ("mysql -pSecretpass -e 'select 1'", "mysql -p‹pw› -e 'select 1'"),
        ],
    );
    check(
        Carrier::Argv,
        &[
            ("mysql\0-pSecretpass\0-e\0select 1\0", "mysql\0-p‹pw›\0-e\0select 1\0"),
            ("ssh\0-p\x002222\0-e\0none\0", "ssh\0-p\x002222\0-e\0none\0"),
        ],
    );
}

#[test]
fn lists_of_changes_results_of_tests_and_manuals_are_left_alone() {
    let same = |text: &'static str| (text, text);
    check(
        Carrier::Text,
        &[
            same("PASS: gdb.base/x.exp: print 4 words\n"),
            same("PASS: addr2line\n"),
            ("USER: bob\nPASS: hunter2\n", "USER: bob\nPASS: ‹pw›\n"),
            same("* src/chpasswd.c: New functions: process_flags()\n"),
            same("  pre_shared_key: make ticket age calculation consistent\n"),
            same("gnutls_privkey_export: Added\n"),
            same("Pass \"-b\" to it, or pass `--all` to the other."),
            ("pass \"hunter2\";\n", "pass \"‹pw›\";\n"),
            same("such works are identified as \"derived from\" it, and identified by `CERTIFICATE`"),
            ("grant all on x to y identified by 'hunter2'", "grant all on x to y identified by '‹pw›'"),
            same("<a accesskey=\"n\" href=\"x.html\">next</a>"),
            same("License: LGPLv3+_or_GPLv2+\n"),
            same("  id-token: write\n"),
            same("echo aa | grep -Pw now"),
            same("NSS_BUFLEN_PASSWD                  1024\n"),
            same("Add the options --password to groupadd and --passphrase= option."),
            same("It is the username and password separated\nby a colon"),
            same("the `Into<Cookie>` implementation, and an Option<Token> {"),
            ("a<password>hunter2</password>", "a<password>‹pw›</password>"),
            same("#define TXT_kPSK \"kPSK\"\n"),
            same("pw = getpass.getpass('Password: ')\n"),
            same("'Event::Pass' => '1.302190',"),
            same("Token: \"#f8f8f2\",\n"),
            same("private_key: \"EllipticCurvePrivateKey\","),
            same(":param passphrase: (optional) to decrypt it\n"),
            same("connect(user=user, password=password, port=1)"),
            same("const pass = new PassThrough();"),
            same("(mnemonic: get highlighted)"),
        ],
    );
}

#[test]
fn words_with_a_version_are_no_secret_to_look_for_everywhere() {
    let mut learner = super::tests::learner();
    learner.learn(Carrier::Text, "a", b"secret_key = \"Win32_System_Console\"\n").expect("it is learned");
    let engine = learner.finish();
    assert_eq!(engine.text("feature = Win32_System_Console"), "feature = Win32_System_Console");
}

#[test]
fn what_a_prompt_asks_for_and_what_is_told_of_a_secret_is_masked() {
    check(
        Carrier::Text,
        &[
            ("Enter password:\nhunter2-Xq9\n", "Enter password:\n‹pw›\n"),
            ("Enter password:\nVerify password:\n", "Enter password:\nVerify password:\n"),
            ("Password [hunter2]:", "Password [‹pw›]:"),
            ("Password [none]:", "Password [none]:"),
            ("INFO Temporary password generated: hunter2", "INFO Temporary password generated: ‹pw›"),
            (
                "A temporary password is generated for root@localhost: x;8Kq2mZ",
                "A temporary password is generated for root@localhost: ‹pw›",
            ),
            ("password changed from 'hunter1' to 'hunter2'", "password changed from '‹pw›' to '‹pw›'"),
            ("The password has been set to hunter2", "The password has been set to ‹pw›"),
            ("using token correct4horse for api.example.org", "using token ‹tok› for api.example.org"),
            ("using token sha256 for it", "using token sha256 for it"),
            ("SET PASSWORD FOR 'a'@'b' = 'hunter';", "SET PASSWORD FOR 'a'@'b' = '‹pw›';"),
            ("SET PASSWORD FOR bob TO 'hunter';", "SET PASSWORD FOR bob TO '‹pw›';"),
            ("key \"k\" { algorithm x; secret \"hunter\"; };", "key \"k\" { algorithm x; secret \"‹key›\"; };"),
            ("set security ike pre-shared-key \"hunter\"\n", "set security ike pre-shared-key \"‹key›\"\n"),
            ("password <- \"hunter\"\n", "password <- \"‹pw›\"\n"),
            ("Pass Word = hunter\n", "Pass Word = ‹pw›\n"),
            ("SMTP Password = two words\n", "SMTP Password = ‹pw›\n"),
            ("process.env.TOKEN ||= \"hunter2\"", "process.env.TOKEN ||= \"‹tok›\""),
            ("local password = [[hunter]]", "local password = [[‹pw›]]"),
            ("export API_TOKEN=$(cat <<EOF\nhunter22\nEOF\n)", "export API_TOKEN=$(cat <<EOF\n‹tok›\nEOF\n)"),
            ("user bob on >hunter ~* +@all -@write", "user bob on >‹pw› ~* +@all -@write"),
            ("createUser u SHA hunter22 AES hunter23", "createUser u SHA ‹pw› AES ‹pw›"),
            ("cache_peer h parent 3128 0 login=bob:hunter2", "cache_peer h parent 3128 0 login=bob:‹pw›"),
            ("url=jdbc:oracle:thin:scott/hunter@//h:1521/x", "url=jdbc:oracle:thin:scott/‹url›@//h:1521/x"),
            ("  credentials: hunter2\n", "  credentials: ‹pw›\n"),
            ("initiate.credential=always-impersonate", "initiate.credential=always-impersonate"),
            ("\\fISetCredential=\\fR and more", "\\fISetCredential=\\fR and more"),
            ("x_credentials _GCC_DEPRECATED;\n", "x_credentials _GCC_DEPRECATED;\n"),
        ],
    );
}

#[test]
fn what_is_said_of_secrets_and_what_stands_for_them_is_shown() {
    let shown = [
        "password=changeme_placeholder_here",
        "api_key: YOUR_API_KEY_HERE",
        "unexpected token: SELECT_LIST2 near line 4",
        "stop_token: <|endoftext|>",
        "Secret \"erp-db-creds\" is invalid: type: Invalid value",
        "Listing secrets: erp-db-prod, erp-mail-prod, erp-ftp-stage",
        "{\"msg\": \"Invalid/incorrect password: Permission denied, please try again.\"}",
        "secret: managed by external-secrets operator",
        "password: Type.String({ minLength: 8 }),",
        "password.reset.subject=Reset your password\npassword.reset.body=Click the link below",
        "LABEL_PASSWORD: Kennwort\nLABEL_LOGIN: Anmelden",
        "usage: snmpwalk -v2c -c COMMUNITY HOST OID",
    ];
    check(Carrier::Text, &shown.map(|text| (text, text)));
    check(
        Carrier::Text,
        &[
            ("secret \"erp-db-creds\"\n", "secret \"‹key›\"\n"),
            ("secrets: correct-horse-7\n", "secrets: ‹key›\n"),
            ("password: permission-denied77\n", "password: ‹pw›\n"),
            ("api_key=your-Kq93wZorb77-here\n", "api_key=‹key›\n"),
            ("snmpwalk -v2c -c COMMUNITY 10.0.0.1", "snmpwalk -v2c -c ‹pw› 10.0.0.1"),
        ],
    );
}

#[test]
fn secrets_without_the_look_of_one_are_told_by_what_stands_around_them() {
    check(
        Carrier::Text,
        &[
            ("username max secret Bottle_2023\n", "username max secret ‹key›\n"),
            ("crypto isakmp key Meadow_1987 address 10.0.0.1\n", "crypto isakmp key ‹key› address 10.0.0.1\n"),
            ("local-user admin password simple falken319\n", "local-user admin password simple ‹pw›\n"),
            ("admin pw = YELL-kaffee!33\n", "admin pw = ‹pw›\n"),
            ("db.password[2]: flieger854\n", "db.password[2]: ‹pw›\n"),
            ("Password:\nXaAISDodeV!\n\nRegards", "Password:\n‹pw›\n\nRegards"),
            (
                "A temporary password is generated for root@localhost: a.LFNW,<rlgG\n",
                "A temporary password is generated for root@localhost: ‹pw›\n",
            ),
            ("the VPN password is NzXOmhYAnCeuzpD and more", "the VPN password is ‹pw› and more"),
        ],
    );
    check(
        Carrier::Text,
        &[
            (
                r#"password = New NetworkCredential("bob", "hunter2-aB")"#,
                r#"password = New NetworkCredential("bob", "‹pw›")"#,
            ),
            (r#"final password = const Secret("hunter2-aB");"#, r#"final password = const Secret("‹pw›");"#),
            (r#"password = String :: from("hunter2-aB")"#, r#"password = String :: from("‹pw›")"#),
            ("SET PASSWORD = pgcrypto crypt('hunter2-aB')", "SET PASSWORD = pgcrypto crypt('‹pw›')"),
            (r#"password = env or getenv("X", "hunter2-aB")"#, r#"password = env or getenv("X", "‹pw›")"#),
            ("password={ab:12}x9Kq\n", "password=‹pw›\n"),
            ("app --password {ab:12}x9Kq\n", "app --password ‹pw›\n"),
            ("secret: {Kq:93wZ}-orb77x\n", "secret: ‹key›\n"),
            ("Set-Cookie: {a:1} sid=Kq93wZorb77x; Path=/\n", "Set-Cookie: {a:1} sid=‹cookie›; Path=/\n"),
            ("data: eyJwdyI6Imh1bnRlcjIifQ==\n", "data: ‹tok›\n"),
        ],
    );
    let shown = [
        "token: {a:1,b:2}\n",
        "Password:\nForgotten?\n",
        "Password:\nLogin incorrect.\n",
        "the password is CaseSensitive and long",
        "password is simple enough\n",
        "pw = getpw(uid)\n",
        "user, pw = userinfo, None\n",
        "if _token is OperatorWordMarker:",
        "passwords[0]: string\n",
        "the key is PartitionConsumerOffsets now",
    ];
    check(Carrier::Text, &shown.map(|text| (text, text)));
}

#[test]
fn what_tools_say_of_secrets_is_shown() {
    let shown = [
        "passwd: password updated successfully\n",
        "passwd: password expiry information changed.\n",
        "passwd: all authentication tokens updated successfully.\n",
        "WARNING! Using --password via the CLI is insecure.\n",
        "Please use --token instead of --password\n",
        "password:  24 bytes\n",
        "Invalid/incorrect password: Permission denied\n",
        "default-token-x7k2p kubernetes.io/service-account-token 3 200d\n",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp/db-AbCdEf\n",
        "gpg: using RSA key 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567\n",
        "ssid=lab key_mgmt=WPA-PSK freq=5180\n",
        "SECRET_MANAGER_PROJECT=firma-prod-123\nPASSWORD_HASHERS=argon2id\n",
        "GRANT SELECT ON api_keys TO reporting2;\n",
        "token: not found\n",
        "cookie: SameSite=Lax\n",
        "'password' => 'required|min:8|confirmed',\n",
        "Passwort: siehe KeePass\n",
        "UPDATE users SET password = @p1 WHERE name = @p2;\nUPDATE users SET password = :pw\n",
    ];
    check(Carrier::Text, &shown.map(|text| (text, text)));
}

#[test]
fn secrets_in_words_beside_their_names_are_masked_and_what_follows_is_not() {
    check(
        Carrier::Text,
        &[
            ("TF_VAR_db_password=Sommer2024 terraform apply\n", "TF_VAR_db_password=‹pw› terraform apply\n"),
            ("password: !text 'hunter2'\n", "password: !text '‹pw›'\n"),
            ("DB_PASS_PROD=hunter\ndb_pwd_prod: hunter\n", "DB_PASS_PROD=‹pw›\ndb_pwd_prod: ‹pw›\n"),
            ("$pw = 'hunter2x';\nx({'pw': 'hunter2x'})\n", "$pw = '‹pw›';\nx({'pw': '‹pw›'})\n"),
            ("ALTER USER erp IDENTIFIED BY Kaffee77x;\n", "ALTER USER erp IDENTIFIED BY ‹pw›;\n"),
            ("neighbor 10.0.0.1 password Sommer2024\n", "neighbor 10.0.0.1 password ‹pw›\n"),
            ("enable secret Sommer2024\n", "enable secret ‹key›\n"),
            ("password (router): Sommer2024\n", "password (router): ‹pw›\n"),
            ("APP_KEY=base64://W1xq8Zk2mXw91LpTr5v=\n", "APP_KEY=‹key›\n"),
            ("ldap_default_authtok = hunter2x\n", "ldap_default_authtok = ‹pw›\n"),
            ("password=Kq93wZ failed after 3 retries on db1\n", "password=‹pw› failed after 3 retries on db1\n"),
            ("password: correct horse battery staple\n", "password: ‹pw›\n"),
        ],
    );
}
