#!/bin/sh
# Writes system.journal.gz anew, with the times that the tests count on. Needs systemd-journal-remote.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
base=1800000000000000 # 2027-01-15T08:00:00Z, microseconds
number=0
entry() { # seconds from the base, then FIELD=value ...
  at=$((base + $1 * 1000000)); shift
  number=$((number + 1))
  printf '__CURSOR=s=1;i=%x;b=2;m=%x;t=%x;x=%x\n' $number $number $at $number
  printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n' $at $((number * 1000000))
  printf '_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID=fedcba9876543210fedcba9876543210\n'
  for field in "$@"; do printf '%s\n' "$field"; done
  printf '\n'
}
{
  line=0
  while [ $line -lt 30 ]; do
    entry $((line * 60)) _SYSTEMD_UNIT=iggy-connectors.service PRIORITY=6 "MESSAGE=sent batch $line of 100 messages"
    line=$((line + 1))
  done
  entry 1801 _SYSTEMD_UNIT=iggy-connectors.service PRIORITY=3 'MESSAGE=sink stdout failed: connection refused'
  entry 1802 _SYSTEMD_UNIT=iggy-server.service PRIORITY=6 'MESSAGE=2027-01-15T08:30:02.000001Z  INFO main server: started'
  # Long enough to be compressed.
  entry 1803 _SYSTEMD_UNIT=iggy-server.service PRIORITY=6 "MESSAGE=$(printf 'x%.0s' $(seq 2000))"
  entry 1804 _SYSTEMD_UNIT=init.scope UNIT=iggy-server.service MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c PRIORITY=4 \
    UNIT_RESULT=exit-code "MESSAGE=iggy-server.service: Failed with result 'exit-code'."
  entry 1805 _SYSTEMD_UNIT=init.scope UNIT=iggy-server.service MESSAGE_ID=5eb03494b6584870a536b337290809b3 PRIORITY=6 \
    N_RESTARTS=1 'MESSAGE=iggy-server.service: Scheduled restart job, restart counter is at 1.'
  entry 1806 _SYSTEMD_UNIT=systemd-coredump@0.service MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1 PRIORITY=2 \
    COREDUMP_UNIT=iggy-server.service COREDUMP_EXE=/usr/bin/iggy-server COREDUMP_PID=812 COREDUMP_SIGNAL_NAME=SIGSEGV \
    COREDUMP_ENVIRON=IGGY_ROOT_PASSWORD=hunter2 COREDUMP_CMDLINE='iggy-server --password=hunter2' \
    'MESSAGE=Process 812 (iggy-server) of user 1000 dumped core.'
  entry 1807 _SYSTEMD_UNIT=systemd-journald.service MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e PRIORITY=4 N_DROPPED=1042 \
    'MESSAGE=Suppressed 1042 messages from iggy-server.service'
  entry 1808 _SYSTEMD_UNIT=init.scope MESSAGE_ID=c7a787079b354eaaa9e77b371893cd27 PRIORITY=6 'MESSAGE=Time has been changed'
} > "$work/entries"
/lib/systemd/systemd-journal-remote -o "$work/system.journal" - < "$work/entries"
gzip -9n < "$work/system.journal" > "$here/system.journal.gz"
ls -l "$work/system.journal" "$here/system.journal.gz"
