using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Borrowers with owners, addresses, contacts, bank accounts and identifiers, and which loan is whose; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model. Loans that are there already are linked by the job <c>borrowers.link</c>, in batches.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127023100_Borrowers")]
public sealed class Borrowers : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- Words as they are compared: small letters, no accents, one space between. Only ASCII signs part words, so that names of other scripts stay whole in every locale.
        create function camino.plain_words(given text) returns text language sql immutable parallel safe as $$
            select coalesce(nullif(btrim(regexp_replace(lower(
                case when given ~ '[^ -~]' then regexp_replace(normalize(given, NFKD), '[\u0300-\u036f]', '', 'g') else given end),
                '[][\s!-/:-@\\^-`{-~]+', ' ', 'g')), ''), given)
        $$;

        -- What tells borrowers of imported loans apart: the name and where it is.
        create function camino.borrower_key(name text, city text, state text, zip text) returns uuid language sql immutable parallel safe as $$
            select md5(camino.plain_words(name) || '|' || coalesce(zip, camino.plain_words(city) || ',' || coalesce(state, ''), state, ''))::uuid
        $$;

        -- Ids ordered by time (version 7), for rows that the database makes.
        create function camino.new_id() returns uuid language sql volatile parallel safe as $$
            select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
        $$;

        create table camino.borrowers (
            id          uuid        constraint pk_borrowers primary key,
            name        text        not null constraint ck_borrowers_name check (length(name) between 1 and 200),
            sort_name   text        collate "C" generated always as (camino.plain_words(name)) stored,
            trade_name  text        constraint ck_borrowers_trade_name check (length(trade_name) between 1 and 200),
            kind        smallint    not null default 1 constraint ck_borrowers_kind check (kind in (1, 2)),
            language    text        not null default 'en' constraint ck_borrowers_language check (language in ('en', 'es')),
            contact_by  text        not null default 'any' constraint ck_borrowers_contact_by check (contact_by in ('any', 'phone', 'email', 'mail', 'none')),
            match_key   uuid,
            merged_into uuid        constraint fk_borrowers_merged_into references camino.borrowers (id),
            version     integer     not null default 1,
            created_at  timestamptz not null default clock_timestamp(),
            created_by  uuid,
            changed_at  timestamptz,
            changed_by  uuid
        );
        create unique index ix_borrowers_match_key on camino.borrowers (match_key) where match_key is not null;
        create index ix_borrowers_sort_name_id on camino.borrowers (sort_name, id) where merged_into is null;
        create index ix_borrowers_merged_into on camino.borrowers (merged_into) where merged_into is not null;

        create table camino.borrower_owners (
            id            uuid         constraint pk_borrower_owners primary key,
            borrower_id   uuid         not null constraint fk_borrower_owners_borrowers references camino.borrowers (id),
            position      smallint     not null,
            name          text         not null constraint ck_borrower_owners_name check (length(name) between 1 and 200),
            share_percent numeric(6,3) constraint ck_borrower_owners_share check (share_percent between 0 and 100),
            is_guarantor  boolean      not null default false
        );
        create index ix_borrower_owners_borrower_id on camino.borrower_owners (borrower_id);

        create table camino.borrower_addresses (
            borrower_id uuid     not null constraint fk_borrower_addresses_borrowers references camino.borrowers (id),
            position    smallint not null,
            street      text     constraint ck_borrower_addresses_street check (length(street) between 1 and 200),
            city        text     constraint ck_borrower_addresses_city check (length(city) between 1 and 100),
            state       text,
            zip         text,
            constraint pk_borrower_addresses primary key (borrower_id, position)
        );

        -- kind 1: phone, with its digits for look-up; 2: e-mail
        create table camino.borrower_contacts (
            borrower_id uuid     not null constraint fk_borrower_contacts_borrowers references camino.borrowers (id),
            position    smallint not null,
            kind        smallint not null constraint ck_borrower_contacts_kind check (kind in (1, 2)),
            value       text     not null constraint ck_borrower_contacts_value check (length(value) between 1 and 254),
            digits      text     collate "C" constraint ck_borrower_contacts_digits check (digits ~ '^[0-9]{7,15}$'),
            constraint pk_borrower_contacts primary key (borrower_id, position)
        );
        create index ix_borrower_contacts_digits on camino.borrower_contacts (digits) where digits is not null;

        create table camino.borrower_accounts (
            id          uuid        constraint pk_borrower_accounts primary key,
            borrower_id uuid        not null constraint fk_borrower_accounts_borrowers references camino.borrowers (id),
            holder      text        not null constraint ck_borrower_accounts_holder check (length(holder) between 1 and 200),
            routing     text        not null constraint ck_borrower_accounts_routing check (routing ~ '^[0-9]{9}$'),
            sealed      bytea       not null,
            last4       text        not null,
            added_at    timestamptz not null,
            added_by    uuid        not null,
            verified_at timestamptz,
            verified_by uuid
        );
        create index ix_borrower_accounts_borrower_id on camino.borrower_accounts (borrower_id);

        -- kind 1: SSN, 2: ITIN, 3: EIN; sealed is the encrypted number, hash a keyed one for exact look-up
        create table camino.borrower_identifiers (
            id          uuid        constraint pk_borrower_identifiers primary key,
            borrower_id uuid        not null constraint fk_borrower_identifiers_borrowers references camino.borrowers (id),
            owner_id    uuid        constraint fk_borrower_identifiers_owners references camino.borrower_owners (id) on delete cascade,
            kind        smallint    not null constraint ck_borrower_identifiers_kind check (kind in (1, 2, 3)),
            sealed      bytea       not null,
            hash        bytea       not null,
            last4       text        collate "C" not null constraint ck_borrower_identifiers_last4 check (last4 ~ '^[0-9]{4}$'),
            set_at      timestamptz not null,
            set_by      uuid        not null
        );
        create unique index ix_borrower_identifiers_one on camino.borrower_identifiers (borrower_id, coalesce(owner_id, borrower_id), kind);
        create index ix_borrower_identifiers_owner_id on camino.borrower_identifiers (owner_id) where owner_id is not null;
        create index ix_borrower_identifiers_hash on camino.borrower_identifiers (hash);
        create index ix_borrower_identifiers_last4 on camino.borrower_identifiers (last4);

        -- keys of the keyed hashes, each protected by the data-protection keys
        create table camino.field_keys (
            name   text  constraint pk_field_keys primary key,
            sealed bytea not null
        );

        -- Which loan is whose: beside the loans, so that linking rewrites none of their rows. own_book: a loan that is serviced here, else one of the portfolio.
        create table camino.loan_borrowers (
            loan_id     uuid    constraint pk_loan_borrowers primary key,
            borrower_id uuid    not null constraint fk_loan_borrowers_borrowers references camino.borrowers (id),
            own_book    boolean not null
        );
        create index ix_loan_borrowers_borrower_id on camino.loan_borrowers (borrower_id, loan_id);

        update camino.schema_info set version = 11;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.loan_borrowers, camino.field_keys, camino.borrower_identifiers, camino.borrower_accounts, camino.borrower_contacts, camino.borrower_addresses, camino.borrower_owners, camino.borrowers;
        drop function camino.new_id();
        drop function camino.borrower_key(text, text, text, text);
        drop function camino.plain_words(text);
        update camino.schema_info set version = 10;
        """);
}
