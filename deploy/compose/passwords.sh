#!/bin/sh
# The database's own first start runs this after roles.sql: every user of Camino gets the password of its secret.
set -eu
for user in migrator web async readonly; do
    psql --set=ON_ERROR_STOP=1 --quiet --username=postgres --dbname=camino --set=given="$(cat "/run/secrets/${user}_password")" <<SQL
alter role camino_$user password :'given';
SQL
done
