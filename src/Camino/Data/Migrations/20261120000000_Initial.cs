using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using NpgsqlTypes;

#nullable disable

namespace Camino.Data.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "camino");

            migrationBuilder.CreateTable(
                name: "api_keys",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_api_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "audit_entries",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    user_id = table.Column<Guid>(type: "uuid", nullable: true),
                    action = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    subject_id = table.Column<string>(type: "text", nullable: false),
                    details = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_entries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "data_protection_keys",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    friendly_name = table.Column<string>(type: "text", nullable: false),
                    xml = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_data_protection_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "first_admin_links",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_first_admin_links", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "imports",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    file_name = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false),
                    stored_as = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    size_bytes = table.Column<long>(type: "bigint", nullable: false),
                    sha256 = table.Column<byte[]>(type: "bytea", nullable: false),
                    plan = table.Column<short>(type: "smallint", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    requested_by = table.Column<Guid>(type: "uuid", nullable: false),
                    requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    job_id = table.Column<Guid>(type: "uuid", nullable: true),
                    layout_name = table.Column<string>(type: "text", nullable: true),
                    mapping = table.Column<string>(type: "jsonb", nullable: true),
                    shape = table.Column<string>(type: "jsonb", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    progress_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    bytes_done = table.Column<long>(type: "bigint", nullable: false),
                    check_figures = table.Column<string>(type: "jsonb", nullable: true),
                    load_figures = table.Column<string>(type: "jsonb", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_arguments = table.Column<string[]>(type: "text[]", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_imports", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "loan_names",
                schema: "camino",
                columns: table => new
                {
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    words = table.Column<NpgsqlTsVector>(type: "tsvector", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_names", x => x.loan_id);
                });

            migrationBuilder.CreateTable(
                name: "loan_versions",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    loan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    replaced_by_import_id = table.Column<Guid>(type: "uuid", nullable: false),
                    replaced_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    facts = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loan_versions", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "loans",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    source = table.Column<short>(type: "smallint", nullable: false),
                    number = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    borrower_name = table.Column<string>(type: "text", nullable: true),
                    street = table.Column<string>(type: "text", nullable: true),
                    city = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: true),
                    zip = table.Column<string>(type: "text", nullable: true),
                    lender_name = table.Column<string>(type: "text", nullable: true),
                    lender_state = table.Column<string>(type: "text", nullable: true),
                    naics = table.Column<string>(type: "text", nullable: true),
                    industry_title = table.Column<string>(type: "text", nullable: true),
                    approved_on = table.Column<DateOnly>(type: "date", nullable: true),
                    disbursed_on = table.Column<DateOnly>(type: "date", nullable: true),
                    charged_off_on = table.Column<DateOnly>(type: "date", nullable: true),
                    paid_in_full_on = table.Column<DateOnly>(type: "date", nullable: true),
                    approval_fiscal_year = table.Column<int>(type: "integer", nullable: true),
                    term_months = table.Column<int>(type: "integer", nullable: true),
                    employees = table.Column<int>(type: "integer", nullable: true),
                    jobs_created = table.Column<int>(type: "integer", nullable: true),
                    jobs_retained = table.Column<int>(type: "integer", nullable: true),
                    business_age = table.Column<string>(type: "text", nullable: true),
                    business_type = table.Column<string>(type: "text", nullable: true),
                    franchise_code = table.Column<string>(type: "text", nullable: true),
                    urban_rural = table.Column<string>(type: "text", nullable: true),
                    county = table.Column<string>(type: "text", nullable: true),
                    congressional_district = table.Column<string>(type: "text", nullable: true),
                    processing_method = table.Column<string>(type: "text", nullable: true),
                    revolving = table.Column<bool>(type: "boolean", nullable: true),
                    low_documentation = table.Column<bool>(type: "boolean", nullable: true),
                    non_profit = table.Column<bool>(type: "boolean", nullable: true),
                    fixed_rate = table.Column<bool>(type: "boolean", nullable: true),
                    interest_rate_percent = table.Column<decimal>(type: "numeric(8,5)", precision: 8, scale: 5, nullable: true),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    disbursed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    approved = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    guaranteed = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    charged_off = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    balance = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    amount_from = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    amount_to = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true),
                    amount = table.Column<decimal>(type: "numeric(14,2)", precision: 14, scale: 2, nullable: true, computedColumnSql: "coalesce(disbursed, approved, amount_from)", stored: true),
                    content_hash = table.Column<Guid>(type: "uuid", nullable: false),
                    import_id = table.Column<Guid>(type: "uuid", nullable: false),
                    import_line = table.Column<long>(type: "bigint", nullable: false),
                    stored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_loans", x => x.id);
                    table.CheckConstraint("ck_loans_amounts_not_negative", "disbursed >= 0 and approved >= 0 and guaranteed >= 0 and charged_off >= 0 and balance >= 0");
                    table.CheckConstraint("ck_loans_number", "length(number) between 1 and 40");
                });

            migrationBuilder.CreateTable(
                name: "notices",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    arguments = table.Column<string[]>(type: "text[]", nullable: false),
                    link = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    read_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notices", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "portfolio_figures",
                schema: "camino",
                columns: table => new
                {
                    dimension = table.Column<string>(type: "text", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    loans = table.Column<long>(type: "bigint", nullable: false),
                    disbursed = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    approved = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    guaranteed = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    charged_off = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    balance = table.Column<decimal>(type: "numeric(20,2)", precision: 20, scale: 2, nullable: false),
                    loans_charged_off = table.Column<long>(type: "bigint", nullable: false),
                    loans_closed = table.Column<long>(type: "bigint", nullable: false),
                    as_of = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_portfolio_figures", x => new { x.dimension, x.key });
                });

            migrationBuilder.CreateTable(
                name: "saved_mappings",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    layout = table.Column<string>(type: "jsonb", nullable: false),
                    created_by = table.Column<Guid>(type: "uuid", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_saved_mappings", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "staff_roles",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    normalized_name = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    concurrency_stamp = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_roles", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "staff_users",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    display_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    language = table.Column<string>(type: "character varying(2)", maxLength: 2, nullable: false),
                    is_demo = table.Column<bool>(type: "boolean", nullable: false),
                    user_name = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    normalized_user_name = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    email = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    normalized_email = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    email_confirmed = table.Column<bool>(type: "boolean", nullable: false),
                    password_hash = table.Column<string>(type: "text", nullable: true),
                    security_stamp = table.Column<string>(type: "text", nullable: true),
                    concurrency_stamp = table.Column<string>(type: "text", nullable: true),
                    phone_number = table.Column<string>(type: "text", nullable: true),
                    phone_number_confirmed = table.Column<bool>(type: "boolean", nullable: false),
                    two_factor_enabled = table.Column<bool>(type: "boolean", nullable: false),
                    lockout_end = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    lockout_enabled = table.Column<bool>(type: "boolean", nullable: false),
                    access_failed_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_users", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "import_rows",
                schema: "camino",
                columns: table => new
                {
                    import_id = table.Column<Guid>(type: "uuid", nullable: false),
                    dry_run = table.Column<bool>(type: "boolean", nullable: false),
                    line = table.Column<long>(type: "bigint", nullable: false),
                    outcome = table.Column<short>(type: "smallint", nullable: false),
                    number = table.Column<string>(type: "text", nullable: true),
                    findings = table.Column<string>(type: "jsonb", nullable: false),
                    raw = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_rows", x => new { x.import_id, x.dry_run, x.line });
                    table.ForeignKey(
                        name: "fk_import_rows_imports_import_id",
                        column: x => x.import_id,
                        principalSchema: "camino",
                        principalTable: "imports",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "staff_role_claims",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    role_id = table.Column<Guid>(type: "uuid", nullable: false),
                    claim_type = table.Column<string>(type: "text", nullable: true),
                    claim_value = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_role_claims", x => x.id);
                    table.ForeignKey(
                        name: "fk_staff_role_claims_staff_roles_role_id",
                        column: x => x.role_id,
                        principalSchema: "camino",
                        principalTable: "staff_roles",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "staff_user_claims",
                schema: "camino",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    claim_type = table.Column<string>(type: "text", nullable: true),
                    claim_value = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_user_claims", x => x.id);
                    table.ForeignKey(
                        name: "fk_staff_user_claims_staff_users_user_id",
                        column: x => x.user_id,
                        principalSchema: "camino",
                        principalTable: "staff_users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "staff_user_logins",
                schema: "camino",
                columns: table => new
                {
                    login_provider = table.Column<string>(type: "text", nullable: false),
                    provider_key = table.Column<string>(type: "text", nullable: false),
                    provider_display_name = table.Column<string>(type: "text", nullable: true),
                    user_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_user_logins", x => new { x.login_provider, x.provider_key });
                    table.ForeignKey(
                        name: "fk_staff_user_logins_staff_users_user_id",
                        column: x => x.user_id,
                        principalSchema: "camino",
                        principalTable: "staff_users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "staff_user_roles",
                schema: "camino",
                columns: table => new
                {
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    role_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_user_roles", x => new { x.user_id, x.role_id });
                    table.ForeignKey(
                        name: "fk_staff_user_roles_staff_roles_role_id",
                        column: x => x.role_id,
                        principalSchema: "camino",
                        principalTable: "staff_roles",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_staff_user_roles_staff_users_user_id",
                        column: x => x.user_id,
                        principalSchema: "camino",
                        principalTable: "staff_users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "staff_user_tokens",
                schema: "camino",
                columns: table => new
                {
                    user_id = table.Column<Guid>(type: "uuid", nullable: false),
                    login_provider = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_staff_user_tokens", x => new { x.user_id, x.login_provider, x.name });
                    table.ForeignKey(
                        name: "fk_staff_user_tokens_staff_users_user_id",
                        column: x => x.user_id,
                        principalSchema: "camino",
                        principalTable: "staff_users",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_api_keys_hash",
                schema: "camino",
                table: "api_keys",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_subject_subject_id_id",
                schema: "camino",
                table: "audit_entries",
                columns: new[] { "subject", "subject_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_first_admin_links_hash",
                schema: "camino",
                table: "first_admin_links",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_loan_names_words",
                schema: "camino",
                table: "loan_names",
                column: "words")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "ix_loan_versions_loan_id",
                schema: "camino",
                table: "loan_versions",
                column: "loan_id");

            migrationBuilder.CreateIndex(
                name: "ix_loans_amount_id",
                schema: "camino",
                table: "loans",
                columns: new[] { "amount", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_loans_approved_on_id",
                schema: "camino",
                table: "loans",
                columns: new[] { "approved_on", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_loans_import_id_id",
                schema: "camino",
                table: "loans",
                columns: new[] { "import_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_loans_number_source",
                schema: "camino",
                table: "loans",
                columns: new[] { "number", "source" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_loans_state_id",
                schema: "camino",
                table: "loans",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_notices_user_id_id",
                schema: "camino",
                table: "notices",
                columns: new[] { "user_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_saved_mappings_name",
                schema: "camino",
                table: "saved_mappings",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_staff_role_claims_role_id",
                schema: "camino",
                table: "staff_role_claims",
                column: "role_id");

            migrationBuilder.CreateIndex(
                name: "role_name_index",
                schema: "camino",
                table: "staff_roles",
                column: "normalized_name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_staff_user_claims_user_id",
                schema: "camino",
                table: "staff_user_claims",
                column: "user_id");

            migrationBuilder.CreateIndex(
                name: "ix_staff_user_logins_user_id",
                schema: "camino",
                table: "staff_user_logins",
                column: "user_id");

            migrationBuilder.CreateIndex(
                name: "ix_staff_user_roles_role_id",
                schema: "camino",
                table: "staff_user_roles",
                column: "role_id");

            migrationBuilder.CreateIndex(
                name: "email_index",
                schema: "camino",
                table: "staff_users",
                column: "normalized_email");

            migrationBuilder.CreateIndex(
                name: "user_name_index",
                schema: "camino",
                table: "staff_users",
                column: "normalized_user_name",
                unique: true);

            // The queue lives in a schema of its own and brings its own script.
            migrationBuilder.Sql(Camino.Jobs.JobSchema.InstallSql(version: 2));

            migrationBuilder.Sql(
                """
                create table camino.schema_info (only_row boolean primary key default true check (only_row), version integer not null);
                insert into camino.schema_info (version) values (1);

                insert into camino.staff_roles (id, name, normalized_name) values
                    ('019d0000-0000-7000-8000-000000000001', 'administrator', 'ADMINISTRATOR'),
                    ('019d0000-0000-7000-8000-000000000002', 'officer', 'OFFICER'),
                    ('019d0000-0000-7000-8000-000000000003', 'viewer', 'VIEWER');

                -- What was done stays done: the trail is written once.
                create function camino.refuse_change() returns trigger language plpgsql as $$
                begin
                    raise exception '% is written once; rows are neither changed nor removed', tg_table_name using errcode = 'restrict_violation';
                end $$;
                create trigger audit_entries_written_once before update or delete on camino.audit_entries for each row execute function camino.refuse_change();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "api_keys",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "audit_entries",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "data_protection_keys",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "first_admin_links",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "import_rows",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_names",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loan_versions",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "loans",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "notices",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "portfolio_figures",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "saved_mappings",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_role_claims",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_user_claims",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_user_logins",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_user_roles",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_user_tokens",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "imports",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_roles",
                schema: "camino");

            migrationBuilder.DropTable(
                name: "staff_users",
                schema: "camino");
        }
    }
}
