#!/bin/sh
# The nightly backup of a place that runs containers: what `camino backup` does on a machine with PostgreSQL's programs, for the image of PostgreSQL that has
# them and lacks .NET. The same files come out of it: `camino restore` checks them and brings them back, and the age of the newest is a figure with an alert.
#   backup.sh once|daily        once: one backup, then exit; daily: one whenever the newest is older than a day, until SIGTERM
# BACKUP_FOLDER        where the backups go (/backups)
# BACKUP_KEEP_DAYS     older ones are deleted, 1 to 3650 (35); BACKUP_KEEP_LEAST so many stay, however old they are, 1 to 1000 (7)
# BACKUP_FILES         folder of the files that were handed in; new ones are copied beside the dumps, for a dump does not hold them. Empty: they are kept elsewhere.
# BACKUP_CONNECTION    file with a connection string as the roles read it (Host=...;Port=...;Database=...;Username=...); else PGHOST, PGPORT, PGDATABASE, PGUSER
# BACKUP_PASSWORD      file with the password of camino_migrator, who owns every table
set -eu
umask 077
folder=${BACKUP_FOLDER:-/backups} days=${BACKUP_KEEP_DAYS:-35} least=${BACKUP_KEEP_LEAST:-7} files=${BACKUP_FILES:-}

say() { printf '%s backup: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
die() { say "$*"; exit 1; }
# whole NAME VALUE MOST
whole() {
    case $2 in '' | *[!0-9]* | ?????*) die "$1 is \"$2\"; it must be a whole number from 1 to $3." ;; esac
    if [ "$2" -lt 1 ] || [ "$2" -gt "$3" ]; then die "$1 is \"$2\"; it must be a whole number from 1 to $3."; fi
}
whole BACKUP_KEEP_DAYS "$days" 3650
whole BACKUP_KEEP_LEAST "$least" 1000

# part NAME: one part of the connection string, whose names the roles read in any case
part() { tr ';' '\n' <"$BACKUP_CONNECTION" | awk -F= -v name="$1" '{ key = $1; gsub(/^ +| +$/, "", key) } tolower(key) == tolower(name) { sub(/^[^=]*=/, ""); gsub(/^ +| +$/, ""); print; exit }'; }
reach() {
    if [ -n "${BACKUP_CONNECTION:-}" ]; then
        PGHOST=$(part Host) PGPORT=$(part Port) PGDATABASE=$(part Database) PGUSER=$(part Username)
        [ -n "$PGHOST" ] || die "BACKUP_CONNECTION has no Host."
        PGPORT=${PGPORT:-5432} PGDATABASE=${PGDATABASE:-camino} PGUSER=${PGUSER:-camino_migrator}
        export PGHOST PGPORT PGDATABASE PGUSER
    fi
    # read anew for each backup, so that a rotated password is found
    if [ -n "${BACKUP_PASSWORD:-}" ]; then
        PGPASSWORD=$(cat -- "$BACKUP_PASSWORD")
        export PGPASSWORD
    fi
    PGAPPNAME='camino backup' PGOPTIONS='-c statement_timeout=0'
    export PGAPPNAME PGOPTIONS
}

# dumped: what camino-*.dump there is, newest first; the names sort as the times do
dumped() { find "$folder" -maxdepth 1 -name 'camino-????????T??????Z.dump' | sort -r; }

make() {
    reach
    mkdir -p -- "$folder"
    at=$(date -u +%Y%m%dT%H%M%SZ)
    name=camino-$at.dump
    DUMP=$folder/$name
    PARTLY=$DUMP.part
    export PARTLY
    rm -f -- "$folder"/camino-*.part "$folder"/camino-*.facts
    # one snapshot for the counts and the dump, so that they speak of the same moment; pg_dump runs inside of the transaction that exported it
    psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
begin isolation level repeatable read read only;
select pg_export_snapshot() as snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --format=custom --compress=6 --no-owner --no-privileges --snapshot="$SNAPSHOT" --file="$PARTLY" && touch "$PARTLY.facts"
\o `echo "$PARTLY.facts"`
\pset tuples_only on
\pset format unaligned
select jsonb_build_object(
    'schema', (select version from camino.schema_info),
    'database', current_database(),
    'serverVersion', current_setting('server_version'),
    'release', coalesce((select max(number) from camino.releases), 0),
    'rows', (select coalesce(jsonb_object_agg(name, (xpath('/row/n/text()', query_to_xml('select count(*) as n from ' || name, false, true, '')))[1]::text::bigint), '{}')
             from (select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname in ('camino', 'jobs') and c.relkind in ('r', 'p') and not c.relispartition) tables));
commit;
SQL
    # the file is there only when pg_dump ended well, and full only when the counting did
    if [ ! -s "$PARTLY.facts" ] || [ ! -s "$PARTLY" ]; then
        die "pg_dump failed"
    fi
    bytes=$(wc -c <"$PARTLY" | tr -d ' ')
    sha=$(sha256sum "$PARTLY" | cut -d' ' -f1)
    psql -X -q -A -t -v ON_ERROR_STOP=1 -v facts="$(cat -- "$PARTLY.facts")" -v at="$at" -v bytes="$bytes" -v sha="$sha" >"$DUMP.json" <<'SQL'
select jsonb_pretty(:'facts'::jsonb || jsonb_build_object(
    'madeAt', to_char(to_timestamp(:'at', 'YYYYMMDD"T"HH24MISS"Z"'), 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), 'releaseName', 'release ' || (:'facts'::jsonb ->> 'release'), 'bytes', :bytes, 'sha256', :'sha'));
SQL
    rm -f -- "$PARTLY.facts"
    mv -- "$PARTLY" "$DUMP"
    if [ -n "$files" ]; then
        # after the dump: whatever it speaks of is there. Files are written once, so what is there already is not copied again.
        mkdir -p -- "$folder/files"
        cp -R -u -- "$files/." "$folder/files/"
    fi
    # the entry that tells the figure camino.backup.age; its id grows with time
    psql -X -q -v ON_ERROR_STOP=1 -v name="$name" -v bytes="$bytes" -v sha="$sha" <<'SQL'
insert into camino.audit_entries (id, at, action, subject, subject_id, details)
select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid,
       clock_timestamp(), 'backup.made', 'backup', :'name', jsonb_build_object('bytes', :bytes, 'sha256', :'sha', 'schema', (select version from camino.schema_info));
SQL
    say "$DUMP: $bytes bytes, SHA-256 $sha"
    prune
}

prune() {
    dumped | tail -n "+$((least + 1))" | while IFS= read -r old; do
        if [ -z "$(find "$old" -mmin "+$((days * 1440))")" ]; then continue; fi
        rm -f -- "$old" "$old.json"
        say "deleted $old: older than $days days"
    done
}

case ${1:-} in
    once) make ;;
    daily)
        trap 'exit 0' TERM INT
        mkdir -p -- "$folder"
        while :; do
            # a backup that failed is tried again; the alert on its age tells when that is no use
            if [ -z "$(find "$folder" -maxdepth 1 -name 'camino-*.dump' -mmin -1440)" ]; then sh "$0" once || say "no backup was made; once more in ten minutes"; fi
            # in the background, so that SIGTERM is heard at once
            sleep 600 &
            wait $!
        done
        ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0" >&2; exit 64 ;;
esac
