using System;
using Microsoft.EntityFrameworkCore.Migrations;
using NpgsqlTypes;

#nullable disable

namespace Camino.Data.Migrations
{
    /// <inheritdoc />
    public partial class ServicedBook : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateSequence(
                name: "serviced_loan_numbers",
                schema: "camino",
                startValue: 100001L);

            migrationBuilder.CreateTable(
                name: "business_day",
                schema: "camino",
                columns: table => new
                {
                    only_row = table.Column<bool>(type: "boolean", nullable: false),
                    today = table.Column<DateOnly>(type: "date", nullable: false),
                    moved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    moved_by = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_business_day", x => x.only_row);
                    table.CheckConstraint("ck_business_day_one", "only_row");
                });

            migrationBuilder.CreateTable(
                name: "close_runs",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    closes = table.Column<DateOnly>(type: "date", nullable: false),
                    opens = table.Column<DateOnly>(type: "date", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_by = table.Column<Guid>(type: "uuid", nullable: true),
                    planned_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_close_runs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "handled_requests",
                schema: "camino",
                columns: table => new
                {
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    fingerprint = table.Column<byte[]>(type: "bytea", nullable: false),
                    answer = table.Column<string>(type: "jsonb", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_handled_requests", x => new { x.user_id, x.key });
                });

            migrationBuilder.CreateTable(
                name: "ledger_checks",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    on = table.Column<DateOnly>(type: "date", nullable: false),
                    asked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    asked_by = table.Column<Guid>(type: "uuid", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    loans = table.Column<long>(type: "bigint", nullable: false),
                    entries = table.Column<long>(type: "bigint", nullable: false),
                    differences = table.Column<long>(type: "bigint", nullable: false),
                    total = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    details = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ledger_checks", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "products",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    code = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_products", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "close_chunks",
                schema: "camino",
                columns: table => new
                {
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    from_id = table.Column<Guid>(type: "uuid", nullable: false),
                    to_id = table.Column<Guid>(type: "uuid", nullable: false),
                    planned = table.Column<int>(type: "integer", nullable: false),
                    closed = table.Column<int>(type: "integer", nullable: false),
                    set_aside = table.Column<int>(type: "integer", nullable: false),
                    done_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_close_chunks", x => new { x.run_id, x.number });
                    table.ForeignKey(
                        name: "fk_close_chunks_close_runs_run_id",
                        column: x => x.run_id,
                        principalSchema: "camino",
                        principalTable: "close_runs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "product_versions",
                schema: "camino",
                columns: table => new
                {
                    product_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    rules = table.Column<string>(type: "jsonb", nullable: false),
                    offer = table.Column<string>(type: "jsonb", nullable: false),
                    changed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    changed_by = table.Column<Guid>(type: "uuid", nullable: false),
                    published_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_product_versions", x => new { x.product_id, x.number });
                    table.ForeignKey(
                        name: "fk_product_versions_products_product_id",
                        column: x => x.product_id,
                        principalSchema: "camino",
                        principalTable: "products",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "serviced_loans",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: false, defaultValueSql: "'L-' || nextval('camino.serviced_loan_numbers')", collation: "C"),
                    borrower_name = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    words = table.Column<NpgsqlTsVector>(type: "tsvector", nullable: true, computedColumnSql: "to_tsvector('simple', borrower_name)", stored: true),
                    product_id = table.Column<Guid>(type: "uuid", nullable: false),
                    product_version = table.Column<int>(type: "integer", nullable: false),
                    terms = table.Column<string>(type: "jsonb", nullable: false),
                    principal = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    rate_percent = table.Column<decimal>(type: "numeric(12,8)", precision: 12, scale: 8, nullable: false),
                    booked_on = table.Column<DateOnly>(type: "date", nullable: false),
                    booked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    booked_by = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    events = table.Column<int>(type: "integer", nullable: false),
                    as_of = table.Column<DateOnly>(type: "date", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    principal_owed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    interest_owed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    fees_owed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    penalties_owed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    accrued_interest = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    owed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false, computedColumnSql: "principal_owed + interest_owed + fees_owed + penalties_owed + accrued_interest", stored: true),
                    credit = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    past_due = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    days_past_due = table.Column<int>(type: "integer", nullable: false),
                    bucket = table.Column<short>(type: "smallint", nullable: false),
                    charged_off = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    recovered = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    restructures = table.Column<int>(type: "integer", nullable: false),
                    principal_receivable = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    interest_receivable = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    fees_receivable = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    penalties_receivable = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    next_due_on = table.Column<DateOnly>(type: "date", nullable: true),
                    next_due = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    matures_on = table.Column<DateOnly>(type: "date", nullable: false),
                    set_aside_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    set_aside_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_serviced_loans", x => x.id);
                    table.CheckConstraint("ck_serviced_loans_borrower", "length(borrower_name) between 1 and 200");
                    table.CheckConstraint("ck_serviced_loans_not_negative", "principal > 0 and principal_owed >= 0 and interest_owed >= 0 and fees_owed >= 0 and penalties_owed >= 0 and accrued_interest >= 0 and credit >= 0 and past_due >= 0 and days_past_due >= 0");
                    table.ForeignKey(
                        name: "fk_serviced_loans_product_versions_product_id_product_version",
                        columns: x => new { x.product_id, x.product_version },
                        principalSchema: "camino",
                        principalTable: "product_versions",
                        principalColumns: new[] { "product_id", "number" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "ledger_transactions",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    posted_on = table.Column<DateOnly>(type: "date", nullable: false),
                    effective_on = table.Column<DateOnly>(type: "date", nullable: false),
                    act = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    event_key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    is_correction = table.Column<bool>(type: "boolean", nullable: false),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ledger_transactions", x => x.id);
                    table.ForeignKey(
                        name: "fk_ledger_transactions_serviced_loans_loan_id",
                        column: x => x.loan_id,
                        principalSchema: "camino",
                        principalTable: "serviced_loans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "loan_balances",
                schema: "camino",
                columns: table => new
                {
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    account = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    amount = table.Column<decimal>(type: "numeric(16,2)", precision: 16, scale: 2, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_balances", x => new { x.loan_id, x.account });
                    table.ForeignKey(
                        name: "fk_loan_balances_serviced_loans_loan_id",
                        column: x => x.loan_id,
                        principalSchema: "camino",
                        principalTable: "serviced_loans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "loan_events",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    type = table.Column<short>(type: "smallint", nullable: false),
                    effective_on = table.Column<DateOnly>(type: "date", nullable: false),
                    posted_on = table.Column<DateOnly>(type: "date", nullable: false),
                    amount = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    of_key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true),
                    body = table.Column<string>(type: "jsonb", nullable: false),
                    note = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    recorded_by = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_events", x => x.id);
                    table.CheckConstraint("ck_loan_events_amount", "amount is null or amount > 0");
                    table.ForeignKey(
                        name: "fk_loan_events_serviced_loans_loan_id",
                        column: x => x.loan_id,
                        principalSchema: "camino",
                        principalTable: "serviced_loans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "loan_installments",
                schema: "camino",
                columns: table => new
                {
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    due_on = table.Column<DateOnly>(type: "date", nullable: false),
                    is_due = table.Column<bool>(type: "boolean", nullable: false),
                    due_principal = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    due_interest = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    due_fee = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    due_penalty = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    paid_principal = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    paid_interest = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    paid_fee = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    paid_penalty = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    waived_principal = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    waived_interest = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    waived_fee = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false),
                    waived_penalty = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_installments", x => new { x.loan_id, x.number });
                    table.ForeignKey(
                        name: "fk_loan_installments_serviced_loans_loan_id",
                        column: x => x.loan_id,
                        principalSchema: "camino",
                        principalTable: "serviced_loans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "loan_letters",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    kind = table.Column<short>(type: "smallint", nullable: false),
                    facts = table.Column<string>(type: "jsonb", nullable: false),
                    written_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_letters", x => x.id);
                    table.ForeignKey(
                        name: "fk_loan_letters_serviced_loans_loan_id",
                        column: x => x.loan_id,
                        principalSchema: "camino",
                        principalTable: "serviced_loans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "ledger_entries",
                schema: "camino",
                columns: table => new
                {
                    transaction_id = table.Column<Guid>(type: "uuid", nullable: false),
                    line = table.Column<int>(type: "integer", nullable: false),
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    account = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    amount = table.Column<decimal>(type: "numeric(16,2)", precision: 16, scale: 2, nullable: false),
                    posted_on = table.Column<DateOnly>(type: "date", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ledger_entries", x => new { x.transaction_id, x.line });
                    table.CheckConstraint("ck_ledger_entries_amount", "amount <> 0");
                    table.ForeignKey(
                        name: "fk_ledger_entries_ledger_transactions_transaction_id",
                        column: x => x.transaction_id,
                        principalSchema: "camino",
                        principalTable: "ledger_transactions",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_close_runs_opens",
                schema: "camino",
                table: "close_runs",
                column: "opens",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_handled_requests_at",
                schema: "camino",
                table: "handled_requests",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_ledger_entries_account_posted_on",
                schema: "camino",
                table: "ledger_entries",
                columns: new[] { "account", "posted_on" });

            migrationBuilder.CreateIndex(
                name: "ix_ledger_entries_loan_id_account",
                schema: "camino",
                table: "ledger_entries",
                columns: new[] { "loan_id", "account" });

            migrationBuilder.CreateIndex(
                name: "ix_ledger_transactions_loan_id_id",
                schema: "camino",
                table: "ledger_transactions",
                columns: new[] { "loan_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_loan_events_loan_id_key",
                schema: "camino",
                table: "loan_events",
                columns: new[] { "loan_id", "key" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_loan_events_loan_id_sequence",
                schema: "camino",
                table: "loan_events",
                columns: new[] { "loan_id", "sequence" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_loan_letters_loan_id_sequence_kind",
                schema: "camino",
                table: "loan_letters",
                columns: new[] { "loan_id", "sequence", "kind" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_products_code",
                schema: "camino",
                table: "products",
                column: "code",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_as_of_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "as_of", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_days_past_due_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "days_past_due", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_next_due_on_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "next_due_on", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_number",
                schema: "camino",
                table: "serviced_loans",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_owed_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "owed", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_product_id_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "product_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_product_id_product_version",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "product_id", "product_version" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_set_aside_at",
                schema: "camino",
                table: "serviced_loans",
                column: "set_aside_at",
                filter: "set_aside_at is not null");

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_status_id",
                schema: "camino",
                table: "serviced_loans",
                columns: new[] { "status", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_serviced_loans_words",
                schema: "camino",
                table: "serviced_loans",
                column: "words")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.Sql(
                """
                insert into camino.business_day (only_row, today, moved_at) values (true, (now() at time zone 'America/New_York')::date, now());

                -- What happened to a loan, what was posted and what staff did is written once: nobody changes, removes or empties it.
                create trigger loan_events_written_once before update or delete on camino.loan_events for each row execute function camino.refuse_change();
                create trigger loan_events_never_emptied before truncate on camino.loan_events for each statement execute function camino.refuse_change();
                create trigger ledger_transactions_written_once before update or delete on camino.ledger_transactions for each row execute function camino.refuse_change();
                create trigger ledger_transactions_never_emptied before truncate on camino.ledger_transactions for each statement execute function camino.refuse_change();
                create trigger ledger_entries_written_once before update or delete on camino.ledger_entries for each row execute function camino.refuse_change();
                create trigger ledger_entries_never_emptied before truncate on camino.ledger_entries for each statement execute function camino.refuse_change();
                create trigger audit_entries_never_emptied before truncate on camino.audit_entries for each statement execute function camino.refuse_change();

                -- A transaction of the ledger has entries, and they come to zero when everything of it is there.
                create function camino.check_ledger_balance() returns trigger language plpgsql as $$
                declare
                    wanted uuid := case tg_table_name when 'ledger_entries' then (to_jsonb(new) ->> 'transaction_id')::uuid else (to_jsonb(new) ->> 'id')::uuid end;
                    total numeric;
                    lines bigint;
                begin
                    select sum(amount), count(*) into total, lines from camino.ledger_entries where transaction_id = wanted;
                    if lines < 2 or total <> 0 then
                        raise exception 'ledger transaction % has % entries that come to %; at least 2 that come to 0 are needed', wanted, lines, coalesce(total, 0) using errcode = 'check_violation';
                    end if;
                    return null;
                end $$;
                create constraint trigger ledger_transactions_balanced after insert on camino.ledger_transactions deferrable initially deferred for each row execute function camino.check_ledger_balance();
                create constraint trigger ledger_entries_balanced after insert on camino.ledger_entries deferrable initially deferred for each row execute function camino.check_ledger_balance();

                -- Only drafts of a product change; what was published stays as it was, for the loans made under it.
                create function camino.refuse_change_of_published() returns trigger language plpgsql as $$
                begin
                    if old.status <> 0 and (tg_op = 'DELETE' or (new.product_id, new.number, new.rules, new.offer) is distinct from (old.product_id, old.number, old.rules, old.offer)) then
                        raise exception 'a published version of a product is neither changed nor removed' using errcode = 'restrict_violation';
                    end if;
                    return case tg_op when 'DELETE' then old else new end;
                end $$;
                create trigger product_versions_published_stay before update or delete on camino.product_versions for each row execute function camino.refuse_change_of_published();

                update camino.schema_info set version = 3;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop trigger audit_entries_never_emptied on camino.audit_entries; update camino.schema_info set version = 2");

            migrationBuilder.DropTable(
                name: "business_day",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "close_chunks",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "handled_requests",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "ledger_checks",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "ledger_entries",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_balances",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_events",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_installments",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_letters",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "close_runs",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "ledger_transactions",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "serviced_loans",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "product_versions",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "products",
                schema: "camino");

            migrationBuilder.Sql("drop function camino.check_ledger_balance(); drop function camino.refuse_change_of_published()");

            migrationBuilder.DropSequence(
                name: "serviced_loan_numbers",
                schema: "camino");
        }
    }
}
