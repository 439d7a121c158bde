-- What relief, exhaustion and the bands of a policy read of an account. Cuts of before have the value of whom nothing is known.

ALTER TABLE account
    ADD COLUMN continuous_payments smallint NOT NULL DEFAULT 0,        -- months' worth, a bimester counts two
    ADD COLUMN bimester_paid_bp integer NOT NULL DEFAULT 0,            -- of the last two bimesters' bills together
    ADD COLUMN pension_resolution boolean NOT NULL DEFAULT false,
    ADD COLUMN pension_enrolments smallint NOT NULL DEFAULT 0,
    ADD COLUMN fpp_months smallint NOT NULL DEFAULT 0,                 -- months of FPP or insurance used
    ADD COLUMN reserve_share_bp integer NOT NULL DEFAULT 0,
    ADD COLUMN max_arrears_4m smallint NOT NULL DEFAULT 0,
    ADD COLUMN paid_4m_bp integer NOT NULL DEFAULT 10000,
    ADD COLUMN opened_on date,
    ADD COLUMN affiliated_employer boolean NOT NULL DEFAULT false,
    ADD COLUMN issste boolean NOT NULL DEFAULT false,
    ADD COLUMN documents_missing boolean NOT NULL DEFAULT false,
    ADD COLUMN legal_referral boolean NOT NULL DEFAULT false;

-- Bit i: relief i of the policy that placed the account may be offered.
ALTER TABLE placement ADD COLUMN offers bigint NOT NULL DEFAULT 0;
