-- The tables of a new installation, to read and to compare: what a migration changes shows here.
--
-- Printed by `make schema` on PostgreSQL 18, never by hand and never run. The migrations make it;
-- their comments say why. Functions are in db/procedures.

CREATE SCHEMA pgwallet;

CREATE DOMAIN pgwallet.account_kind AS text COLLATE pg_catalog."C"
	CONSTRAINT account_kind_known CHECK ((VALUE = ANY (ARRAY['wallet'::text, 'pocket'::text, 'project'::text, 'escrow'::text, 'commission'::text, 'fee'::text, 'external'::text, 'in_transit'::text])));

COMMENT ON DOMAIN pgwallet.account_kind IS 'What an account is for. Wallet, pocket and project keep a balance, the others only pass money on.';

CREATE DOMAIN pgwallet.credit_limit AS numeric
	CONSTRAINT credit_limit_known CHECK (((VALUE >= (0)::numeric) AND (VALUE < ('1000000000000000'::bigint)::numeric)));

COMMENT ON DOMAIN pgwallet.credit_limit IS 'How far below 0 a balance may go, in major units: finite, and not below 0.';

CREATE DOMAIN pgwallet.escrow_status AS text COLLATE pg_catalog."C"
	CONSTRAINT escrow_status_known CHECK ((VALUE = ANY (ARRAY['locked'::text, 'disputed'::text, 'released'::text, 'refunded'::text, 'expired'::text, 'settled'::text])));

COMMENT ON DOMAIN pgwallet.escrow_status IS 'Locked while anything is left in the escrow, or disputed while a dispute holds that; then released, refunded, expired (refunded for that reason) or settled (some of both).';

CREATE DOMAIN pgwallet.project_status AS text COLLATE pg_catalog."C"
	CONSTRAINT project_status_known CHECK ((VALUE = ANY (ARRAY['open'::text, 'succeeded'::text, 'failed'::text])));

COMMENT ON DOMAIN pgwallet.project_status IS 'Whether a project takes pledges, or how it ended.';

CREATE DOMAIN pgwallet.transaction_kind AS text COLLATE pg_catalog."C"
	CONSTRAINT transaction_kind_known CHECK ((VALUE = ANY (ARRAY['deposit'::text, 'withdrawal'::text, 'allocation'::text, 'transfer_to_pocket'::text, 'transfer_from_pocket'::text, 'transfer'::text, 'pocket_closing'::text, 'pledge'::text, 'pledge_change'::text, 'release'::text, 'refund'::text, 'release_refund'::text, 'payout'::text, 'collection'::text, 'reversal'::text])));

COMMENT ON DOMAIN pgwallet.transaction_kind IS 'What a transaction did.';

CREATE SEQUENCE pgwallet.id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE pgwallet.id_seq IS 'Source of wallet, pocket, project, escrow and account ids: id = nextval * 1024 + slot.';

CREATE TABLE pgwallet.currency (
    currency text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    exponent smallint NOT NULL,
    max_pledge numeric,
    external_account_id bigint DEFAULT (nextval('pgwallet.id_seq'::regclass) * 1024) NOT NULL,
    commission_account_id bigint DEFAULT (nextval('pgwallet.id_seq'::regclass) * 1024) NOT NULL,
    fee_account_id bigint DEFAULT (nextval('pgwallet.id_seq'::regclass) * 1024) NOT NULL,
    CONSTRAINT currency_currency_check CHECK ((currency ~ '^[A-Z0-9]{2,12}$'::text)),
    CONSTRAINT currency_exponent_check CHECK (((exponent >= 0) AND (exponent <= 18))),
    CONSTRAINT currency_max_pledge_check CHECK (((max_pledge > (0)::numeric) AND (max_pledge < ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT currency_max_pledge_decimals_check CHECK ((scale(trim_scale(max_pledge)) <= exponent))
);

COMMENT ON TABLE pgwallet.currency IS 'A currency that wallets and projects may be in: of ISO 4217, or one of one''s own.';
COMMENT ON COLUMN pgwallet.currency.currency IS 'The alphabetic code of ISO 4217, or another one of 2 to 12 capital letters and digits.';
COMMENT ON COLUMN pgwallet.currency.name IS 'The name; of ISO 4217 in English, without accents.';
COMMENT ON COLUMN pgwallet.currency.exponent IS 'How many decimals an amount may have.';
COMMENT ON COLUMN pgwallet.currency.max_pledge IS 'The largest single pledge, the default for new projects; null takes that of the settings.';
COMMENT ON COLUMN pgwallet.currency.external_account_id IS 'The account that deposits come from, and withdrawals and payouts go to.';
COMMENT ON COLUMN pgwallet.currency.commission_account_id IS 'The account that collects the commission of released escrows.';
COMMENT ON COLUMN pgwallet.currency.fee_account_id IS 'The account that collects the payment fee of released escrows.';

CREATE TABLE pgwallet.seal_flow (
    seal_id bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    month date NOT NULL,
    deposit_count bigint NOT NULL,
    withdrawal_count bigint NOT NULL,
    pledge_count bigint NOT NULL,
    release_count bigint NOT NULL,
    refund_count bigint NOT NULL,
    payout_count bigint NOT NULL,
    collection_count bigint NOT NULL,
    deposited numeric NOT NULL,
    withdrawn numeric NOT NULL,
    pledged numeric NOT NULL,
    released numeric NOT NULL,
    refunded numeric NOT NULL,
    commission numeric NOT NULL,
    fee numeric NOT NULL,
    net numeric NOT NULL,
    paid_out numeric NOT NULL,
    collected numeric NOT NULL
);

COMMENT ON TABLE pgwallet.seal_flow IS 'What had moved in a month up to a seal, as platform_summary counts it; never updated or deleted.';
COMMENT ON COLUMN pgwallet.seal_flow.seal_id IS 'At this seal, and up to the next one here.';
COMMENT ON COLUMN pgwallet.seal_flow.month IS 'First day of the month, in UTC.';

CREATE TABLE pgwallet.seal_project (
    project_id bigint NOT NULL,
    seal_id bigint NOT NULL,
    pledge_count bigint NOT NULL,
    settled_count bigint NOT NULL,
    pledged numeric NOT NULL,
    refunded numeric NOT NULL,
    commission numeric NOT NULL,
    fee numeric NOT NULL,
    net numeric NOT NULL
);

COMMENT ON TABLE pgwallet.seal_project IS 'What the pledges to a project came to at a seal, as get_project tells it; never updated or deleted.';
COMMENT ON COLUMN pgwallet.seal_project.seal_id IS 'At this seal, and up to the next one here.';
COMMENT ON COLUMN pgwallet.seal_project.settled_count IS 'How many of the pledges had nothing left that was neither released nor refunded.';

CREATE TABLE pgwallet.seal (
    seal_id bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    posting_id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    event_id bigint NOT NULL,
    latest_at timestamp with time zone NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT seal_digest_check CHECK ((length(digest) = 32))
);

COMMENT ON TABLE pgwallet.seal IS 'What the history was up to a point: a digest over it and the seal before; never updated or deleted.';
COMMENT ON COLUMN pgwallet.seal.seal_id IS 'Counted from 1, without a gap.';
COMMENT ON COLUMN pgwallet.seal.sealed_at IS 'What was recorded until then is sealed: nothing of it comes later.';
COMMENT ON COLUMN pgwallet.seal.posting_id IS 'No posting up to this id comes later.';
COMMENT ON COLUMN pgwallet.seal.transaction_id IS 'No transaction up to this id comes later.';
COMMENT ON COLUMN pgwallet.seal.event_id IS 'No event up to this id comes later.';
COMMENT ON COLUMN pgwallet.seal.latest_at IS 'When the latest of all these postings was recorded; -infinity where there is none.';
COMMENT ON COLUMN pgwallet.seal.digest IS 'SHA-256 over the digest of the seal before and what was recorded since.';

CREATE TABLE pgwallet.pocket (
    pocket_id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    allocation_percentage numeric DEFAULT 0 NOT NULL,
    pocket_type text,
    target_amount numeric,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    stop_at_target boolean DEFAULT false NOT NULL,
    takes_rest boolean DEFAULT false NOT NULL,
    CONSTRAINT pocket_allocation_percentage_check CHECK (((allocation_percentage >= (0)::numeric) AND (allocation_percentage <= (100)::numeric))),
    CONSTRAINT pocket_closed_check CHECK (((closed_at IS NULL) OR ((allocation_percentage = (0)::numeric) AND (NOT takes_rest)))),
    CONSTRAINT pocket_name_check CHECK (((length(name) <= 200) AND (name ~ '[^\u0001-\u0020\u007f\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]'::text))),
    CONSTRAINT pocket_pocket_type_check CHECK ((length(pocket_type) <= 200)),
    CONSTRAINT pocket_rest_check CHECK (((NOT takes_rest) OR (allocation_percentage = (0)::numeric))),
    CONSTRAINT pocket_stop_check CHECK (((NOT stop_at_target) OR (target_amount IS NOT NULL))),
    CONSTRAINT pocket_target_amount_check CHECK (((target_amount > (0)::numeric) AND (target_amount < ('1000000000000000'::bigint)::numeric)))
);

COMMENT ON TABLE pgwallet.pocket IS 'A part of a wallet, with the share of deposits it receives.';
COMMENT ON COLUMN pgwallet.pocket.allocation_percentage IS 'Percentage of an allocated deposit that the pocket receives, with up to four decimals.';
COMMENT ON COLUMN pgwallet.pocket.pocket_type IS 'What the application uses the pocket for.';
COMMENT ON COLUMN pgwallet.pocket.target_amount IS 'What the owner wants to save, in major units.';
COMMENT ON COLUMN pgwallet.pocket.closed_at IS 'When it was closed, as its account says too; null while it is open.';
COMMENT ON COLUMN pgwallet.pocket.stop_at_target IS 'Whether an allocation gives it no more than it lacks of its target.';
COMMENT ON COLUMN pgwallet.pocket.takes_rest IS 'Whether it receives what the other pockets leave of an allocation; one of a wallet at most.';

CREATE TABLE pgwallet.account (
    account_id bigint NOT NULL,
    external_account_id bigint,
    kind pgwallet.account_kind NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    balance numeric,
    credit_limit pgwallet.credit_limit DEFAULT 0 NOT NULL,
    frozen_at timestamp with time zone,
    closed_at timestamp with time zone,
    has_rules boolean DEFAULT false NOT NULL,
    CONSTRAINT account_balance_check CHECK (((- balance) <= (credit_limit)::numeric)),
    CONSTRAINT account_kind_check CHECK (((balance IS NOT NULL) = ((kind)::text >= 'pocket'::text)))
)
WITH (fillfactor='70');

COMMENT ON TABLE pgwallet.account IS 'Whatever holds money, in one currency.';
COMMENT ON COLUMN pgwallet.account.account_id IS 'Id of the wallet, pocket or project whose account it is, else an id of its own.';
COMMENT ON COLUMN pgwallet.account.external_account_id IS 'Of a wallet or project: the external account of its currency, so that no call looks it up.';
COMMENT ON COLUMN pgwallet.account.balance IS 'Postings in less postings out, in major units. It has exactly the decimals of its currency, which functions read from it. Null where it is derived instead of kept.';
COMMENT ON COLUMN pgwallet.account.credit_limit IS 'How far below 0 the balance of a wallet or project may go, in major units.';
COMMENT ON COLUMN pgwallet.account.frozen_at IS 'Since when nothing may leave a wallet or project; null while it is not frozen.';
COMMENT ON COLUMN pgwallet.account.closed_at IS 'When a wallet or pocket was closed; null while it is open.';
COMMENT ON COLUMN pgwallet.account.has_rules IS 'Of a wallet: whether a pocket of it stops at its target or takes the rest. An allocation reads it with the balance and asks for rules only where it says so.';

CREATE TABLE pgwallet.posting (
    posting_id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    source_account_id bigint NOT NULL,
    destination_account_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    amount numeric NOT NULL,
    source_balance numeric,
    destination_balance numeric,
    CONSTRAINT posting_accounts_check CHECK ((source_account_id <> destination_account_id)),
    CONSTRAINT posting_amount_check CHECK (((amount > 0.0) AND (amount < 'Infinity'::numeric)))
)
WITH (autovacuum_vacuum_insert_scale_factor='0.02', autovacuum_freeze_min_age='0');

COMMENT ON TABLE pgwallet.posting IS 'One movement of money from an account to another; never updated or deleted.';
COMMENT ON COLUMN pgwallet.posting.posting_id IS 'Assigned while the accounts are locked: in the order of an account''s balances.';
COMMENT ON COLUMN pgwallet.posting.amount IS 'What moved, in major units.';
COMMENT ON COLUMN pgwallet.posting.source_balance IS 'The source''s balance after this posting; null if that account keeps none, but for earnings.';
COMMENT ON COLUMN pgwallet.posting.destination_balance IS 'The destination''s balance after this posting; null if that account keeps none.';

CREATE TABLE pgwallet.seal_balance (
    account_id bigint NOT NULL,
    seal_id bigint NOT NULL,
    balance numeric NOT NULL
);

COMMENT ON TABLE pgwallet.seal_balance IS 'What an account without a balance of its own came to at a seal; never updated or deleted.';
COMMENT ON COLUMN pgwallet.seal_balance.seal_id IS 'At this seal, and up to the next one here.';
COMMENT ON COLUMN pgwallet.seal_balance.balance IS 'All postings up to the seal, in major units.';

CREATE TABLE pgwallet.escrow (
    escrow_id bigint NOT NULL,
    project_id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    status pgwallet.escrow_status DEFAULT 'locked'::text NOT NULL,
    amount numeric NOT NULL,
    released_amount numeric DEFAULT 0 NOT NULL,
    refunded_amount numeric DEFAULT 0 NOT NULL,
    commission_amount numeric DEFAULT 0 NOT NULL,
    fee_amount numeric DEFAULT 0 NOT NULL,
    net_amount numeric DEFAULT 0 NOT NULL,
    settled_by bigint,
    reopenings bigint[],
    CONSTRAINT escrow_amount_check CHECK (((amount > 0.0) AND (amount < '1000000000000000'::numeric))),
    CONSTRAINT escrow_parts_check CHECK (((released_amount >= 0.0) AND (refunded_amount >= 0.0) AND ((released_amount + refunded_amount) <= amount) AND (commission_amount >= 0.0) AND (fee_amount >= 0.0) AND (((commission_amount + fee_amount) + net_amount) = released_amount))),
    CONSTRAINT escrow_status_check CHECK ((((status)::text = ANY (ARRAY['locked'::text, 'disputed'::text])) = ((released_amount + refunded_amount) < amount)))
);

COMMENT ON TABLE pgwallet.escrow IS 'A pledge: money of a wallet, locked for a project.';
COMMENT ON COLUMN pgwallet.escrow.expires_at IS 'From when on it is only refunded, unless the project has succeeded by then; null for never.';
COMMENT ON COLUMN pgwallet.escrow.amount IS 'What was pledged, in major units.';
COMMENT ON COLUMN pgwallet.escrow.released_amount IS 'What was released so far: commission, fee and net together.';
COMMENT ON COLUMN pgwallet.escrow.refunded_amount IS 'What went back to the wallet so far.';
COMMENT ON COLUMN pgwallet.escrow.net_amount IS 'What the project has of it; below 0 where a release was refunded but its fees kept.';
COMMENT ON COLUMN pgwallet.escrow.settled_by IS 'The transaction that took the last of it, which may be a batch; null while anything is left.';
COMMENT ON COLUMN pgwallet.escrow.reopenings IS 'Pairs of transactions: what took the last of it, and what locked it again; null if none did.';

CREATE TABLE pgwallet.project (
    project_id bigint NOT NULL,
    reference text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL COLLATE pg_catalog."C",
    status pgwallet.project_status DEFAULT 'open'::text NOT NULL,
    commission_rate numeric NOT NULL,
    fee_rate numeric NOT NULL,
    fee_fixed numeric NOT NULL,
    max_pledge numeric NOT NULL,
    escrow_account_id bigint NOT NULL,
    first_transaction_id bigint DEFAULT 0 NOT NULL,
    request text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    frozen_at timestamp with time zone,
    CONSTRAINT project_closed_check CHECK ((((status)::text = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT project_commission_rate_check CHECK (((commission_rate >= (0)::numeric) AND (commission_rate <= (1)::numeric))),
    CONSTRAINT project_fee_fixed_check CHECK (((fee_fixed >= (0)::numeric) AND (fee_fixed < ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT project_fee_rate_check CHECK (((fee_rate >= (0)::numeric) AND (fee_rate <= (1)::numeric))),
    CONSTRAINT project_max_pledge_check CHECK (((max_pledge >= (0)::numeric) AND (max_pledge < ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT project_rates_check CHECK (((commission_rate + fee_rate) <= (1)::numeric)),
    CONSTRAINT project_reference_check CHECK (((length(reference) <= 200) AND (reference ~ '[^\u0001-\u0020\u007f\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]'::text)))
);

COMMENT ON TABLE pgwallet.project IS 'What wallets pledge money to.';
COMMENT ON COLUMN pgwallet.project.reference IS 'The project, as the application calls it.';
COMMENT ON COLUMN pgwallet.project.commission_rate IS 'Part of a released amount that the platform takes, fixed when the project was created.';
COMMENT ON COLUMN pgwallet.project.fee_rate IS 'Part of a released amount that pays for payments, fixed when the project was created.';
COMMENT ON COLUMN pgwallet.project.fee_fixed IS 'What each released escrow pays once for payments, fixed when the project was created.';
COMMENT ON COLUMN pgwallet.project.max_pledge IS 'The largest single pledge, in major units.';
COMMENT ON COLUMN pgwallet.project.escrow_account_id IS 'The account that holds what is locked for the project.';
COMMENT ON COLUMN pgwallet.project.first_transaction_id IS 'No transaction with a smaller id concerns the project, so that a check of it reads none.';
COMMENT ON COLUMN pgwallet.project.request IS 'The arguments it was created with, to tell the same call again from another one.';
COMMENT ON COLUMN pgwallet.project.frozen_at IS 'Since when it takes no pledges, as its account says too, which pledges do not read.';

CREATE TABLE pgwallet.transaction (
    transaction_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    escrow_id bigint,
    reversed_transaction_id bigint,
    effective_at timestamp with time zone,
    settled_count integer,
    kind pgwallet.transaction_kind NOT NULL,
    idempotency_key text COLLATE pg_catalog."C",
    request text,
    metadata jsonb,
    metadata_digest bytea,
    CONSTRAINT transaction_key_check CHECK (((idempotency_key IS NULL) = (request IS NULL)))
)
WITH (autovacuum_vacuum_insert_scale_factor='0.02', autovacuum_freeze_min_age='0');

COMMENT ON TABLE pgwallet.transaction IS 'What one call did; never deleted, nor updated but where metadata are erased.';
COMMENT ON COLUMN pgwallet.transaction.created_at IS 'When it was recorded.';
COMMENT ON COLUMN pgwallet.transaction.escrow_id IS 'The escrow that it made, released or refunded; null for others and for batches.';
COMMENT ON COLUMN pgwallet.transaction.reversed_transaction_id IS 'Of a reversal: the transaction that it took back.';
COMMENT ON COLUMN pgwallet.transaction.effective_at IS 'When it happened outside, where the caller said so.';
COMMENT ON COLUMN pgwallet.transaction.settled_count IS 'Of a batch of releases, which posts their sums: how many escrows it took the last of; else null.';
COMMENT ON COLUMN pgwallet.transaction.idempotency_key IS 'The caller''s name for this call: the same key again moves nothing again.';
COMMENT ON COLUMN pgwallet.transaction.request IS 'Function, ids, amount and rounding of a call with a key, to tell the same call from another.';
COMMENT ON COLUMN pgwallet.transaction.metadata_digest IS 'SHA-256 of the UTF-8 text of the metadata that were erased with their owner; else null.';

CREATE TABLE pgwallet.wallet (
    wallet_id bigint NOT NULL,
    owner_id text NOT NULL COLLATE pg_catalog."C",
    owner_salt uuid DEFAULT gen_random_uuid(),
    currency text NOT NULL COLLATE pg_catalog."C",
    allocation_percentage numeric DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT wallet_allocation_check CHECK (((allocation_percentage >= (0)::numeric) AND (allocation_percentage <= (100)::numeric))),
    CONSTRAINT wallet_owner_id_check CHECK (((length(owner_id) <= 200) AND (owner_id ~ '[^\u0001-\u0020\u007f\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]'::text)))
);

COMMENT ON TABLE pgwallet.wallet IS 'A wallet: the money of one owner in one currency.';
COMMENT ON COLUMN pgwallet.wallet.owner_id IS 'The owner, as the application calls them.';
COMMENT ON COLUMN pgwallet.wallet.owner_salt IS 'What the owner was digested with in the event that tells of the wallet; null once erased.';
COMMENT ON COLUMN pgwallet.wallet.allocation_percentage IS 'Sum of the percentages of the wallet''s pockets, kept here so that it can never pass 100.';

CREATE TABLE pgwallet.deployment (
    deployment_id bigint NOT NULL,
    version text NOT NULL COLLATE pg_catalog."C",
    source_hash text NOT NULL,
    deployed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deployed_by name DEFAULT SESSION_USER NOT NULL,
    owner_name name DEFAULT CURRENT_USER NOT NULL,
    CONSTRAINT deployment_closed_check CHECK (pgwallet._close_to_public())
);

COMMENT ON TABLE pgwallet.deployment IS 'One row for each time the functions were installed; the last one is what is there now.';
COMMENT ON COLUMN pgwallet.deployment.version IS 'The version of pgwallet that was installed, such as 0.1.0.';
COMMENT ON COLUMN pgwallet.deployment.source_hash IS 'SHA-256, in hex, of the text of all files in db/procedures.';
COMMENT ON COLUMN pgwallet.deployment.owner_name IS 'Whom the schema belonged to: it is to stay theirs.';

ALTER TABLE pgwallet.deployment ALTER COLUMN deployment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pgwallet.deployment_deployment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW pgwallet.escrow_summary AS
 SELECT e.escrow_id,
    e.project_id,
    e.wallet_id,
    w.owner_id,
    j.reference,
    e.status,
    j.status AS project_status,
    e.created_at,
    e.expires_at,
    COALESCE((((e.status)::text = 'locked'::text) AND (e.expires_at <= statement_timestamp()) AND (((j.status)::text <> 'succeeded'::text) OR (e.expires_at <= j.closed_at))), false) AS expired,
    (statement_timestamp() - e.created_at) AS age,
    e.settled_by,
    j.currency,
    e.amount,
    round(((e.amount - e.released_amount) - e.refunded_amount), scale(e.amount)) AS locked_amount,
    round(e.released_amount, scale(e.amount)) AS released_amount,
    round(e.refunded_amount, scale(e.amount)) AS refunded_amount,
    round(e.commission_amount, scale(e.amount)) AS commission_amount,
    round(e.fee_amount, scale(e.amount)) AS fee_amount,
    round(e.net_amount, scale(e.amount)) AS net_amount
   FROM ((pgwallet.escrow e
     LEFT JOIN pgwallet.wallet w ON ((e.wallet_id = w.wallet_id)))
     LEFT JOIN pgwallet.project j ON ((e.project_id = j.project_id)))
  WHERE (((e.status)::text = ANY (ARRAY['locked'::text, 'disputed'::text])) OR ((e.status)::text <> ALL (ARRAY['locked'::text, 'disputed'::text])));

COMMENT ON VIEW pgwallet.escrow_summary IS 'Each pledge: whose, for which project, how old, and where its money is.';
COMMENT ON COLUMN pgwallet.escrow_summary.escrow_id IS 'Id of the escrow.';
COMMENT ON COLUMN pgwallet.escrow_summary.project_id IS 'The project that was pledged to.';
COMMENT ON COLUMN pgwallet.escrow_summary.wallet_id IS 'The wallet that pledged.';
COMMENT ON COLUMN pgwallet.escrow_summary.owner_id IS 'Owner of the wallet.';
COMMENT ON COLUMN pgwallet.escrow_summary.reference IS 'Reference of the project.';
COMMENT ON COLUMN pgwallet.escrow_summary.status IS 'Locked while anything is left, or disputed; then released, refunded, expired or settled.';
COMMENT ON COLUMN pgwallet.escrow_summary.project_status IS 'Whether the project is open, or how it ended.';
COMMENT ON COLUMN pgwallet.escrow_summary.created_at IS 'When the pledge was made.';
COMMENT ON COLUMN pgwallet.escrow_summary.expires_at IS 'From when on it is only refunded, unless the project has succeeded by then; null for never.';
COMMENT ON COLUMN pgwallet.escrow_summary.expired IS 'Whether it is locked and has expired before its project succeeded, so that it is only refunded.';
COMMENT ON COLUMN pgwallet.escrow_summary.age IS 'How long ago the pledge was made.';
COMMENT ON COLUMN pgwallet.escrow_summary.settled_by IS 'The transaction that took the last of it; null while anything is left.';
COMMENT ON COLUMN pgwallet.escrow_summary.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.escrow_summary.amount IS 'What was pledged.';
COMMENT ON COLUMN pgwallet.escrow_summary.locked_amount IS 'What was neither released nor refunded yet.';
COMMENT ON COLUMN pgwallet.escrow_summary.released_amount IS 'What was released so far, before commission and fee.';
COMMENT ON COLUMN pgwallet.escrow_summary.refunded_amount IS 'What went back to the wallet so far.';
COMMENT ON COLUMN pgwallet.escrow_summary.commission_amount IS 'What the platform took of releases.';
COMMENT ON COLUMN pgwallet.escrow_summary.fee_amount IS 'What payments took of releases.';
COMMENT ON COLUMN pgwallet.escrow_summary.net_amount IS 'What the project received of releases.';

CREATE TABLE pgwallet.event (
    event_id bigint NOT NULL,
    subject_id bigint,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_by name DEFAULT 
CASE
    WHEN ((current_setting('pgwallet.caller'::text, true) <> ''::text) AND pgwallet._is_router()) THEN (current_setting('pgwallet.caller'::text))::name
    ELSE SESSION_USER
END NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    reason text,
    before jsonb,
    after jsonb,
    CONSTRAINT event_kind_check CHECK ((length(kind) <= 200)),
    CONSTRAINT event_reason_check CHECK ((length(reason) <= 200))
)
WITH (autovacuum_vacuum_insert_scale_factor='0.02', autovacuum_freeze_min_age='0');

COMMENT ON TABLE pgwallet.event IS 'What changed without moving money, and who changed it; never updated or deleted.';
COMMENT ON COLUMN pgwallet.event.subject_id IS 'Id of the wallet, pocket, project, escrow or account; null for settings, currencies and roles.';
COMMENT ON COLUMN pgwallet.event.changed_by IS 'The role that the session began as; on a shard of a cluster, that on the router.';
COMMENT ON COLUMN pgwallet.event.kind IS 'What happened, such as freeze_account.';
COMMENT ON COLUMN pgwallet.event.reason IS 'What the caller gave as the reason.';
COMMENT ON COLUMN pgwallet.event.before IS 'What changed, as it was; null for something new.';
COMMENT ON COLUMN pgwallet.event.after IS 'What changed, as it is since then.';

CREATE SEQUENCE pgwallet.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgwallet.event_id_seq OWNED BY pgwallet.event.event_id;

COMMENT ON SEQUENCE pgwallet.event_id_seq IS 'Source of event ids.';

CREATE VIEW pgwallet.flow AS
 SELECT p.posting_id,
    s.currency,
    (date_trunc('month'::text, (p.created_at AT TIME ZONE 'UTC'::text)))::date AS month,
        CASE
            WHEN ((w.kind)::text = 'deposit'::text) THEN w.sign
            ELSE NULL::integer
        END AS deposit_count,
        CASE
            WHEN ((w.kind)::text = 'withdrawal'::text) THEN w.sign
            ELSE NULL::integer
        END AS withdrawal_count,
        CASE
            WHEN (((d.kind)::text = 'escrow'::text) AND ((t.kind)::text = 'pledge'::text)) THEN 1
            ELSE NULL::integer
        END AS pledge_count,
        CASE
            WHEN (((t.kind)::text = 'release'::text) AND ((d.kind)::text = 'project'::text)) THEN 1
            ELSE NULL::integer
        END AS release_count,
        CASE
            WHEN ((t.kind)::text = 'refund'::text) THEN 1
            ELSE NULL::integer
        END AS refund_count,
        CASE
            WHEN ((w.kind)::text = 'payout'::text) THEN w.sign
            ELSE NULL::integer
        END AS payout_count,
        CASE
            WHEN ((t.kind)::text = 'collection'::text) THEN 1
            ELSE NULL::integer
        END AS collection_count,
        CASE
            WHEN ((w.kind)::text = 'deposit'::text) THEN ((w.sign)::numeric * p.amount)
            ELSE NULL::numeric
        END AS deposited,
        CASE
            WHEN ((w.kind)::text = 'withdrawal'::text) THEN ((w.sign)::numeric * p.amount)
            ELSE NULL::numeric
        END AS withdrawn,
        CASE
            WHEN ((t.kind)::text <> ALL (ARRAY['pledge'::text, 'pledge_change'::text])) THEN NULL::numeric
            WHEN ((d.kind)::text = 'escrow'::text) THEN p.amount
            ELSE (- p.amount)
        END AS pledged,
    r.amount AS released,
        CASE
            WHEN ((t.kind)::text = ANY (ARRAY['refund'::text, 'release_refund'::text])) THEN p.amount
            ELSE NULL::numeric
        END AS refunded,
        CASE
            WHEN (('commission'::text = (s.kind)::text) OR ('commission'::text = (d.kind)::text)) THEN r.amount
            ELSE NULL::numeric
        END AS commission,
        CASE
            WHEN (('fee'::text = (s.kind)::text) OR ('fee'::text = (d.kind)::text)) THEN r.amount
            ELSE NULL::numeric
        END AS fee,
        CASE
            WHEN (('project'::text = (s.kind)::text) OR ('project'::text = (d.kind)::text)) THEN r.amount
            ELSE NULL::numeric
        END AS net,
        CASE
            WHEN ((w.kind)::text = 'payout'::text) THEN ((w.sign)::numeric * p.amount)
            ELSE NULL::numeric
        END AS paid_out,
        CASE
            WHEN ((t.kind)::text = 'collection'::text) THEN p.amount
            ELSE NULL::numeric
        END AS collected
   FROM ((((((pgwallet.posting p
     CROSS JOIN LATERAL ( SELECT f.kind,
            f.reversed_transaction_id
           FROM pgwallet.transaction f
          WHERE (f.transaction_id = p.transaction_id)
          ORDER BY f.transaction_id
         LIMIT 1) t)
     CROSS JOIN LATERAL ( SELECT a.kind,
            a.currency
           FROM pgwallet.account a
          WHERE (a.account_id = p.source_account_id)
          ORDER BY a.account_id
         LIMIT 1) s)
     CROSS JOIN LATERAL ( SELECT a.kind
           FROM pgwallet.account a
          WHERE (a.account_id = p.destination_account_id)
          ORDER BY a.account_id
         LIMIT 1) d)
     LEFT JOIN LATERAL ( SELECT f.kind
           FROM pgwallet.transaction f
          WHERE (f.transaction_id = t.reversed_transaction_id)
          ORDER BY f.transaction_id
         LIMIT 1) b ON (true))
     CROSS JOIN LATERAL ( VALUES (COALESCE(b.kind, t.kind),
                CASE
                    WHEN (b.kind IS NULL) THEN 1
                    ELSE '-1'::integer
                END)) w(kind, sign))
     CROSS JOIN LATERAL ( VALUES (
                CASE t.kind
                    WHEN 'release'::text THEN p.amount
                    WHEN 'release_refund'::text THEN (- p.amount)
                    ELSE NULL::numeric
                END)) r(amount))
  WHERE (((s.kind)::text <> 'pocket'::text) AND ((d.kind)::text <> 'pocket'::text));

COMMENT ON VIEW pgwallet.flow IS 'What each posting adds to what moved in its month: seals and platform_summary sum it up.';

CREATE VIEW pgwallet.installed_routine AS
 SELECT p.oid AS routine_id,
    ((p.oid)::regprocedure)::text AS signature,
    p.xmin AS written_by
   FROM (pg_proc p
     JOIN pg_namespace n ON ((p.pronamespace = n.oid)))
  WHERE ((n.nspname = 'pgwallet'::name) AND (NOT (EXISTS ( SELECT
           FROM pg_depend d
          WHERE ((d.classid = ('pg_proc'::regclass)::oid) AND (d.objid = p.oid) AND (d.deptype = 'e'::"char"))))));

COMMENT ON VIEW pgwallet.installed_routine IS 'The functions and procedures as they are in this schema now.';

CREATE VIEW pgwallet.platform_summary AS
 WITH RECURSIVE last_seal AS (
         SELECT COALESCE(max(e.posting_id), '-9223372036854775808'::bigint) AS posting_id
           FROM ( SELECT n.posting_id
                   FROM pgwallet.seal n
                  ORDER BY n.seal_id DESC
                 LIMIT 1) e
        ), sealed_month AS (
        ( SELECT f.month,
            f.currency
           FROM pgwallet.seal_flow f
          ORDER BY f.month, f.currency
         LIMIT 1)
        UNION ALL
         SELECT n.month,
            n.currency
           FROM (sealed_month m_1
             CROSS JOIN LATERAL ( SELECT f.month,
                    f.currency
                   FROM pgwallet.seal_flow f
                  WHERE (ROW(f.month, f.currency) > ROW(m_1.month, m_1.currency))
                  ORDER BY f.month, f.currency
                 LIMIT 1) n)
        )
 SELECT m.month,
    m.deposit_count,
    m.withdrawal_count,
    m.pledge_count,
    m.release_count,
    m.refund_count,
    m.payout_count,
    m.collection_count,
    m.currency,
    round(m.deposited, (c.exponent)::integer) AS deposited_amount,
    round(m.withdrawn, (c.exponent)::integer) AS withdrawn_amount,
    round(m.pledged, (c.exponent)::integer) AS pledged_amount,
    round(m.released, (c.exponent)::integer) AS released_amount,
    round(m.refunded, (c.exponent)::integer) AS refunded_amount,
    round(m.commission, (c.exponent)::integer) AS commission_amount,
    round(m.fee, (c.exponent)::integer) AS fee_amount,
    round(m.net, (c.exponent)::integer) AS net_amount,
    round(m.paid_out, (c.exponent)::integer) AS paid_out_amount,
    round(m.collected, (c.exponent)::integer) AS collected_amount
   FROM (( SELECT f.currency,
            f.month,
            (COALESCE(sum(f.deposit_count), (0)::numeric))::bigint AS deposit_count,
            (COALESCE(sum(f.withdrawal_count), (0)::numeric))::bigint AS withdrawal_count,
            (COALESCE(sum(f.pledge_count), (0)::numeric))::bigint AS pledge_count,
            (COALESCE(sum(f.release_count), (0)::numeric))::bigint AS release_count,
            (COALESCE(sum(f.refund_count), (0)::numeric))::bigint AS refund_count,
            (COALESCE(sum(f.payout_count), (0)::numeric))::bigint AS payout_count,
            (COALESCE(sum(f.collection_count), (0)::numeric))::bigint AS collection_count,
            COALESCE(sum(f.deposited), (0)::numeric) AS deposited,
            COALESCE(sum(f.withdrawn), (0)::numeric) AS withdrawn,
            COALESCE(sum(f.pledged), (0)::numeric) AS pledged,
            COALESCE(sum(f.released), (0)::numeric) AS released,
            COALESCE(sum(f.refunded), (0)::numeric) AS refunded,
            COALESCE(sum(f.commission), (0)::numeric) AS commission,
            COALESCE(sum(f.fee), (0)::numeric) AS fee,
            COALESCE(sum(f.net), (0)::numeric) AS net,
            COALESCE(sum(f.paid_out), (0)::numeric) AS paid_out,
            COALESCE(sum(f.collected), (0)::numeric) AS collected
           FROM ( SELECT n.seal_id,
                    n.currency,
                    n.month,
                    n.deposit_count,
                    n.withdrawal_count,
                    n.pledge_count,
                    n.release_count,
                    n.refund_count,
                    n.payout_count,
                    n.collection_count,
                    n.deposited,
                    n.withdrawn,
                    n.pledged,
                    n.released,
                    n.refunded,
                    n.commission,
                    n.fee,
                    n.net,
                    n.paid_out,
                    n.collected
                   FROM (sealed_month s
                     CROSS JOIN LATERAL ( SELECT g.seal_id,
                            g.currency,
                            g.month,
                            g.deposit_count,
                            g.withdrawal_count,
                            g.pledge_count,
                            g.release_count,
                            g.refund_count,
                            g.payout_count,
                            g.collection_count,
                            g.deposited,
                            g.withdrawn,
                            g.pledged,
                            g.released,
                            g.refunded,
                            g.commission,
                            g.fee,
                            g.net,
                            g.paid_out,
                            g.collected
                           FROM pgwallet.seal_flow g
                          WHERE ((g.month = s.month) AND (g.currency = s.currency))
                          ORDER BY g.seal_id DESC
                         LIMIT 1) n)
                UNION ALL
                 SELECT n.posting_id,
                    n.currency,
                    n.month,
                    n.deposit_count,
                    n.withdrawal_count,
                    n.pledge_count,
                    n.release_count,
                    n.refund_count,
                    n.payout_count,
                    n.collection_count,
                    n.deposited,
                    n.withdrawn,
                    n.pledged,
                    n.released,
                    n.refunded,
                    n.commission,
                    n.fee,
                    n.net,
                    n.paid_out,
                    n.collected
                   FROM pgwallet.flow n
                  WHERE (n.posting_id > ( SELECT e.posting_id
                           FROM last_seal e))) f
          GROUP BY f.currency, f.month) m
     JOIN pgwallet.currency c ON ((m.currency = c.currency)));

COMMENT ON VIEW pgwallet.platform_summary IS 'What moved through the platform in each currency and month: of the last seal, and since.';
COMMENT ON COLUMN pgwallet.platform_summary.month IS 'First day of the month, in UTC, in which the movements were recorded.';
COMMENT ON COLUMN pgwallet.platform_summary.deposit_count IS 'How many deposits there were, less those taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.withdrawal_count IS 'How many withdrawals there were, less those taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.pledge_count IS 'How many pledges there were.';
COMMENT ON COLUMN pgwallet.platform_summary.release_count IS 'How many releases gave a project money; a batch counts as one.';
COMMENT ON COLUMN pgwallet.platform_summary.refund_count IS 'How many refunds there were, each escrow of a batch counted.';
COMMENT ON COLUMN pgwallet.platform_summary.payout_count IS 'How many payouts there were, less those taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.collection_count IS 'How often earnings were collected.';
COMMENT ON COLUMN pgwallet.platform_summary.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.platform_summary.deposited_amount IS 'What came into wallets from outside, less deposits taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.withdrawn_amount IS 'What went out of wallets to the outside, less withdrawals taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.pledged_amount IS 'What wallets pledged, with what changes of pledges added or took off.';
COMMENT ON COLUMN pgwallet.platform_summary.released_amount IS 'What was released, before commission and fee, less what of it was refunded later.';
COMMENT ON COLUMN pgwallet.platform_summary.refunded_amount IS 'What went back to wallets.';
COMMENT ON COLUMN pgwallet.platform_summary.commission_amount IS 'What the platform took of releases.';
COMMENT ON COLUMN pgwallet.platform_summary.fee_amount IS 'What payments took of releases.';
COMMENT ON COLUMN pgwallet.platform_summary.net_amount IS 'What projects received of releases.';
COMMENT ON COLUMN pgwallet.platform_summary.paid_out_amount IS 'What was paid out to projects, less payouts taken back.';
COMMENT ON COLUMN pgwallet.platform_summary.collected_amount IS 'What the platform collected of commission and fee.';

CREATE VIEW pgwallet.pocket_summary AS
 SELECT k.pocket_id,
    k.wallet_id,
    w.owner_id,
    k.name,
    k.pocket_type,
    k.created_at,
    k.allocation_percentage,
    k.takes_rest,
    k.stop_at_target,
    w.currency,
    round(k.target_amount, (c.exponent)::integer) AS target_amount,
        CASE
            WHEN (k.target_amount IS NOT NULL) THEN round(GREATEST((k.target_amount - a.balance), (0)::numeric), (c.exponent)::integer)
            ELSE NULL::numeric
        END AS lacking_amount,
    round(a.balance, (c.exponent)::integer) AS balance
   FROM (((pgwallet.pocket k
     JOIN pgwallet.wallet w ON ((k.wallet_id = w.wallet_id)))
     JOIN pgwallet.currency c ON ((w.currency = c.currency)))
     JOIN pgwallet.account a ON ((k.pocket_id = a.account_id)))
  WHERE (k.closed_at IS NULL);

COMMENT ON VIEW pgwallet.pocket_summary IS 'What each open pocket holds, and whose it is.';
COMMENT ON COLUMN pgwallet.pocket_summary.pocket_id IS 'Id of the pocket and of its account.';
COMMENT ON COLUMN pgwallet.pocket_summary.wallet_id IS 'The wallet that the pocket is a part of.';
COMMENT ON COLUMN pgwallet.pocket_summary.owner_id IS 'Owner of the wallet.';
COMMENT ON COLUMN pgwallet.pocket_summary.name IS 'Name of the pocket within its wallet.';
COMMENT ON COLUMN pgwallet.pocket_summary.pocket_type IS 'What the application uses the pocket for.';
COMMENT ON COLUMN pgwallet.pocket_summary.created_at IS 'When the pocket was made.';
COMMENT ON COLUMN pgwallet.pocket_summary.allocation_percentage IS 'Percentage of an allocated deposit that the pocket receives.';
COMMENT ON COLUMN pgwallet.pocket_summary.takes_rest IS 'Whether it receives what the other pockets leave of an allocation.';
COMMENT ON COLUMN pgwallet.pocket_summary.stop_at_target IS 'Whether an allocation gives it no more than it lacks of its target.';
COMMENT ON COLUMN pgwallet.pocket_summary.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.pocket_summary.target_amount IS 'What the owner wants to save; null if nothing was said.';
COMMENT ON COLUMN pgwallet.pocket_summary.lacking_amount IS 'What it lacks of its target, 0 from there on; null if it has none.';
COMMENT ON COLUMN pgwallet.pocket_summary.balance IS 'What the pocket holds.';

CREATE SEQUENCE pgwallet.posting_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgwallet.posting_id_seq OWNED BY pgwallet.posting.posting_id;

COMMENT ON SEQUENCE pgwallet.posting_id_seq IS 'Source of posting ids.';

CREATE VIEW pgwallet.project_summary AS
 SELECT j.project_id,
    j.reference,
    j.status,
    j.created_at,
    j.closed_at,
    a.frozen_at,
    j.commission_rate,
    j.fee_rate,
    j.fee_fixed,
    e.escrow_count,
    e.locked_count,
    e.disputed_count,
    e.released_count,
    e.refunded_count,
    e.expired_count,
    e.settled_count,
    j.currency,
    j.max_pledge,
    round(e.pledged, (c.exponent)::integer) AS pledged_amount,
    round(e.locked, (c.exponent)::integer) AS locked_amount,
    round(e.disputed, (c.exponent)::integer) AS disputed_amount,
    round(e.released, (c.exponent)::integer) AS released_amount,
    round(e.refunded, (c.exponent)::integer) AS refunded_amount,
    round(e.commission, (c.exponent)::integer) AS commission_amount,
    round(e.fee, (c.exponent)::integer) AS fee_amount,
    round(e.net, (c.exponent)::integer) AS net_amount,
    round((o.amount - b.amount), (c.exponent)::integer) AS paid_out_amount,
    round(a.balance, (c.exponent)::integer) AS balance,
    round((a.credit_limit)::numeric, (c.exponent)::integer) AS credit_limit
   FROM (((((pgwallet.project j
     JOIN pgwallet.currency c ON ((j.currency = c.currency)))
     JOIN pgwallet.account a ON ((j.project_id = a.account_id)))
     CROSS JOIN LATERAL ( SELECT count(*) AS escrow_count,
            count(*) FILTER (WHERE ((s.status)::text = 'locked'::text)) AS locked_count,
            count(*) FILTER (WHERE ((s.status)::text = 'disputed'::text)) AS disputed_count,
            count(*) FILTER (WHERE ((s.status)::text = 'released'::text)) AS released_count,
            count(*) FILTER (WHERE ((s.status)::text = 'refunded'::text)) AS refunded_count,
            count(*) FILTER (WHERE ((s.status)::text = 'expired'::text)) AS expired_count,
            count(*) FILTER (WHERE ((s.status)::text = 'settled'::text)) AS settled_count,
            COALESCE(sum(s.amount), (0)::numeric) AS pledged,
            COALESCE(sum(((s.amount - s.released_amount) - s.refunded_amount)), (0)::numeric) AS locked,
            COALESCE(sum(((s.amount - s.released_amount) - s.refunded_amount)) FILTER (WHERE ((s.status)::text = 'disputed'::text)), (0)::numeric) AS disputed,
            COALESCE(sum(s.released_amount), (0)::numeric) AS released,
            COALESCE(sum(s.refunded_amount), (0)::numeric) AS refunded,
            COALESCE(sum(s.commission_amount), (0)::numeric) AS commission,
            COALESCE(sum(s.fee_amount), (0)::numeric) AS fee,
            COALESCE(sum(s.net_amount), (0)::numeric) AS net
           FROM pgwallet.escrow s
          WHERE ((s.project_id = j.project_id) AND (((s.status)::text = ANY (ARRAY['locked'::text, 'disputed'::text])) OR ((s.status)::text <> ALL (ARRAY['locked'::text, 'disputed'::text]))))) e)
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(p.amount), (0)::numeric) AS amount
           FROM pgwallet.posting p
          WHERE ((p.source_account_id = j.project_id) AND (p.source_balance IS NOT NULL) AND (p.destination_account_id = a.external_account_id))) o)
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(p.amount), (0)::numeric) AS amount
           FROM pgwallet.posting p
          WHERE ((p.destination_account_id = j.project_id) AND (p.destination_balance IS NOT NULL) AND (p.source_account_id = a.external_account_id))) b);

COMMENT ON VIEW pgwallet.project_summary IS 'Each project: what was pledged to it, and what became of that.';
COMMENT ON COLUMN pgwallet.project_summary.project_id IS 'Id of the project and of its account.';
COMMENT ON COLUMN pgwallet.project_summary.reference IS 'The project, as the application calls it.';
COMMENT ON COLUMN pgwallet.project_summary.status IS 'Open while it takes pledges; then succeeded or failed.';
COMMENT ON COLUMN pgwallet.project_summary.created_at IS 'When the project was opened.';
COMMENT ON COLUMN pgwallet.project_summary.closed_at IS 'When it was closed; null while open.';
COMMENT ON COLUMN pgwallet.project_summary.frozen_at IS 'Since when it takes no pledges and pays nothing out; null while it is not frozen.';
COMMENT ON COLUMN pgwallet.project_summary.commission_rate IS 'Part of a released amount that the platform takes.';
COMMENT ON COLUMN pgwallet.project_summary.fee_rate IS 'Part of a released amount that pays for payments.';
COMMENT ON COLUMN pgwallet.project_summary.fee_fixed IS 'What each released escrow pays once for payments.';
COMMENT ON COLUMN pgwallet.project_summary.escrow_count IS 'How many pledges it got.';
COMMENT ON COLUMN pgwallet.project_summary.locked_count IS 'How many of them are still locked, wholly or in part.';
COMMENT ON COLUMN pgwallet.project_summary.disputed_count IS 'How many of them a dispute holds.';
COMMENT ON COLUMN pgwallet.project_summary.released_count IS 'How many were released whole.';
COMMENT ON COLUMN pgwallet.project_summary.refunded_count IS 'How many were refunded whole, but for those that had expired.';
COMMENT ON COLUMN pgwallet.project_summary.expired_count IS 'How many were refunded whole because they had expired.';
COMMENT ON COLUMN pgwallet.project_summary.settled_count IS 'How many were released in part and refunded in part.';
COMMENT ON COLUMN pgwallet.project_summary.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.project_summary.max_pledge IS 'The largest single pledge.';
COMMENT ON COLUMN pgwallet.project_summary.pledged_amount IS 'What was pledged: locked, released and refunded together.';
COMMENT ON COLUMN pgwallet.project_summary.locked_amount IS 'What was neither released nor refunded yet.';
COMMENT ON COLUMN pgwallet.project_summary.disputed_amount IS 'What of that disputes hold.';
COMMENT ON COLUMN pgwallet.project_summary.released_amount IS 'What was released so far, before commission and fee.';
COMMENT ON COLUMN pgwallet.project_summary.refunded_amount IS 'What went back to wallets so far.';
COMMENT ON COLUMN pgwallet.project_summary.commission_amount IS 'What the platform took of releases.';
COMMENT ON COLUMN pgwallet.project_summary.fee_amount IS 'What payments took of releases.';
COMMENT ON COLUMN pgwallet.project_summary.net_amount IS 'What the project received of releases: paid out and ready together.';
COMMENT ON COLUMN pgwallet.project_summary.paid_out_amount IS 'What was paid out so far, less what came back.';
COMMENT ON COLUMN pgwallet.project_summary.balance IS 'What is ready to pay out; below 0 is what it owes.';
COMMENT ON COLUMN pgwallet.project_summary.credit_limit IS 'How far below 0 the balance may go.';

CREATE TABLE pgwallet.role_grant (
    role_name name NOT NULL,
    access text NOT NULL COLLATE pg_catalog."C",
    granted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT role_grant_access_check CHECK ((access = ANY (ARRAY['app'::text, 'operator'::text, 'auditor'::text, 'monitor'::text])))
);

COMMENT ON TABLE pgwallet.role_grant IS 'Roles that a grant_ function was called for. To take an access away, delete the row and run: revoke execute on all routines in schema pgwallet from the_role; revoke select on all tables in schema pgwallet from the_role.';
COMMENT ON COLUMN pgwallet.role_grant.role_name IS 'The role as it is called in pg_roles; a role that was dropped is skipped.';

CREATE TABLE pgwallet.settings (
    only_row boolean DEFAULT true NOT NULL,
    commission_rate numeric DEFAULT 0.05 NOT NULL,
    fee_rate numeric DEFAULT 0.029 NOT NULL,
    fee_fixed numeric DEFAULT 0 NOT NULL,
    max_pledge numeric DEFAULT 100000 NOT NULL,
    max_pockets_per_allocation integer DEFAULT 100 NOT NULL,
    max_metadata_bytes integer DEFAULT 10000 NOT NULL,
    CONSTRAINT settings_commission_rate_check CHECK (((commission_rate >= (0)::numeric) AND (commission_rate <= (1)::numeric))),
    CONSTRAINT settings_decimals_check CHECK (((scale(trim_scale(commission_rate)) <= 20) AND (scale(trim_scale(fee_rate)) <= 20))),
    CONSTRAINT settings_fee_fixed_check CHECK (((fee_fixed >= (0)::numeric) AND (fee_fixed < ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT settings_fee_rate_check CHECK (((fee_rate >= (0)::numeric) AND (fee_rate <= (1)::numeric))),
    CONSTRAINT settings_max_metadata_bytes_check CHECK ((max_metadata_bytes >= 1000)),
    CONSTRAINT settings_max_pledge_check CHECK (((max_pledge > (0)::numeric) AND (max_pledge < ('1000000000000000'::bigint)::numeric))),
    CONSTRAINT settings_max_pockets_per_allocation_check CHECK ((max_pockets_per_allocation > 0)),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_rates_check CHECK (((commission_rate + fee_rate) <= (1)::numeric))
);

COMMENT ON TABLE pgwallet.settings IS 'Defaults and limits: one row, which a DBA updates.';
COMMENT ON COLUMN pgwallet.settings.commission_rate IS 'Part of a released amount that the platform takes; the default for new projects.';
COMMENT ON COLUMN pgwallet.settings.fee_rate IS 'Part of a released amount that pays for payments; the default for new projects.';
COMMENT ON COLUMN pgwallet.settings.fee_fixed IS 'What each released escrow pays once for payments, in major units; the default for new projects.';
COMMENT ON COLUMN pgwallet.settings.max_pledge IS 'The largest single pledge, in major units; the default for new projects.';
COMMENT ON COLUMN pgwallet.settings.max_pockets_per_allocation IS 'How many pockets take part in the allocation of one deposit.';
COMMENT ON COLUMN pgwallet.settings.max_metadata_bytes IS 'How many bytes the metadata of one call may take, written as text; at least 1,000.';

CREATE SEQUENCE pgwallet.transaction_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE pgwallet.transaction_id_seq OWNED BY pgwallet.transaction.transaction_id;

COMMENT ON SEQUENCE pgwallet.transaction_id_seq IS 'Source of transaction ids.';

CREATE VIEW pgwallet.transaction_log AS
 SELECT p.posting_id,
    p.transaction_id,
    t.escrow_id,
    t.reversed_transaction_id,
    p.source_account_id,
    p.destination_account_id,
    t.kind,
    s.kind AS source_kind,
    COALESCE(sw.owner_id, sk.name, sj.reference, se.reference, (s.kind)::text) AS source_name,
    d.kind AS destination_kind,
    COALESCE(dw.owner_id, dk.name, dj.reference, de.reference, (d.kind)::text) AS destination_name,
    COALESCE(sw.owner_id, dw.owner_id) AS owner_id,
    COALESCE(se.reference, de.reference, sj.reference) AS reference,
    t.idempotency_key,
    t.metadata,
    p.created_at,
    COALESCE(t.effective_at, p.created_at) AS effective_at,
    s.currency,
    p.amount,
    p.source_balance,
    p.destination_balance
   FROM (((((((((((pgwallet.posting p
     LEFT JOIN pgwallet.transaction t ON ((p.transaction_id = t.transaction_id)))
     LEFT JOIN pgwallet.account s ON ((p.source_account_id = s.account_id)))
     LEFT JOIN pgwallet.account d ON ((p.destination_account_id = d.account_id)))
     LEFT JOIN pgwallet.wallet sw ON ((p.source_account_id = sw.wallet_id)))
     LEFT JOIN pgwallet.wallet dw ON ((p.destination_account_id = dw.wallet_id)))
     LEFT JOIN pgwallet.pocket sk ON ((p.source_account_id = sk.pocket_id)))
     LEFT JOIN pgwallet.pocket dk ON ((p.destination_account_id = dk.pocket_id)))
     LEFT JOIN pgwallet.project sj ON ((p.source_account_id = sj.project_id)))
     LEFT JOIN pgwallet.project dj ON ((p.destination_account_id = dj.project_id)))
     LEFT JOIN pgwallet.project se ON ((p.source_account_id = se.escrow_account_id)))
     LEFT JOIN pgwallet.project de ON ((p.destination_account_id = de.escrow_account_id)));

COMMENT ON VIEW pgwallet.transaction_log IS 'Each movement of money, with the names of both accounts and what the call said.';
COMMENT ON COLUMN pgwallet.transaction_log.posting_id IS 'Id of the movement; for one account, in the order of its balances.';
COMMENT ON COLUMN pgwallet.transaction_log.transaction_id IS 'The call that made it, maybe with other movements.';
COMMENT ON COLUMN pgwallet.transaction_log.escrow_id IS 'The escrow that it concerns; null for others and for batches.';
COMMENT ON COLUMN pgwallet.transaction_log.reversed_transaction_id IS 'Of a reversal: the transaction that it took back.';
COMMENT ON COLUMN pgwallet.transaction_log.source_account_id IS 'The account that paid.';
COMMENT ON COLUMN pgwallet.transaction_log.destination_account_id IS 'The account that received.';
COMMENT ON COLUMN pgwallet.transaction_log.kind IS 'What the call did.';
COMMENT ON COLUMN pgwallet.transaction_log.source_kind IS 'What the paying account is for.';
COMMENT ON COLUMN pgwallet.transaction_log.source_name IS 'Owner, name of the pocket or reference of the project; else the kind.';
COMMENT ON COLUMN pgwallet.transaction_log.destination_kind IS 'What the receiving account is for.';
COMMENT ON COLUMN pgwallet.transaction_log.destination_name IS 'Owner, name of the pocket or reference of the project; else the kind.';
COMMENT ON COLUMN pgwallet.transaction_log.owner_id IS 'Owner of the wallet that paid or received.';
COMMENT ON COLUMN pgwallet.transaction_log.reference IS 'Reference of the project that it concerns.';
COMMENT ON COLUMN pgwallet.transaction_log.idempotency_key IS 'The caller''s name for the call; null if there was none.';
COMMENT ON COLUMN pgwallet.transaction_log.metadata IS 'What the caller had noted down.';
COMMENT ON COLUMN pgwallet.transaction_log.created_at IS 'When it was recorded.';
COMMENT ON COLUMN pgwallet.transaction_log.effective_at IS 'When it happened outside; when it was recorded, unless the caller said otherwise.';
COMMENT ON COLUMN pgwallet.transaction_log.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.transaction_log.amount IS 'What moved.';
COMMENT ON COLUMN pgwallet.transaction_log.source_balance IS 'What the paying account held afterwards; null if it keeps no balance.';
COMMENT ON COLUMN pgwallet.transaction_log.destination_balance IS 'What the receiving account held afterwards; null if it keeps no balance.';

CREATE VIEW pgwallet.wallet_summary AS
 SELECT w.wallet_id,
    w.owner_id,
    w.created_at,
    a.frozen_at,
    a.closed_at,
    w.allocation_percentage,
    k.pocket_count,
    l.locked_count,
    l.disputed_count,
    w.currency,
    round(a.balance, (c.exponent)::integer) AS balance,
    round((a.credit_limit)::numeric, (c.exponent)::integer) AS credit_limit,
    round(k.balance, (c.exponent)::integer) AS pocket_balance,
    round(l.amount, (c.exponent)::integer) AS locked_amount,
    round(l.disputed_amount, (c.exponent)::integer) AS disputed_amount,
    round(((a.balance + k.balance) + l.amount), (c.exponent)::integer) AS total_amount
   FROM ((((pgwallet.wallet w
     JOIN pgwallet.currency c ON ((w.currency = c.currency)))
     JOIN pgwallet.account a ON ((w.wallet_id = a.account_id)))
     CROSS JOIN LATERAL ( SELECT count(*) AS pocket_count,
            COALESCE(sum(b.balance), (0)::numeric) AS balance
           FROM (pgwallet.pocket o
             JOIN pgwallet.account b ON ((o.pocket_id = b.account_id)))
          WHERE ((o.wallet_id = w.wallet_id) AND (o.closed_at IS NULL))) k)
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE ((e.status)::text = 'locked'::text)) AS locked_count,
            count(*) FILTER (WHERE ((e.status)::text = 'disputed'::text)) AS disputed_count,
            COALESCE(sum(((e.amount - e.released_amount) - e.refunded_amount)), (0)::numeric) AS amount,
            COALESCE(sum(((e.amount - e.released_amount) - e.refunded_amount)) FILTER (WHERE ((e.status)::text = 'disputed'::text)), (0)::numeric) AS disputed_amount
           FROM ((pgwallet.posting p
             JOIN pgwallet.transaction t ON ((p.transaction_id = t.transaction_id)))
             JOIN pgwallet.escrow e ON ((t.escrow_id = e.escrow_id)))
          WHERE ((p.source_account_id = w.wallet_id) AND (p.source_balance IS NOT NULL) AND ((t.kind)::text = 'pledge'::text) AND ((e.status)::text = ANY (ARRAY['locked'::text, 'disputed'::text])))) l);

COMMENT ON VIEW pgwallet.wallet_summary IS 'What each wallet holds: free, in its pockets, and locked in pledges.';
COMMENT ON COLUMN pgwallet.wallet_summary.wallet_id IS 'Id of the wallet and of its account.';
COMMENT ON COLUMN pgwallet.wallet_summary.owner_id IS 'The owner, as the application calls them.';
COMMENT ON COLUMN pgwallet.wallet_summary.created_at IS 'When the wallet was opened.';
COMMENT ON COLUMN pgwallet.wallet_summary.frozen_at IS 'Since when nothing may leave it; null while it is not frozen.';
COMMENT ON COLUMN pgwallet.wallet_summary.closed_at IS 'When it was closed; null while it is open.';
COMMENT ON COLUMN pgwallet.wallet_summary.allocation_percentage IS 'Percentage of an allocated deposit that goes to its pockets.';
COMMENT ON COLUMN pgwallet.wallet_summary.pocket_count IS 'How many pockets it has, without closed ones.';
COMMENT ON COLUMN pgwallet.wallet_summary.locked_count IS 'How many of its pledges are still locked, wholly or in part.';
COMMENT ON COLUMN pgwallet.wallet_summary.disputed_count IS 'How many of its pledges a dispute holds.';
COMMENT ON COLUMN pgwallet.wallet_summary.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN pgwallet.wallet_summary.balance IS 'What is free to pledge, allocate or withdraw; below 0 is what it owes.';
COMMENT ON COLUMN pgwallet.wallet_summary.credit_limit IS 'How far below 0 the balance may go.';
COMMENT ON COLUMN pgwallet.wallet_summary.pocket_balance IS 'What its pockets hold, all together.';
COMMENT ON COLUMN pgwallet.wallet_summary.locked_amount IS 'What it pledged that was neither released nor refunded yet.';
COMMENT ON COLUMN pgwallet.wallet_summary.disputed_amount IS 'What of that disputes hold.';
COMMENT ON COLUMN pgwallet.wallet_summary.total_amount IS 'The balances and what is locked, all together.';

ALTER TABLE ONLY pgwallet.event ALTER COLUMN event_id SET DEFAULT 
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval('pgwallet.event_id_seq'::regclass)
    ELSE NULL::bigint
END;
ALTER TABLE ONLY pgwallet.posting ALTER COLUMN posting_id SET DEFAULT nextval('pgwallet.posting_id_seq'::regclass);
ALTER TABLE ONLY pgwallet.transaction ALTER COLUMN transaction_id SET DEFAULT 
CASE
    WHEN (pg_current_xact_id() IS NOT NULL) THEN nextval('pgwallet.transaction_id_seq'::regclass)
    ELSE NULL::bigint
END;

ALTER TABLE ONLY pgwallet.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY pgwallet.currency
    ADD CONSTRAINT currency_commission_account_id_key UNIQUE (commission_account_id);

ALTER TABLE ONLY pgwallet.currency
    ADD CONSTRAINT currency_external_account_id_key UNIQUE (external_account_id);

ALTER TABLE ONLY pgwallet.currency
    ADD CONSTRAINT currency_fee_account_id_key UNIQUE (fee_account_id);

ALTER TABLE ONLY pgwallet.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (currency);

ALTER TABLE ONLY pgwallet.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (deployment_id);

ALTER TABLE ONLY pgwallet.escrow
    ADD CONSTRAINT escrow_pkey PRIMARY KEY (escrow_id);

ALTER TABLE ONLY pgwallet.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY pgwallet.pocket
    ADD CONSTRAINT pocket_pkey PRIMARY KEY (pocket_id);

ALTER TABLE ONLY pgwallet.posting
    ADD CONSTRAINT posting_pkey PRIMARY KEY (transaction_id, posting_id);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_escrow_account_id_key UNIQUE (escrow_account_id);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (project_id);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_reference_key UNIQUE (reference);

ALTER TABLE ONLY pgwallet.role_grant
    ADD CONSTRAINT role_grant_pkey PRIMARY KEY (role_name, access);

ALTER TABLE ONLY pgwallet.seal_balance
    ADD CONSTRAINT seal_balance_pkey PRIMARY KEY (account_id, seal_id);

ALTER TABLE ONLY pgwallet.seal_flow
    ADD CONSTRAINT seal_flow_pkey PRIMARY KEY (month, currency, seal_id);

ALTER TABLE ONLY pgwallet.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (seal_id);

ALTER TABLE ONLY pgwallet.seal_project
    ADD CONSTRAINT seal_project_pkey PRIMARY KEY (project_id, seal_id);

ALTER TABLE ONLY pgwallet.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY pgwallet.transaction
    ADD CONSTRAINT transaction_pkey PRIMARY KEY (transaction_id);

ALTER TABLE ONLY pgwallet.wallet
    ADD CONSTRAINT wallet_owner_key UNIQUE (owner_id, currency);

ALTER TABLE ONLY pgwallet.wallet
    ADD CONSTRAINT wallet_pkey PRIMARY KEY (wallet_id);

CREATE INDEX escrow_locked_idx ON pgwallet.escrow USING btree (project_id, escrow_id) WHERE ((status)::text = ANY (ARRAY['locked'::text, 'disputed'::text]));

CREATE INDEX escrow_settled_idx ON pgwallet.escrow USING btree (project_id, escrow_id) WHERE ((status)::text <> ALL (ARRAY['locked'::text, 'disputed'::text]));

CREATE INDEX escrow_waiting_idx ON pgwallet.escrow USING btree (status, expires_at, escrow_id) WHERE ((((status)::text = 'locked'::text) AND (expires_at IS NOT NULL)) OR ((status)::text = 'disputed'::text));

CREATE INDEX event_check_idx ON pgwallet.event USING btree (event_id) WHERE (kind = 'record_check'::text);

CREATE INDEX event_subject_idx ON pgwallet.event USING btree (subject_id, event_id) WHERE (subject_id IS NOT NULL);

CREATE INDEX pocket_allocation_idx ON pgwallet.pocket USING btree (wallet_id, allocation_percentage DESC, pocket_id) WHERE (allocation_percentage > (0)::numeric);

CREATE UNIQUE INDEX pocket_name_key ON pgwallet.pocket USING btree (wallet_id, name) WHERE (closed_at IS NULL);

CREATE UNIQUE INDEX pocket_rest_key ON pgwallet.pocket USING btree (wallet_id) WHERE takes_rest;

CREATE INDEX posting_destination_idx ON pgwallet.posting USING btree (destination_account_id, posting_id) WHERE (destination_balance IS NOT NULL);

CREATE INDEX posting_earned_idx ON pgwallet.posting USING btree (destination_account_id, posting_id) WHERE ((source_balance IS NULL) AND (destination_balance IS NULL));

CREATE INDEX posting_id_idx ON pgwallet.posting USING brin (posting_id) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX posting_source_idx ON pgwallet.posting USING btree (source_account_id, posting_id) WHERE (source_balance IS NOT NULL);

CREATE INDEX transaction_correction_idx ON pgwallet.transaction USING btree (transaction_id) WHERE ((kind)::text = ANY (ARRAY['pledge_change'::text, 'release_refund'::text, 'collection'::text]));

CREATE INDEX transaction_effective_idx ON pgwallet.transaction USING btree (effective_at) WHERE (effective_at IS NOT NULL);

CREATE INDEX transaction_escrow_idx ON pgwallet.transaction USING btree (escrow_id) WHERE ((metadata IS NOT NULL) AND (escrow_id IS NOT NULL) AND ((kind)::text <> 'pledge'::text));

CREATE UNIQUE INDEX transaction_idempotency_key ON pgwallet.transaction USING btree (idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE UNIQUE INDEX transaction_reversed_key ON pgwallet.transaction USING btree (reversed_transaction_id) WHERE (reversed_transaction_id IS NOT NULL);

CREATE TRIGGER record_change AFTER UPDATE ON pgwallet.currency FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION pgwallet._record_change();

CREATE TRIGGER record_change AFTER INSERT OR DELETE OR UPDATE ON pgwallet.role_grant FOR EACH ROW EXECUTE FUNCTION pgwallet._record_change();

CREATE TRIGGER record_change AFTER UPDATE ON pgwallet.settings FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION pgwallet._record_change();

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.account FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.account ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.escrow FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.escrow ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.event FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.event ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.pocket FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.pocket ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.posting FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.posting ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.project FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.project ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.seal FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.seal_balance FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_balance ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.seal_flow FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_flow ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON pgwallet.seal_project FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_project ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.settings FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.settings ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OF transaction_id, created_at, escrow_id, reversed_transaction_id, effective_at, settled_count, kind, idempotency_key, request OR TRUNCATE ON pgwallet.transaction FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.transaction ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON pgwallet.wallet FOR EACH STATEMENT EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.wallet ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_changed_row AFTER UPDATE ON pgwallet.transaction FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.transaction ENABLE ALWAYS TRIGGER refuse_changed_row;

CREATE TRIGGER refuse_other_decimals BEFORE UPDATE OF exponent ON pgwallet.currency FOR EACH ROW WHEN ((old.exponent IS DISTINCT FROM new.exponent)) EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.currency ENABLE ALWAYS TRIGGER refuse_other_decimals;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.account FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.account ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.escrow FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.escrow ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.event FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.event ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.pocket FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.pocket ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.posting FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.posting ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.project FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.project ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.seal FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.seal_balance FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_balance ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.seal_flow FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_flow ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.seal_project FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.seal_project ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.settings FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.settings ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE OR UPDATE ON pgwallet.transaction FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.transaction ENABLE ALWAYS TRIGGER refuse_row_change;

CREATE TRIGGER refuse_row_change BEFORE DELETE ON pgwallet.wallet FOR EACH ROW EXECUTE FUNCTION pgwallet._refuse_change();
ALTER TABLE pgwallet.wallet ENABLE ALWAYS TRIGGER refuse_row_change;

ALTER TABLE ONLY pgwallet.account
    ADD CONSTRAINT account_currency_fkey FOREIGN KEY (currency) REFERENCES pgwallet.currency(currency);

ALTER TABLE ONLY pgwallet.pocket
    ADD CONSTRAINT pocket_pocket_id_fkey FOREIGN KEY (pocket_id) REFERENCES pgwallet.account(account_id);

ALTER TABLE ONLY pgwallet.pocket
    ADD CONSTRAINT pocket_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES pgwallet.wallet(wallet_id);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_currency_fkey FOREIGN KEY (currency) REFERENCES pgwallet.currency(currency);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_escrow_account_id_fkey FOREIGN KEY (escrow_account_id) REFERENCES pgwallet.account(account_id);

ALTER TABLE ONLY pgwallet.project
    ADD CONSTRAINT project_project_id_fkey FOREIGN KEY (project_id) REFERENCES pgwallet.account(account_id);

ALTER TABLE ONLY pgwallet.wallet
    ADD CONSTRAINT wallet_currency_fkey FOREIGN KEY (currency) REFERENCES pgwallet.currency(currency);

ALTER TABLE ONLY pgwallet.wallet
    ADD CONSTRAINT wallet_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES pgwallet.account(account_id);
