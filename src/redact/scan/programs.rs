//! Programs whose arguments are secrets: the table.

/// What a flag's argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A secret.
    Secret,
    /// A secret, only when attached: `-pSECRET`.
    Attached,
    /// `user:secret`.
    UserSecret,
    /// `user%secret`.
    UserPercent,
    /// `user,secret`.
    UserComma,
    /// `pass:secret`.
    Source,
    /// `name=secret`.
    Assigned,
    /// `name=value` pairs of cookies, or the name of a file.
    Cookie,
    /// `user/secret@database`.
    UserSlash,
    /// A share, and a secret behind it when no flag follows.
    Share,
    /// `s:secret`, or one that looks like nothing else.
    Chosen,
}

use Holds::{Assigned, Attached, Chosen, Cookie, Secret, Share, Source, UserComma, UserPercent, UserSecret, UserSlash};

/// A program, its flags that hold secrets, and how many arguments after which word are secrets. The flag `""` is any
/// argument that is no flag; one that ends in `:` has its value attached.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) flags: &'static [(&'static str, Holds)],
    /// `(word, n)`: the n-th argument after `word` that is no flag is a secret, or the last of two for 0; word `""` is the
    /// program itself.
    pub(super) places: &'static [(&'static str, usize)],
}

const fn p(
    name: &'static str,
    flags: &'static [(&'static str, Holds)],
    places: &'static [(&'static str, usize)],
) -> Program {
    Program { name, flags, places }
}

const CURL: &[(&str, Holds)] = &[
    ("-u", UserSecret),
    ("--user", UserSecret),
    ("-U", UserSecret),
    ("--proxy-user", UserSecret),
    ("--oauth2-bearer", Secret),
    ("--pass", Secret),
    ("--key-pass", Secret),
    ("-b", Cookie),
    ("--cookie", Cookie),
    ("--tlspassword", Secret),
    ("-E", UserSecret),
];
const LOGIN: &[(&str, Holds)] = &[
    ("-p", Secret),
    ("--creds", UserSecret),
    ("--src-creds", UserSecret),
    ("--dest-creds", UserSecret),
    ("--password", Secret),
];
const OPENSSL: &[(&str, Holds)] = &[
    ("-passin", Source),
    ("-passout", Source),
    ("-pass", Source),
    ("-k", Secret),
    ("-K", Secret),
    ("-password", Source),
    ("-hmac", Secret),
    ("-psk", Secret),
];
const SMALL_P: &[(&str, Holds)] = &[("-p", Secret)];
const CAPITAL_P: &[(&str, Holds)] = &[("-P", Secret)];
const ATTACHED_P: &[(&str, Holds)] = &[("-p", Attached), ("--password", Secret)];
const SMALL_W: &[(&str, Holds)] = &[("-w", Secret)];
const PERCENT: &[(&str, Holds)] = &[("-U", UserPercent), ("--user", UserPercent), ("//", Share), ("\\\\", Share)];
const RAR: &[(&str, Holds)] = &[("-p", Attached), ("-hp", Attached)];
const ORACLE: &[(&str, Holds)] = &[("", UserSlash)];
const PINS: &[(&str, Holds)] =
    &[("--pin", Secret), ("--so-pin", Secret), ("--new-pin", Secret), ("--puk", Secret), ("-p", Secret)];
const RDP: &[(&str, Holds)] = &[("/p:", Attached), ("/gp:", Attached)];
const SNMP: &[(&str, Holds)] = &[("-c", Secret), ("-A", Secret), ("-X", Secret)];
const TOKEN_T: &[(&str, Holds)] =
    &[("-t", Secret), ("--token", Secret), ("-token", Secret), ("--access-token", Secret)];

/// The programs.
#[rustfmt::skip]
pub(super) const PROGRAMS: &[Program] = &[
    p("curl", CURL, &[]), p("curlie", CURL, &[]), p("xh", &[("-a", UserSecret), ("--auth", UserSecret)], &[]), p("http", &[("-a", UserSecret), ("--auth", UserSecret)], &[]),
    p("https", &[("-a", UserSecret), ("--auth", UserSecret)], &[]), p("ab", &[("-A", UserSecret), ("-P", UserSecret)], &[]),
    p("mysql", ATTACHED_P, &[]), p("mysqldump", ATTACHED_P, &[]), p("mysqladmin", ATTACHED_P, &[("password", 1)]), p("mysqlimport", ATTACHED_P, &[]),
    p("mysqlcheck", ATTACHED_P, &[]), p("mysqlshow", ATTACHED_P, &[]), p("mysqlsh", ATTACHED_P, &[]), p("mysqlbinlog", ATTACHED_P, &[]), p("mariadb", ATTACHED_P, &[]),
    p("mariadb-dump", ATTACHED_P, &[]), p("mariadb-admin", ATTACHED_P, &[("password", 1)]), p("mydumper", SMALL_P, &[]),
    p("sshpass", SMALL_P, &[]), p("docker", LOGIN, &[]), p("podman", LOGIN, &[]), p("nerdctl", LOGIN, &[]), p("buildah", LOGIN, &[]), p("skopeo", LOGIN, &[]),
    p("oras", LOGIN, &[]), p("helm", LOGIN, &[]), p("crane", LOGIN, &[]), p("regctl", LOGIN, &[]), p("twine", SMALL_P, &[]), p("az", SMALL_P, &[]),
    p("redis-cli", &[("-a", Secret), ("--pass", Secret)], &[("auth", 0), ("AUTH", 0), ("requirepass", 1)]), p("valkey-cli", &[("-a", Secret), ("--pass", Secret)], &[("auth", 0), ("AUTH", 0)]),
    p("redis-benchmark", &[("-a", Secret)], &[]), p("iggy", &[("-p", Secret), ("-t", Secret), ("--password", Secret), ("--token", Secret)], &[]),
    p("iggy-bench", &[("-p", Secret), ("--password", Secret)], &[]), p("openssl", OPENSSL, &[]), p("keytool", &[("-storepass", Secret), ("-keypass", Secret)], &[]),
    p("ldapsearch", SMALL_W, &[]), p("ldapmodify", SMALL_W, &[]), p("ldapadd", SMALL_W, &[]), p("ldapdelete", SMALL_W, &[]), p("ldapwhoami", SMALL_W, &[]),
    p("ldappasswd", &[("-w", Secret), ("-s", Secret), ("-a", Secret)], &[]), p("ldapcompare", SMALL_W, &[]), p("ldapmodrdn", SMALL_W, &[]),
    p("smbclient", PERCENT, &[]), p("rpcclient", PERCENT, &[]), p("net", PERCENT, &[("user", 2), ("use", 2)]), p("winexe", PERCENT, &[]), p("smbget", PERCENT, &[]), p("smbcacls", PERCENT, &[]),
    p("htpasswd", &[], &[("-b", 3), ("-nb", 2), ("-bn", 2), ("-nbB", 2), ("-Bbn", 2), ("-bnB", 2), ("-cb", 3), ("-bc", 3), ("-bB", 3), ("-Bb", 3), ("-cbB", 3), ("-bcB", 3), ("-bBn", 2)]),
    p("mosquitto_pub", CAPITAL_P, &[]), p("mosquitto_sub", CAPITAL_P, &[]), p("mosquitto_rr", CAPITAL_P, &[]), p("mosquitto_passwd", &[], &[("-b", 3)]),
    p("rabbitmqctl", &[], &[("add_user", 2), ("change_password", 2), ("authenticate_user", 2)]), p("rabbitmqadmin", SMALL_P, &[]),
    p("mongo", SMALL_P, &[]), p("mongosh", SMALL_P, &[]), p("mongodump", SMALL_P, &[]), p("mongorestore", SMALL_P, &[]), p("mongoexport", SMALL_P, &[]), p("mongoimport", SMALL_P, &[]),
    p("sqlcmd", CAPITAL_P, &[]), p("bcp", CAPITAL_P, &[]), p("cqlsh", SMALL_P, &[]), p("influx", TOKEN_T, &[]), p("clickhouse-client", &[("--password", Secret)], &[]),
    p("ipmitool", CAPITAL_P, &[]), p("snmpwalk", SNMP, &[]), p("snmpget", SNMP, &[]), p("snmpset", SNMP, &[]), p("snmpbulkwalk", SNMP, &[]), p("snmptrap", SNMP, &[]),
    p("lftp", &[("-u", UserComma)], &[]), p("ncftpput", SMALL_P, &[]), p("ncftpget", SMALL_P, &[]), p("plink", &[("-pw", Secret)], &[]), p("pscp", &[("-pw", Secret)], &[]),
    p("rdesktop", SMALL_P, &[]), p("zip", CAPITAL_P, &[]), p("unzip", CAPITAL_P, &[]), p("7z", ATTACHED_P, &[]), p("7za", ATTACHED_P, &[]), p("7zz", ATTACHED_P, &[]), p("rar", RAR, &[]), p("unrar", RAR, &[]),
    p("nmcli", &[], &[("password", 1), ("wifi-sec.psk", 1), ("802-11-wireless-security.psk", 1)]), p("wpa_passphrase", &[], &[("", 2)]),
    p("kubectl", &[("--from-literal", Assigned), ("--token", Secret), ("--docker-password", Secret), ("--password", Secret)], &[]), p("oc", &[("--from-literal", Assigned), ("--token", Secret), ("-p", Secret)], &[]),
    p("vault", &[("-token", Secret)], &[("login", 1), ("unseal", 1)]), p("consul", &[("-token", Secret), ("-encrypt", Secret)], &[]), p("nomad", &[("-token", Secret)], &[]),
    p("aws", &[], &[("aws_secret_access_key", 1), ("aws_session_token", 1)]), p("mc", &[], &[("set", 4)]), p("svn", &[("--password", Secret)], &[]), p("doctl", TOKEN_T, &[]),
    p("flyctl", TOKEN_T, &[]), p("fly", TOKEN_T, &[]), p("useradd", SMALL_P, &[]), p("usermod", SMALL_P, &[]), p("bw", &[], &[("unlock", 1), ("login", 2)]),
    p("gh", &[("--with-token", Secret)], &[]), p("sqlplus", ORACLE, &[]), p("sqlplus64", ORACLE, &[]), p("impdp", ORACLE, &[]), p("expdp", ORACLE, &[]),
    p("sqlldr", ORACLE, &[]), p("rman", ORACLE, &[]), p("sqlcl", ORACLE, &[]), p("wget", &[("--password", Secret), ("--http-password", Secret), ("--ftp-password", Secret), ("--proxy-password", Secret)], &[]),
    p("cadaver", SMALL_P, &[]), p("xfreerdp", RDP, &[]), p("xfreerdp3", RDP, &[]), p("wfreerdp", RDP, &[]), p("schtasks", &[("/RP", Secret), ("/rp", Secret), ("/P", Secret)], &[]),
    p("kadmin", SMALL_W, &[]), p("kadmin.local", SMALL_W, &[]), p("keyctl", &[], &[("add", 3), ("update", 2)]), p("ssh-keygen", &[("-N", Secret), ("-P", Secret)], &[]),
    p("certutil", SMALL_P, &[]), p("iwconfig", &[("key", Chosen)], &[]), p("ConvertTo-SecureString", &[("-String", Secret)], &[("", 1)]),
    p("pkcs11-tool", PINS, &[]), p("pkcs15-init", PINS, &[]), p("pkcs15-tool", PINS, &[]), p("softhsm2-util", PINS, &[]), p("ykman", &[("--pin", Secret), ("-P", Secret)], &[]),
    p("tsql", CAPITAL_P, &[]), p("osql", CAPITAL_P, &[]), p("freebcp", CAPITAL_P, &[]), p("beeline", SMALL_P, &[]), p("cypher-shell", SMALL_P, &[]), p("couchbase-cli", SMALL_P, &[]),
    p("vsql", SMALL_W, &[]), p("psexec", SMALL_P, &[]), p("winrs", &[("-p:", Attached), ("/p:", Attached)], &[]), p("racadm", SMALL_P, &[]), p("evil-winrm", SMALL_P, &[]), p("smbmap", SMALL_P, &[]),
    p("swaks", &[("-ap", Secret), ("--auth-password", Secret)], &[]), p("ejabberdctl", &[], &[("register", 3), ("change_password", 3)]), p("prosodyctl", &[], &[("register", 3)]),
    p("cargo", &[], &[("login", 1)]), p("cf", SMALL_P, &[]), p("glab", TOKEN_T, &[]), p("security", &[("-w", Secret), ("-p", Secret)], &[]), p("vmrun", &[("-gp", Secret), ("-vp", Secret)], &[]),
    p("neo4j-admin", &[], &[("set-initial-password", 1)]), p("dscl", &[], &[("-passwd", 2)]), p("etcdctl", &[("--user", UserSecret)], &[]), p("pulsar-admin", &[("--auth-params", Assigned)], &[]),
    p("nats", &[("--password", Secret), ("--token", Secret)], &[]), p("hydra", SMALL_P, &[]), p("crackmapexec", SMALL_P, &[]), p("gpg", &[("--passphrase", Secret)], &[]), p("gpg2", &[("--passphrase", Secret)], &[]),
    p("rclone", &[], &[("obscure", 1)]), p("echo", &[], &[]), p("printf", &[], &[]),
];

/// What programs are called, for the table of triggers.
pub(super) fn names() -> impl Iterator<Item = (usize, &'static str)> {
    PROGRAMS.iter().enumerate().map(|(place, program)| (place, program.name))
}
