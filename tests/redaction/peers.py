#!/usr/bin/env python3
"""`snapvisor redact` beside two secret scanners, each as a whole program on one core, on the same files in one run.

usage: peers.py SNAPVISOR TEXTS TOOLS

TEXTS holds the files, TOOLS is where the scanners are, or are installed to. The commands do not do the same work, so the
comparison is a lower bound for snapvisor: it reads a file twice and writes all of it out, masked; a scanner reads once and
lists what it found. No scanner has a network while it runs, where the machine lets us take it away, and none is told to
ask a service whether a secret is good.
"""

import os
import subprocess
import sys
import time

ROUNDS = 3
# No further round of a program that has had so many seconds, and none that takes longer than the limit.
ROUNDS_S = 20
LIMIT_S = 120
OFFLINE = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])


def installed(program, path, *commands):
    """Whether the program is there, after an attempt to install it."""
    if not os.path.exists(path):
        print(f"installing {program}", flush=True)
        try:
            for command in commands:
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{program} cannot be installed: {getattr(error, 'stderr', None) or error}")
    return os.path.exists(path)


def offline():
    for prefix in OFFLINE:
        try:
            subprocess.run([*prefix, "true"], check=True, capture_output=True)
            return prefix
        except (OSError, subprocess.CalledProcessError):
            continue
    print("the network cannot be taken away here; the scanners' own switches are off all the same")
    return []


def run(command, core, environment):
    """Seconds on the clock and on the processor, and MiB of memory; None when it took too long."""
    start = time.monotonic()
    child = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, [core]))
    while True:
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() - start > LIMIT_S:
            child.kill()
            os.wait4(child.pid, 0)
            return None
        time.sleep(0.001)
    wall = time.monotonic() - start
    code = child.returncode = os.waitstatus_to_exitcode(status)
    # A scanner that found something ends with a code of its own.
    if code < 0 or code in (2, 101, 126, 127):
        raise SystemExit(f"{' '.join(command)} failed with code {code}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def best(command, core, environment):
    """The best of some rounds, each figure for itself."""
    rounds, start = [], time.monotonic()
    while len(rounds) < ROUNDS and (not rounds or time.monotonic() - start < ROUNDS_S):
        measured = run(command, core, environment)
        if measured is None:
            return None
        rounds.append(measured)
    walls, times, memories = zip(*rounds)
    return min(walls), min(times), max(memories)


def main():
    snapvisor, texts, tools = (os.path.abspath(path) for path in sys.argv[1:4])
    kingfisher, ripsecrets = f"{tools}/kingfisher/bin/kingfisher", f"{tools}/bin/ripsecrets"
    programs = {"snapvisor redact": [snapvisor, "redact"]}
    prefix = offline()
    if installed("kingfisher", kingfisher, [sys.executable, "-m", "venv", f"{tools}/kingfisher"],
                 [f"{tools}/kingfisher/bin/pip", "install", "--quiet", "kingfisher-bin"]):
        programs["kingfisher"] = [*prefix, kingfisher, "scan", "--no-validate", "--no-update-check", "--no-limits",
                                  "--git-history", "none", "--jobs", "1", "--quiet", "--format", "json"]
    if installed("ripsecrets", ripsecrets, ["cargo", "install", "--locked", "--quiet", "--root", tools, "ripsecrets"]):
        programs["ripsecrets"] = [*prefix, ripsecrets]

    # The last core: the first has most of the interrupts. The scanner keeps its compiled rules in its home.
    core = max(os.sched_getaffinity(0))
    environment = {**os.environ, "HOME": tools, "XDG_CACHE_HOME": f"{tools}/cache"}
    print(f"\nwhole programs on core {core}, best of {ROUNDS}; MB of the file a second. snapvisor reads it twice and writes it"
          "\nmasked, the scanners read it once and list what they found. Ratios are speeds of snapvisor over theirs.")
    empty = f"{texts}/nothing"
    open(empty, "w").close()
    for name, command in programs.items():
        run([*command, empty], core, environment)  # compiles its rules
    for text in ("nothing", "log-text", "dense-secrets", "worst-hostile"):
        path = f"{texts}/{text}"
        size = os.path.getsize(path) / 1e6
        title = f"{text}, {size:.0f} MB" if size else "an empty file: what it takes to start, contained in all that follows"
        print(f"\n{title}\n{'':>18} {'wall MB/s':>10} {'CPU MB/s':>10} {'wall ms':>9} {'CPU ms':>9} {'peak MiB':>9}  wall/CPU ratio")
        ours = None
        for name, command in programs.items():
            measured = best([*command, path], core, environment)
            if measured is None:
                print(f"{name:>18} not done after {LIMIT_S} s")
                continue
            wall, used, memory = measured
            ours = ours or measured
            speeds = f"{size / wall:>10.1f} {size / used:>10.1f}" if size else f"{'':>21}"
            print(f"{name:>18} {speeds} {wall * 1e3:>9.0f} {used * 1e3:>9.0f} {memory:>9.0f}  "
                  f"{wall / ours[0]:.1f}x / {used / ours[1]:.1f}x", flush=True)


main()
