-- Payments of one account, whatever delegation its debtor lives in by then: an account has one number in all of them, and an agreement,
-- a promise or a lease goes on where it was made. One transaction. Never edited after release.

DROP INDEX payment_account;
CREATE INDEX payment_account ON payment (account_id);
