#!/usr/bin/env python3
"""Plants secrets where a real host has them, runs the real program, and searches all it gave for them.

usage: end_to_end.py PROGRAM DATA_DIRECTORY

The search is this file's own: it shares no line and no list of encodings with the program. A process called iggy-server
has secrets in its environment and its arguments, a copy of a data directory has them in its configuration and its logs,
packed and plain, and a unit file has one; `collect` makes an archive of that. A shell history, a crontab, a .pgpass and an
audit log go through `redact`. Archives are unpacked as far as they go. Exit 1, with the place and the encoding but never the
value, when a secret is found; 2 when something that is no secret is missing, for then the search would prove nothing.
"""

import base64
import gzip
import html
import io
import json
import os
import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile

PROGRAM, DATA = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
KEPT = "control-7f3a9"  # stands beside the secrets and has to stay


def made(symbols=""):
    letters = string.ascii_letters + string.digits
    head = "".join(secrets.choice(letters) for _ in range(9))
    return head + "".join(secrets.choice(symbols) for _ in range(2) if symbols) + secrets.token_hex(4) + "Zq7"


PLANTED = {
    "root password": made("!#%+"),
    "jwt secret": secrets.token_urlsafe(32),
    "personal access token": base64.b64encode(secrets.token_bytes(50)).decode(),
    "environment token": made(),
    "argument": made("!%"),
    "argument after equals": made(),
    "log": made("&+\"\\<"),
    "packed log": made(),
    "unit": made("!#"),
    "history": made("!#"),
    "crontab": made("+"),
    "pgpass": made("#!"),
    "audit": made("%!"),
}


def written(secret):
    """A secret in every encoding in which it might have been written."""
    raw = secret.encode()
    yield "raw", raw
    for name, text in {"json": json.dumps(secret)[1:-1], "html": html.escape(secret)}.items():
        yield name, text.encode()
    yield "json twice", json.dumps(json.dumps(secret)[1:-1])[1:-1].encode()
    yield "json of html's characters", json.dumps(secret)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c").encode()
    for name, text in {
        "percent": urllib.parse.quote(secret, safe=""),
        "percent of a form": urllib.parse.quote_plus(secret),
        "percent of a path": urllib.parse.quote(secret),
    }.items():
        yield name, text.encode()
        lower = "".join(c.lower() if i > 0 and "%" in text[max(0, i - 2) : i] else c for i, c in enumerate(text))
        yield name + ", lower case", lower.encode()
    yield "hex", raw.hex().encode()
    yield "hex, capitals", raw.hex().upper().encode()
    yield "utf-16", secret.encode("utf-16-le")
    yield "utf-16, big end first", secret.encode("utf-16-be")
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        inner = text[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        yield f"base 64 at {shift}", inner
        yield f"base 64 of urls at {shift}", inner.replace(b"+", b"-").replace(b"/", b"_")
    if len(raw) >= 24:
        yield "its first half", raw[: len(raw) // 2]
        yield "its second half", raw[len(raw) // 2 :]


def unpacked(name, content):
    """A file and all that is packed in it."""
    yield name, content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            yield name + " (comment)", packed.comment
            for entry in packed.infolist():
                yield f"{name}/{entry.filename} (name)", entry.filename.encode() + entry.comment + entry.extra
                yield from unpacked(f"{name}/{entry.filename}", packed.read(entry))
    elif content[:2] == b"\x1f\x8b":
        yield from unpacked(name + " (unpacked)", gzip.decompress(content))


def leaks(files):
    for name, content in files:
        for where, text in unpacked(name, content):
            for what, secret in PLANTED.items():
                for encoding, form in written(secret):
                    if form in text:
                        yield f"{what} as {encoding} in {where}"


def run(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, check=False, timeout=120, **options)
    if done.returncode not in (0, 1):
        sys.exit(f"{arguments[:3]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
    return done.stdout + b"\n" + done.stderr


def data_directory(root):
    data = os.path.join(root, "local_data")
    shutil.copytree(DATA, data)
    config = os.path.join(data, "runtime", "current_config.toml")
    with open(config, encoding="utf-8") as file:
        lines = file.read().split("\n")
    lines = [
        f'{line.split("=")[0]}= "{PLANTED["jwt secret"]}"' if line.startswith(("encoding_secret", "decoding_secret")) else line
        for line in lines
    ]
    with open(config, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    secret, logs = PLANTED["log"], os.path.join(data, "logs")
    os.makedirs(logs, exist_ok=True)
    quoted = urllib.parse.quote(secret, safe="")
    with open(os.path.join(logs, "iggy-server.log"), "w", encoding="utf-8") as file:
        file.write(f"2026-11-24T03:12:40Z INFO {KEPT} server started\n")
        file.write(f"2026-11-24T03:12:41Z WARN bad login password={json.dumps(secret)} user=bob\n")
        file.write(f"2026-11-24T03:12:42Z WARN peer sent {secret} and {base64.b64encode(b'bob:' + secret.encode()).decode()}\n")
        file.write(f"2026-11-24T03:12:43Z WARN retry https://bob:{quoted}@10.0.0.7/x and {secret.encode().hex()}\n")
        file.write(f"2026-11-24T03:12:44Z INFO {PLANTED['root password']} {PLANTED['environment token']} {PLANTED['argument']}\n")
        file.write(f"2026-11-24T03:12:45Z INFO iggy://{PLANTED['personal access token']}@127.0.0.1:8090 connected\n")
        file.write(f"2026-11-24T03:12:46Z INFO saw {PLANTED['packed log']} again\n")
    with gzip.open(os.path.join(logs, "iggy-server.1.log.gz"), "wt", encoding="utf-8") as file:
        file.write(f"2026-11-23T00:00:00Z INFO {KEPT} api_token={PLANTED['packed log']}\n")
        file.write(f"2026-11-23T00:00:01Z INFO again {PLANTED['packed log']} and {PLANTED['jwt secret']}\n")
    return data


def collected(root):
    data = data_directory(root)
    server = os.path.join(root, "iggy-server")
    shutil.copy(shutil.which("bash"), server)
    environment = {
        "PATH": os.environ["PATH"],
        "IGGY_ROOT_USERNAME": "iggy",
        "IGGY_ROOT_PASSWORD": PLANTED["root password"],
        "IGGY_HTTP_JWT_ENCODING_SECRET": PLANTED["jwt secret"],
        "APP_TOKEN": PLANTED["environment token"],
        "IGGY_SYSTEM_PATH": data,
    }
    waits = ["-c", "echo started; read -r", "iggy-server"]
    planted = ["--password", PLANTED["argument"], f"--api-key={PLANTED['argument after equals']}"]
    process = subprocess.Popen(
        [server, *waits, *planted], env=environment, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        process.stdout.readline()
        unit = f"[Service]\nExecStart={server} --password {PLANTED['unit']}\nEnvironment=\"IGGY_ROOT_PASSWORD={PLANTED['unit']}\"\n"
        command = [PROGRAM, "collect", "--output", "node.zip", "--iggy-data-dir", data]
        spaces = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        mounted = "mkdir -p /run/systemd/system && mount -t tmpfs none /run/systemd/system"
        if subprocess.run([*spaces, "sh", "-c", mounted], capture_output=True, check=False).returncode == 0:
            # `printf` is a part of the shell: the unit is in no argument that anybody could see.
            script = f'{mounted} && printf "%s" "$UNIT" > /run/systemd/system/iggy-server.service && unset UNIT && exec "$@"'
            command = [*spaces, "sh", "-c", script, "sh", *command]
        else:
            print("no mount namespace here: the unit file is left out")
        told = run(command, cwd=root, env={"PATH": os.environ["PATH"], "SNAPVISOR_SNAPSHOT_SAMPLING_MS": "50", "UNIT": unit})
    finally:
        process.stdin.close()
        process.wait(timeout=30)
    with open(os.path.join(root, "node.zip"), "rb") as file:
        return [("node.zip", file.read()), ("what collect printed", told)]


def redacted(root):
    source = os.path.join(root, "home")
    os.makedirs(source)
    title = b"mysql\0-u\0root\0-p" + PLANTED["audit"].encode() + b"\0shop"
    files = {
        ".bash_history": f"ls {KEPT}\nmysql -u root -p'{PLANTED['history']}' shop\nexport TOKEN={PLANTED['environment token']}\n"
        f"curl -u bob:{PLANTED['crontab']} https://example.org/\n",
        "crontab": f"# {KEPT}\n0 3 * * * root PGPASSWORD={PLANTED['crontab']} pg_dump shop > /backup/shop\n",
        ".pgpass": f"# {KEPT}\ndb.example.org:5432:shop:app:{PLANTED['pgpass']}\n",
        "audit.log": f"type=SYSCALL msg=audit(1:2): comm=\"{KEPT}\"\n"
        f"type=PROCTITLE msg=audit(1:2): proctitle={title.hex().upper()}\n"
        f"type=EXECVE msg=audit(1:2): argc=2 a0=\"mysql\" a1=\"-p{PLANTED['audit']}\"\n"
        f"type=USER_CMD msg=audit(1:3): cmd={PLANTED['pgpass'].encode().hex()}\n",
    }
    for name, text in files.items():
        with open(os.path.join(source, name), "w", encoding="utf-8") as file:
            file.write(text)
    out = [("what redact printed", run([PROGRAM, "redact", "home", "--output-dir", "masked", "--explain"], cwd=root))]
    for folder, _, names in os.walk(os.path.join(root, "masked")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                out.append((f"masked {name}", file.read()))
    kept = sum(KEPT.encode() in content for _, content in out)
    if kept != len(files):
        print(f"{kept} of {len(files)} masked files hold what has to stay", file=sys.stderr)
        sys.exit(2)
    return out


def main():
    with tempfile.TemporaryDirectory(prefix="snapvisor-e2e-") as root:
        planted = [("the history", PLANTED["history"].encode()), ("hex", PLANTED["audit"].encode().hex().encode())]
        if len(list(leaks(planted))) < 2:
            sys.exit("the search finds not even what stands there in clear")
        files = collected(root)
        texts = [text for name, content in files for _, text in unpacked(name, content)]
        if sum(KEPT.encode() in text for text in texts) < 2 or sum(text.count(b"REDACTED-") for text in texts) < 10:
            print("the logs are not in the archive, or nothing in it is masked", file=sys.stderr)
            sys.exit(2)
        files += redacted(root)
        found = sorted(set(leaks(files)))
        for leak in found:
            print(f"LEAK: {leak}", file=sys.stderr)
        masks = sum(content.count(b"REDACTED-") for _, content in files) + sum(text.count(b"REDACTED-") for text in texts)
        print(f"{len(PLANTED)} secrets planted, {masks} masks, {len(found)} leaks")
        sys.exit(bool(found))


main()
